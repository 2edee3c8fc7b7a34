"""The options of the library's consumer, with their reasons."""

from typing import Final

from runtime.kafka.assignor import Assignor
from runtime.kafka.connection import connection_options
from runtime.settings import KafkaSettings, WorkerSettings

_margin_s: Final = 5.0
_fetch_wait_ms: Final = 250
"""A broker without records answers after this long."""
_metadata_age_ms: Final = 30_000
"""New partitions of a topic are seen after this long at the latest."""
_max_poll_interval_ms: Final = 600_000
"""Longer than any call that a worker tolerates (`runtime.worker.membership.stuck_after_s`)."""
_max_prefetch_bytes: Final = 32 * 1024 * 1024
"""Records fetched ahead, over all partitions, in addition to what a worker holds."""
_max_response_bytes: Final = 8 * 1024 * 1024
"""Of one answer. Three copies of it exist while the library parses it."""
_max_partition_bytes: Final = 1024 * 1024
_min_partition_bytes: Final = 16 * 1024


def longest_rebalance_s(worker: WorkerSettings) -> float:
    """Return the time after which a rebalance will no longer complete."""
    return worker.session_timeout_s + worker.drain_timeout_s + 2 * _margin_s


def consumer_options(
    settings: KafkaSettings,
    worker: WorkerSettings,
    *,
    group: str,
    client_id: str,
    assignor: Assignor,
    partition_count: int,
) -> dict[str, object]:
    """Return the arguments of the library's consumer.

    The library keeps at most one fetched piece of each partition. So all pieces together fit into
    half of what a worker may hold, and no piece is larger than a worker needs to keep busy.

    Raises:
        ConfigurationError: the file of certificates cannot be read.
    """
    ahead_bytes = min(worker.in_flight_bytes // 2, _max_prefetch_bytes)
    piece_bytes = ahead_bytes // max(1, partition_count)
    rebalance_s = worker.session_timeout_s + worker.drain_timeout_s
    return {
        **connection_options(settings),
        "client_id": client_id,
        "group_id": group,
        "group_instance_id": worker.instance_id or None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        # Every start is a seek to an offset; an offset outside the log is an error.
        "auto_offset_reset": "none",
        "partition_assignment_strategy": (assignor,),
        "session_timeout_ms": int(worker.session_timeout_s * 1000),
        "heartbeat_interval_ms": int(worker.session_timeout_s * 100),
        "rebalance_timeout_ms": int(rebalance_s * 1000),
        # A broker answers a join only when all members have joined.
        "request_timeout_ms": int((rebalance_s + _margin_s) * 1000),
        "max_poll_interval_ms": _max_poll_interval_ms,
        "metadata_max_age_ms": _metadata_age_ms,
        "fetch_max_wait_ms": _fetch_wait_ms,
        "fetch_max_bytes": min(ahead_bytes, _max_response_bytes),
        "max_partition_fetch_bytes": min(
            _max_partition_bytes, max(_min_partition_bytes, piece_bytes)
        ),
    }
