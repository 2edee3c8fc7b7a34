"""Pure: the reference page of each topic, from its record and the schemas of its events."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final, cast

from schemas.asyncapi import reference_entities
from schemas.catalogue import EventType, events, json_schema
from schemas.drift import Schema, path_of
from schemas.identity import personal_paths
from schemas.topics import TopicPlan
from schemas.topics.records import Kind, TopicRecord, topic_records
from schemas.topics.specs import partition_count, retention_ms
from schemas.topics.terms import Header, header_sets, promises

_to_schemas: Final = "../../../schemas"

_kinds: Final[Mapping[Kind, str]] = {
    "raw": "raw: the bodies of webhooks, byte for byte",
    "enriched": "enriched: the same bodies with names looked up",
    "quarantine": "quarantine: signed by Zoom but unreadable",
    "retry": "retries, a topic for each delay of a worker",
    "dead-letter": "dead letters, a topic for each worker",
    "audit": "audit: what people did about dead letters",
    "reference": "reference: entities, compacted",
    "outcome": "outcome: what came of engagements, compacted",
    "watermarks": "watermarks: how far pollers are, a topic for each",
}

_delivery: Final[Mapping[Kind, str]] = {
    "raw": (
        "At least once, in the order of arrival per key. The same event may be there twice, since "
        "Zoom may send it twice: remove repeats by the header `zcc-event-id`."
    ),
    "enriched": (
        "At least once, in the order of the raw topic per key. Remove repeats by the header "
        "`ce_id`; a later revision of an event has another, and the same `zcc-event-id`."
    ),
    "quarantine": "At least once; nothing orders them.",
    "retry": "Only for its worker. At least once, usually in the order in which records are due.",
    "dead-letter": "At least once.",
    "audit": "At least once, in order per key.",
    "reference": "At least once, in order per key.",
    "outcome": (
        "At least once, in order per key. Of two snapshots of an engagement the one with the later "
        "`as_of` holds."
    ),
    "watermarks": "Exactly once for readers of committed records, in order.",
}

_schemas: Final[Mapping[Kind, tuple[str, ...]]] = {
    "raw": (),
    "enriched": ("enriched/event",),
    "quarantine": (),
    "retry": (),
    "dead-letter": (),
    "audit": (),
    "reference": tuple(f"reference/{entity}" for entity in reference_entities),
    "outcome": ("outcome/engagement_outcome",),
    "watermarks": (),
}
"""Schemas of values other than those of the events."""


def topic_pages(plan: TopicPlan) -> Iterator[tuple[str, str]]:
    """Yield (file name, Markdown) of each topic, with the plan's numbers."""
    for record in topic_records():
        yield f"{record.short_name}.md", "\n".join(_lines(record, plan)) + "\n"


def shown_topic(record: TopicRecord, plan: TopicPlan) -> str:
    """Return the name of a record's topic, ``<worker>`` in it where there is one for each."""
    return record.topic.format(prefix=plan.prefix, worker="<worker>", delay="<delay>")


def shown_retention(record: TopicRecord, plan: TopicPlan) -> str:
    """Return how long records are kept."""
    kept_ms = retention_ms(record, plan)
    return "for ever" if kept_ms < 0 else f"{kept_ms // 86_400_000} days"


def _lines(record: TopicRecord, plan: TopicPlan) -> Iterator[str]:
    yield f"# `{shown_topic(record, plan)}`"
    yield ""
    yield record.purpose
    yield ""
    yield from _facts(record, plan)
    yield ""
    yield "## What consumers may rely on"
    yield ""
    yield _delivery[record.kind]
    yield ""
    yield promises[record.compatibility]
    for schema in _schemas[record.kind]:
        yield ""
        yield f"Schema: [{schema}]({_to_schemas}/{schema}.schema.json)"
    known = [event for event in events.values() if event.family == record.family]
    if known:
        yield from _events(known)
        yield from _personal(known)
    if header_sets[record.headers]:
        yield from _headers(record, header_sets[record.headers])
    yield from _example(record)


def _facts(record: TopicRecord, plan: TopicPlan) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield f"| kind | {_kinds[record.kind]} |"
    yield f"| owner | {record.owner} |"
    yield f"| key | {_key(record)} |"
    partitions = partition_count(record, plan)
    choice = "" if record.partitions == "one" else f" ({_variable(record.partitions)})"
    yield f"| partitions | {partitions}{choice} |"
    lag = record.compaction_lag_ms / 60_000
    kept = f", every record is kept for {lag:g} minutes" if lag else ""
    yield f"| cleanup | {record.cleanup}{kept} |"
    setting = "" if record.retention == "for ever" else f" ({_variable(record.retention)})"
    yield f"| retention | {shown_retention(record, plan)}{setting} |"
    yield f"| largest record | {record.max_message_bytes / 1024 / 1024:g} MiB, compressed |"


def _key(record: TopicRecord) -> str:
    key = f"`{record.key.replace('|', '`, else `')}`"
    if record.family:
        key += ", else `account_id` alone"
    if any(path in record.key for path in personal_paths):
        key += "; a keyed hash stands for a telephone number"
    return key


def _variable(choice: str) -> str:
    return f"`ZCC_KAFKA_{choice.upper()}`"


def _events(known: list[EventType]) -> Iterator[str]:
    yield from ("", "## Events", "", "| event | happened at | schema, example |", "|---|---|---|")
    for event in known:
        path = f"{event.family}/{event.short_name}"
        links = (
            f"[schema]({_to_schemas}/webhooks/{path}.schema.json), "
            f"[example]({_to_schemas}/examples/{path}.json)"
        )
        yield f"| `{event.name}` | `{event.occurred_at or 'event_ts'}` | {links} |"


def _personal(known: list[EventType]) -> Iterator[str]:
    """List the members with personal data, each once, over all events of a topic."""
    classes: dict[str, list[str]] = {"sensitive": [], "personal": [], "pseudonymous": []}
    for path, data_class in sorted({each for event in known for each in _classes(event)}):
        if data_class in classes:
            classes[data_class].append(f"`{path}`")
    yield from ("", "## Personal data", "", "| class | members of `payload.object` |", "|---|---|")
    for data_class, paths in classes.items():
        yield f"| {data_class} | {', '.join(paths) or 'none'} |"


def _classes(event: EventType) -> Iterator[tuple[str, str]]:
    payload = cast("Schema", cast("Schema", json_schema(event.name)["properties"])["payload"])
    return _classes_below(cast("Schema", cast("Schema", payload["properties"])["object"]), ())


def _classes_below(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if "x-data-class" in schema:
        yield path_of(path), str(schema["x-data-class"])
    for name, member in cast("Mapping[str, Schema]", schema.get("properties", {})).items():
        yield from _classes_below(member, (*path, name))
    if "items" in schema:
        yield from _classes_below(cast("Schema", schema["items"]), (*path, "[]"))


def _headers(record: TopicRecord, headers: tuple[Header, ...]) -> Iterator[str]:
    yield from ("", "## Headers", "")
    if record.kind in {"retry", "dead-letter"}:
        yield from ("All headers of the record that was read, and:", "")
    yield from ("| header | value |", "|---|---|")
    for header in headers:
        sometimes = "" if header.always else "; not always there"
        yield f"| `{header.name}` | {header.meaning}{sometimes} |"


def _example(record: TopicRecord) -> Iterator[str]:
    text = files("schemas").joinpath(record.example).read_text().rstrip("\n")
    yield from ("", "## Example", "", "```json", text, "```")
