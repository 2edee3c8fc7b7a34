"""Pure: the names of all topics."""

from typing import Final

from schemas.catalogue import families, unknown_family

all_families: Final = (*families, unknown_family)


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


def dead_letter_topic(worker: str, *, prefix: str) -> str:
    """Name the topic of records that a worker set aside."""
    return f"{prefix}.dead-letter.{worker}.v1"


def raw_topics(*, prefix: str) -> tuple[str, ...]:
    """All raw topics, the unknown family included."""
    return tuple(raw_topic(family, prefix=prefix) for family in all_families)


def enriched_topics(*, prefix: str) -> tuple[str, ...]:
    """All enriched topics, the unknown family included."""
    return tuple(enriched_topic(family, prefix=prefix) for family in all_families)
