"""Checks before a member joins its group: its topics exist, and no foreign member is in the group.

In a group with members of the consumer protocol (KIP-848) the broker assigns the partitions by its
own rules. A worker must not run with partitions that split engagements, or without notice of its
new share, which its API budget needs. So it does not join such a group.
"""

from collections.abc import Sequence
from typing import Final

from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.kafka.cluster import Cluster, refuse_missing

topics_timeout_s: Final = 30.0
"""Topics may be missing for this long at the start: the job that creates them may still run."""

_topics_interval_s: Final = 1.0


async def existing_partitions(cluster: Cluster, topics: Sequence[str], clock: Clock) -> int:
    """Wait until all topics exist; return the number of their partitions.

    Raises:
        ConfigurationError: a topic does not appear in time.
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
    """Refuse a group with a member of another protocol, as far as the brokers say.

    Raises:
        ConfigurationError: there is such a member.
        TransientError: the brokers do not answer.
    """
    members = await cluster.foreign_members(group)
    if members:
        raise _refusal(group, "; ".join(sorted(members)))


async def foreign_members_error(cluster: Cluster, group: str) -> ConfigurationError:
    """Return the error of a member whose partitions the broker has assigned.

    Raises:
        TransientError: the brokers do not answer.
    """
    members = await cluster.foreign_members(group)
    return _refusal(group, "; ".join(sorted(members)) or "the brokers do not name it")


def _refusal(group: str, members: str) -> ConfigurationError:
    return ConfigurationError(
        f"the group {group} holds a member of another protocol (KIP-848, group.protocol=consumer): "
        f"{members}; stop it, or give it its own group"
    )
