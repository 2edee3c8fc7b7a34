"""Pure: the watermark of a walk: how far it has come, as JSON that a restart continues from.

A text that cannot be read, for instance of another version, counts as none: the walk then begins
anew, and publishes nothing twice, because it compares with what the topic holds.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, Self

import orjson

most_missing: Final = 300
"""Ids in a watermark; of more missing entities, the rest waits for a further walk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPages:
    """The next page of a list is read: of ``part`` where it is divided, by ``token``.

    ``part`` None: the first part is not known yet; "" where the list is not divided. ``token`` ""
    is the first page. ``read`` says that the part is read to its end.
    """

    started_at: datetime
    part: str | None = None
    token: str = ""
    token_at: datetime | None = None
    read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """All lists are read; entities that they lacked are checked, those up to ``after`` already."""

    started_at: datetime
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing is done before ``until``."""

    until: datetime


Phase = ReadingPages | Checking | Waiting
_phases: Final[dict[str, type[Phase]]] = {
    "listing": ReadingPages,
    "checking": Checking,
    "waiting": Waiting,
}
_names: Final = {phase: name for name, phase in _phases.items()}
_times: Final = ("started_at", "token_at", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A walk's phase, when the last one had read all lists, and which entities that one lacked."""

    phase: Phase
    walked_at: datetime | None = None
    missing: tuple[str, ...] = ()

    def at(self, phase: Phase) -> Self:
        """Return the watermark of another phase."""
        return replace(self, phase=phase)

    def encode(self) -> str:
        """Return its text."""
        phase = self.phase
        members = {name: getattr(phase, name) for name in phase.__dataclass_fields__}
        document = {
            "phase": _names[type(phase)],
            **members,
            "walked_at": self.walked_at,
            "missing": self.missing,
        }
        return orjson.dumps(document).decode()


@lru_cache(maxsize=100)
def read_watermark(text: str | None) -> Watermark | None:
    """Read a watermark; None where there is none, or none that can be read."""
    try:
        members = orjson.loads(text or "")
        phase = _phases[members.pop("phase")]
        walked_at, missing = members.pop("walked_at"), tuple(map(str, members.pop("missing")))
        for name in _times:
            if members.get(name) is not None:
                members[name] = _moment(members[name])
        return Watermark(
            phase=phase(**members),
            walked_at=None if walked_at is None else _moment(walked_at),
            missing=missing,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
