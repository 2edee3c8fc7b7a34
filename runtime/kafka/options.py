"""The options of the library's consumer, with their reasons."""

from typing import Final

from runtime.kafka.assignor import Assignor
from runtime.kafka.connection import connection_options
from runtime.settings import KafkaSettings, WorkerSettings

_margin_s: Final = 5.0
_fetch_wait_ms: Final = 250
"""After so long a broker answers even where there is nothing."""
_metadata_age_ms: Final = 30_000
"""New partitions of a topic are seen after so long at the latest."""
_most_poll_interval_ms: Final = 600_000
"""Longer than any call a worker bears with (`runtime.worker.membership.stuck_after_s`)."""
_most_ahead_bytes: Final = 32 * 1024 * 1024
"""Fetched of all partitions together and not taken yet; comes on top of what a worker holds."""
_most_answer_bytes: Final = 8 * 1024 * 1024
"""Of one answer, of which there are three copies for as long as it is taken apart."""
_most_partition_bytes: Final = 1024 * 1024
_least_partition_bytes: Final = 16 * 1024


def longest_rebalance_s(worker: WorkerSettings) -> float:
    """Return the time after which a rebalance will not come to its end any more."""
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

    It keeps at most one fetched piece of each partition, so pieces are as large as fit together
    into half of what a worker may hold, and no larger than keeps up with any worker.

    Raises:
        ConfigurationError: the file of certificates cannot be read.
    """
    ahead_bytes = min(worker.in_flight_bytes // 2, _most_ahead_bytes)
    piece_bytes = ahead_bytes // max(1, partition_count)
    rebalance_s = worker.session_timeout_s + worker.drain_timeout_s
    return {
        **connection_options(settings),
        "client_id": client_id,
        "group_id": group,
        "group_instance_id": worker.instance_id or None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        # Each start is sought by offset; one that the log does not hold is an error.
        "auto_offset_reset": "none",
        "partition_assignment_strategy": (assignor,),
        "session_timeout_ms": int(worker.session_timeout_s * 1000),
        "heartbeat_interval_ms": int(worker.session_timeout_s * 100),
        "rebalance_timeout_ms": int(rebalance_s * 1000),
        # The answer to a join comes when all members have joined.
        "request_timeout_ms": int((rebalance_s + _margin_s) * 1000),
        "max_poll_interval_ms": _most_poll_interval_ms,
        "metadata_max_age_ms": _metadata_age_ms,
        "fetch_max_wait_ms": _fetch_wait_ms,
        "fetch_max_bytes": min(ahead_bytes, _most_answer_bytes),
        "max_partition_fetch_bytes": min(
            _most_partition_bytes, max(_least_partition_bytes, piece_bytes)
        ),
    }
