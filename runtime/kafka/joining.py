"""What has to be so before a member joins its group: its topics exist, and nobody is in the way.

In a group with members of the consumer protocol (KIP-848) the broker shares out, by an assignor of
its own. A worker whose partitions are not those of its engagements, or whose share changes without
the word that its budget needs, must not work, so it does not join such a group.
"""

from collections.abc import Sequence
from typing import Final

from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.kafka.cluster import Cluster, refuse_missing

topics_timeout_s: Final = 30.0
"""So long topics may be missing at the start: the job that applies them may still be at work."""

_topics_interval_s: Final = 1.0


async def existing_partitions(cluster: Cluster, topics: Sequence[str], clock: Clock) -> int:
    """Return how many partitions there are to read, once all topics exist.

    Raises:
        ConfigurationError: one of them does not come to exist.
        TransientError: the brokers do not answer.
    """
    until_s = clock.monotonic_s() + topics_timeout_s
    while True:
        counts = await cluster.partition_counts(topics)
        missing = set(topics) - set(counts)
        if not missing:
            return sum(counts.values())
        if clock.monotonic_s() >= until_s:
            refuse_missing(missing)
        await clock.sleep(_topics_interval_s)


async def refuse_foreign_members(cluster: Cluster, group: str) -> None:
    """Return where nobody is in the group by another protocol, as far as the brokers tell.

    Raises:
        ConfigurationError: somebody is.
        TransientError: the brokers do not answer.
    """
    members = await cluster.foreign_members(group)
    if members:
        raise _refusal(group, "; ".join(sorted(members)))


async def foreign_members_error(cluster: Cluster, group: str) -> ConfigurationError:
    """Return the error of a member whose partitions the broker has shared out.

    Raises:
        TransientError: the brokers do not answer.
    """
    members = await cluster.foreign_members(group)
    return _refusal(group, "; ".join(sorted(members)) or "the brokers do not tell which")


def _refusal(group: str, members: str) -> ConfigurationError:
    return ConfigurationError(
        f"the group {group} holds a member of another protocol (KIP-848, group.protocol=consumer): "
        f"{members}; stop it, or give it a group of its own"
    )
