"""Pure: the parts of an outcome, and how each is read from Zoom's answer.

A part is what one operation of the API tells. Each is read into members of the outcome, typed as in
the contract (`schemas.models.outcome`); other members are left out, links among them. Texts of a
class of personal data that is not let in are left out too. Durations become milliseconds: version 1
of the API counts in seconds, version 2 in milliseconds. Source: Zoom Contact Center REST API.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, cast

from schemas.envelope import JsonObject
from schemas.generation.data_class import DataClass
from schemas.headers import timestamp
from schemas.identity import epoch_ms


class Part(StrEnum):
    """A part of an outcome; a public contract, and a label."""

    DETAILS = "details"
    DATASET = "dataset"
    TIMELINE = "timeline"
    NOTES = "notes"
    SURVEY = "survey"
    RECORDINGS = "recordings"


class Reason(StrEnum):
    """Why a part is missing; a public contract."""

    NOT_READY = "not_ready"
    """Zoom has not finished it."""
    ABSENT = "absent"
    """Zoom knows no such engagement."""
    UNAVAILABLE = "unavailable"
    """The API fails."""
    FORBIDDEN = "forbidden"
    """The app may not read it."""


class Kept(NamedTuple):
    """A member that is kept: its type in JSON, and how personal it is."""

    type: type[str | int | bool]
    data_class: DataClass = "none"


Members = Mapping[str, Kept]
Allowed = Collection[DataClass]

_text: Final = Kept(str)
_number: Final = Kept(int)
_flag: Final = Kept(bool)
_person: Final = Kept(str, "pseudonymous")
_name: Final = Kept(str, "personal")
_words: Final = Kept(str, "sensitive")

times: Final = frozenset(
    {
        *("start_time", "end_time", "last_modified_time", "date_time"),
        *("recording_start_time", "recording_end_time"),
    }
)
"""Members that are times: texts by RFC 3339, written in UTC."""

lists: Final[Mapping[str, Members]] = {
    "channels": {"channel": _text, "channel_source": _text},
    "flows": {"flow_id": _text, "flow_name": _text, "flow_version": _text},
    "queues": {"cc_queue_id": _text, "queue_name": _text},
    "agents": {"user_id": _person, "display_name": _name},
    "consumers": {
        "consumer_id": _person,
        "consumer_display_name": _name,
        "consumer_number": _name,
    },
    "dispositions": {"disposition_id": _text, "disposition_name": _text},
    "timeline": {
        "start_time": _text,
        "event_name": _text,
        "channel": _text,
        "channel_source": _text,
        "event_content": _words,
    },
    "notes": {"note_id": _text, "user_id": _person, "last_modified_time": _text, "note": _words},
    "results": {
        "question_id": _text,
        "question_name": _text,
        "question_type": _number,
        "question_order": _number,
        "date_time": _text,
        "numeric_answer": _number,
        "answer": _words,
    },
    "recordings": {
        "recording_id": _text,
        "recording_type": _text,
        "channel": _text,
        "direction": _text,
        "recording_start_time": _text,
        "recording_end_time": _text,
        "owner_type": _text,
        "owner_id": _person,
        "user_id": _person,
        "display_name": _name,
        "cc_queue_id": _text,
        "segment_type": _text,
        "exemption": _flag,
    },
}
"""The members of the items of each list of the outcome, ``duration_ms`` of recordings apart."""

_engagement: Final[Members] = dict.fromkeys(
    ("start_time", "end_time", "direction", "queue_wait_type"), _text
)
_of_survey: Final[Members] = {"survey_id": _text, "survey_name": _text}

_seconds: Final[Mapping[str, str]] = {
    "total_ms": "duration",
    "flow_ms": "flow_duration",
    "waiting_ms": "waiting_duration",
    "talking_ms": "talk_duration",
    "handling_ms": "handling_duration",
    "wrap_up_ms": "wrap_up_duration",
}
"""Our durations to those of version 1."""

_milliseconds: Final[Mapping[str, str]] = {
    "total_ms": "duration",
    "talking_ms": "conversation_duration",
    "hold_ms": "hold_duration",
    "handling_ms": "handle_duration",
    "wrap_up_ms": "wrap_up_duration",
}
"""Our durations to those of version 2."""

_longest_ms: Final = 10 * 365 * 86_400_000
"""A longer duration is a mistake; an engagement may last for weeks."""

_largest_int32: Final = 2**31 - 1
_recorded: Final = frozenset({"voice", "video"})


def read_details(document: JsonObject, allowed: Allowed) -> JsonObject | None:
    """Read the answer about the engagement; None while Zoom has not finished it.

    Zoom may answer with an empty object, or with one that knows no end yet.
    """
    fragment = dict(_picked(document, _engagement, allowed))
    if "end_time" not in fragment:
        return None
    for name in ("channels", "flows", "queues", "agents", "consumers", "dispositions"):
        if isinstance(document.get(name), list):
            fragment[name] = _listed(document, name, name, allowed)
    if isinstance(document.get("notes"), list):
        fragment["notes"] = _listed(document, "notes", "notes", allowed)
    fragment["durations"] = _durations(document, _seconds, factor=1000)
    voicemails = document.get("voice_mail")
    if type(voicemails) is int and 0 <= voicemails <= _largest_int32:
        fragment["voicemails"] = voicemails
    return fragment


def read_dataset(document: JsonObject, allowed: Allowed) -> JsonObject:  # noqa: ARG001 - a Reader
    """Read a row of version 2's dataset: the durations, exact ones."""
    return {"durations": _durations(document, _milliseconds, factor=1)}


