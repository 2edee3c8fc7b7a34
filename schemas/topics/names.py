"""Pure: the names of all topics."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.catalogue import families, unknown_family

all_families: Final = (*families, unknown_family)

Workers = Mapping[str, Sequence[int]]
"""The workers of a deployment by name, each with the delays in seconds after which it reads a
deferred record again, in their order; each delay has a topic."""

_units: Final = ((3600, "h"), (60, "m"), (1, "s"))


def raw_topic(family: str, *, prefix: str) -> str:
    """Name the topic of verbatim bodies of a family."""
    return f"{prefix}.{family}.v1"


def enriched_topic(family: str, *, prefix: str) -> str:
    """Name the topic of enriched events of a family."""
    return f"{prefix}.enriched.{family}.v1"


def quarantine_topic(*, prefix: str) -> str:
    """Name the topic of signed but unreadable bodies."""
    return f"{prefix}.quarantine.v1"


def reference_topic(*, prefix: str) -> str:
    """Name the compacted topic of reference entities."""
    return f"{prefix}.reference.v1"


def outcome_topic(*, prefix: str) -> str:
    """Name the compacted topic of what came of engagements."""
    return f"{prefix}.engagement-outcome.v1"


def dead_letter_topic(worker: str, *, prefix: str) -> str:
    """Name the topic of a worker's dead letters."""
    return f"{prefix}.dead-letter.{worker}.v1"


def retry_topic(worker: str, delay_s: int, *, prefix: str) -> str:
    """Name the topic of records that a worker retries after a delay."""
    return f"{prefix}.retry.{worker}.{delay_text(delay_s)}.v1"


def watermark_topic(poller: str, *, prefix: str) -> str:
    """Name the compacted topic of one partition that says how far a poller's feeds are."""
    return f"{prefix}.watermarks.{poller}.v1"


def delay_text(delay_s: int) -> str:
    """Write a delay in its largest whole unit: ``30s``, ``2m``, ``1h``."""
    unit_s, unit = next(each for each in _units if delay_s % each[0] == 0)
    return f"{delay_s // unit_s}{unit}"


def dead_letter_audit_topic(*, prefix: str) -> str:
    """Name the topic of people's actions on dead letters."""
    return f"{prefix}.dead-letter-audit.v1"


def raw_topics(*, prefix: str) -> tuple[str, ...]:
    """All raw topics, the unknown family included."""
    return tuple(raw_topic(family, prefix=prefix) for family in all_families)


def enriched_topics(*, prefix: str) -> tuple[str, ...]:
    """All enriched topics, the unknown family included."""
    return tuple(enriched_topic(family, prefix=prefix) for family in all_families)
