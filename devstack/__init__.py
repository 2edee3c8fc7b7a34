"""Real Kafka, Postgres and an S3 server on this machine, without containers."""

from devstack.kafka import kafka_version
from devstack.options import ALL_PARTS, DevstackError, DevstackOptions, Part, PartCrashed
from devstack.stack import Stack, running

__all__ = [
    "ALL_PARTS",
    "DevstackError",
    "DevstackOptions",
    "Part",
    "PartCrashed",
    "Stack",
    "kafka_version",
    "running",
]
