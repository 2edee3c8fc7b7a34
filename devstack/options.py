"""The options of a stack, and how a part of it reports that it died."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["kafka", "postgres", "s3"]

ALL_PARTS: frozenset[Part] = frozenset({"kafka", "postgres", "s3"})

KAFKA_VERSIONS = ("4.3.1", "4.4.0")
"""The versions that there is a lock for; the first is the default."""

KAFKA_VARIABLE = "ZCC_DEVSTACK_KAFKA"


def chosen_kafka(environment: Mapping[str, str] = os.environ) -> str:
    """The version of Kafka that the variable names.

    Raises:
        ValueError: it names one that there is no lock for.
    """
    version = environment.get(KAFKA_VARIABLE) or KAFKA_VERSIONS[0]
    if version not in KAFKA_VERSIONS:
        raise ValueError(
            f"{KAFKA_VARIABLE} must be one of {', '.join(KAFKA_VERSIONS)}; got {version!r}"
        )
    return version


@dataclass(frozen=True, slots=True)
class DevstackOptions:
    """Which parts run, on which ports, on whose data.

    A named directory keeps topics, databases and objects over restarts; None takes a temporary
    one, which is removed at the end. Port 0 takes a free one.
    """

    directory: Path | None = Path(".devstack")
    parts: frozenset[Part] = ALL_PARTS
    kafka_port: int = 0
    postgres_port: int = 0
    s3_port: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be started.

        Raises:
            ValueError: no part, an unknown part, or a port that is none.
        """
        if not self.parts or not self.parts <= ALL_PARTS:
            raise ValueError(
                f"parts must be some of {', '.join(sorted(ALL_PARTS))}; "
                f"got {', '.join(sorted(self.parts)) or 'none'}"
            )
        for part, port in self.ports.items():
            if not 0 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
                raise ValueError(f"{part}_port must be 0 to 65535; got {port}")

    @property
    def ports(self) -> Mapping[Part, int]:
        """The requested port of each part."""
        return {"kafka": self.kafka_port, "postgres": self.postgres_port, "s3": self.s3_port}


DEFAULT_OPTIONS = DevstackOptions()


class DevstackError(Exception):
    """The stack cannot run; the message says what to do."""


class PartCrashed(DevstackError):  # noqa: N818 - says what happened, in the words of the log
    """A part ended though nobody stopped it; the message ends with the last lines of its log."""

    def __init__(self, part: Part, what: str, log: Path, last_lines: str) -> None:
        super().__init__(f"{part} {what}; the last lines of {log}:\n{last_lines}")
        self.part = part
