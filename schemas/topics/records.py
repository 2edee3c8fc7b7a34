"""The records of topics, one YAML file each next to this module, validated when read."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .names import all_families
from .terms import Cleanup, HeaderSet, Promise

Kind = Literal[
    "raw",
    "enriched",
    "quarantine",
    "retry",
    "dead-letter",
    "audit",
    "reference",
    "outcome",
    "watermarks",
]

_kinds: Final = (
    *("raw", "enriched", "quarantine", "retry"),
    *("dead-letter", "audit", "reference", "outcome", "watermarks"),
)


class TopicRecord(BaseModel):
    """The description of a topic; for retries and dead letters, one record for all workers.

    ``topic`` holds ``{prefix}``, ``{worker}`` where each has its own, ``{delay}`` for retries.
    ``partitions`` and ``retention`` name the choice of the `TopicPlan` that decides; ``one`` is no
    choice. ``key`` names members below ``payload.object``; of several with ``|`` between, the first
    that an event has.
    ``compaction_lag_ms`` is how long every record of a compacted topic stays.
    ``example`` is a path below ``schemas/``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    topic: Annotated[
        str, Field(pattern=r"^\{prefix\}\.[a-z_.-]+(\.\{worker\}(\.\{delay\})?)?\.v1$")
    ]
    kind: Kind
    family: str | None = None
    owner: Annotated[str, Field(min_length=1)]
    purpose: Annotated[str, Field(min_length=1)]
    key: Annotated[str, Field(min_length=1)]
    partitions: Literal["engagement_partitions", "other_partitions", "one"]
    cleanup: Cleanup
    retention: Literal[
        "event_retention_days", "dead_letter_retention_days", "audit_retention_days", "for ever"
    ]
    compaction_lag_ms: Annotated[int, Field(ge=0)] = 0
    max_message_bytes: Annotated[int, Field(ge=1024)]
    headers: HeaderSet
    compatibility: Promise
    example: str

    @property
    def short_name(self) -> str:
        """The topic's name without prefix and version; the name of the record's file."""
        return self.topic.removeprefix("{prefix}.").removesuffix(".v1").partition(".{")[0]


@cache
def topic_records() -> tuple[TopicRecord, ...]:
    """Return all records: each family's two topics in the order of the families, then the others.

    Raises:
        ValueError: a file is not a record, or has another name than its topic.
    """
    folder = files(__package__)
    records = [
        _read(path.name, path.read_text()) for path in folder.iterdir() if path.name[-5:] == ".yaml"
    ]
    return tuple(sorted(records, key=_order))


def _read(file: str, text: str) -> TopicRecord:
    try:
        record = TopicRecord.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"schemas/topics/{file}: {error}") from error
    if file != f"{record.short_name}.yaml":
        raise ValueError(f"schemas/topics/{file}: is a record of {record.topic}")
    return record


def _order(record: TopicRecord) -> tuple[int, int]:
    family = all_families.index(record.family) if record.family else len(all_families)
    return family, _kinds.index(record.kind)