def read_timeline(document: JsonObject, allowed: Allowed) -> JsonObject:
    """Read the history of a conversation by voice or video."""
    return {"timeline": _listed(document, "events", "timeline", allowed)}


def read_notes(document: JsonObject, allowed: Allowed) -> JsonObject:
    """Read the notes."""
    return {"notes": _listed(document, "notes", "notes", allowed)}


def read_survey(document: JsonObject, allowed: Allowed) -> JsonObject:
    """Read an answered survey."""
    results = _listed(document, "survey_results", "results", allowed)
    about = _picked(document, _of_survey, allowed)
    return {"survey": {"answered": bool(results), **about, "results": results}}


def read_recordings(document: JsonObject, allowed: Allowed) -> JsonObject:
    """Read the recordings, without the links to their files."""
    recordings: list[JsonObject] = []
    for item in _objects(document, "recordings"):
        recording = dict(_picked(item, lists["recordings"], allowed))
        length_ms = _duration_ms(item.get("recording_duration"), factor=1000)
        if length_ms is not None:
            recording["duration_ms"] = length_ms
        recordings.append(recording)
    return {"recordings": recordings}


Reader = Callable[[JsonObject, Allowed], JsonObject | None]

readers: Final[Mapping[Part, Reader]] = {
    Part.DETAILS: read_details,
    Part.DATASET: read_dataset,
    Part.TIMELINE: read_timeline,
    Part.NOTES: read_notes,
    Part.SURVEY: read_survey,
    Part.RECORDINGS: read_recordings,
}
"""The reader of each part's document."""

nothing_there: Final[Mapping[Part, JsonObject]] = {
    Part.TIMELINE: {"timeline": []},
    Part.NOTES: {"notes": []},
    Part.SURVEY: {"survey": {"answered": False}},
    Part.RECORDINGS: {"recordings": []},
}
"""What a part says where Zoom answers that there is none of it."""


def applicable(details: JsonObject) -> Iterator[Part]:
    """Yield the other parts that an engagement with these details has.

    Only voice and video have a timeline and recordings. The details usually bring the notes.
    """
    yield Part.DATASET
    channels = cast("list[JsonObject]", details.get("channels", []))
    if any(channel.get("channel") in _recorded for channel in channels):
        yield Part.TIMELINE
        yield Part.RECORDINGS
    if "notes" not in details:
        yield Part.NOTES
    yield Part.SURVEY


def _listed(document: JsonObject, name: str, of: str, allowed: Allowed) -> list[JsonObject]:
    picked = (_picked(item, lists[of], allowed) for item in _objects(document, name))
    return [item for item in picked if item]


def _objects(document: JsonObject, name: str) -> Iterator[JsonObject]:
    value = document.get(name)
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield cast("JsonObject", item)


def _picked(document: JsonObject, members: Members, allowed: Allowed) -> JsonObject:
    return {
        name: value
        for name, kept in members.items()
        if (value := _value(document.get(name), name, kept, allowed)) is not None
    }


def _value(value: object, name: str, kept: Kept, allowed: Allowed) -> object:
    """Return the value in the form of the contract; None where it is left out."""
    if type(value) is not kept.type or value == "" or kept.data_class not in allowed:
        return None
    if name in times:
        moment_ms = epoch_ms(cast("str", value))
        return None if moment_ms is None else timestamp(moment_ms)
    if type(value) is int and abs(value) > _largest_int32:
        return None
    return value


def _durations(document: JsonObject, names: Mapping[str, str], *, factor: int) -> JsonObject:
    return {
        ours: duration_ms
        for ours, theirs in names.items()
        if (duration_ms := _duration_ms(document.get(theirs), factor=factor)) is not None
    }


def _duration_ms(value: object, *, factor: int) -> int | None:
    """Return a duration in milliseconds; None where it is none, or beyond belief."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value * factor <= _longest_ms:  # NaN is in no range
        return None
    return round(value * factor)
