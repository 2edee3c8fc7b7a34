"""`zcc lag`: how far each group is behind, and when it will have caught up.

Two measurements at the brokers a few seconds apart give the rates. A group without members never
catches up: somebody has to start its worker.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

from operations.components import components
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.kafka import Lag, TopicAdmin, timestamps_at
from runtime.settings import KafkaSettings
from runtime.values import TopicPartition


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one partition, or all of a group, is, and how fast that changes.

    ``behind`` counts offsets; ``oldest_s`` is the age of the oldest record that is not done, None
    where there is none. The rates are records per second: done by the group, and new in the log.
    """

    behind: int
    oldest_s: float | None
    done_per_s: float
    new_per_s: float

    @property
    def caught_up_in_s(self) -> float | None:
        """At these rates; None where that is never."""
        if not self.behind:
            return 0.0
        gain = self.done_per_s - self.new_per_s
        return self.behind / gain if gain > 0 else None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """One group. ``lags`` is the second measurement; ``partitions`` has the same keys."""

    group: str
    member_count: int
    lags: Mapping[TopicPartition, Lag]
    partitions: Mapping[TopicPartition, Progress]

    @property
    def total(self) -> Progress:
        """All its partitions together."""
        parts = self.partitions.values()
        ages = [part.oldest_s for part in parts if part.oldest_s is not None]
        return Progress(
            sum(part.behind for part in parts),
            max(ages, default=None),
            sum(part.done_per_s for part in parts),
            sum(part.new_per_s for part in parts),
        )

    @property
    def abandoned(self) -> bool:
        """Whether it is behind and has no member."""
        return self.member_count == 0 and self.total.behind > 0


async def run(
    kafka: KafkaSettings,
    *,
    groups: Collection[str],
    interval_s: float,
    as_json: bool,
    clock: Clock,
) -> int:
    """Print how far these groups are behind, all where none is named.

    Returns:
        The exit code: 1 if a group is behind and has no member, else 0.

    Raises:
        ConfigurationError: a name is not a group of the product, or a topic does not exist.
        TransientError: the brokers do not answer.
    """
    known = topics_of_groups(kafka.topic_prefix)
    for group in groups:
        if group not in known:
            raise ConfigurationError(f"{group} is not a group; expected one of {', '.join(known)}")
    wanted = {group: topics for group, topics in known.items() if not groups or group in groups}
    groups_lag = await measure(kafka, wanted, interval_s=interval_s, clock=clock)
    typer.echo(json.dumps(as_object(groups_lag)) if as_json else "\n".join(lines(groups_lag)))
    return int(any(group.abandoned for group in groups_lag))


def topics_of_groups(prefix: str) -> Mapping[str, Sequence[str]]:
    """Return each consumer group of the product with the topics that it reads."""
    return {
        group: topics
        for component in components
        for group, topics in component.groups(prefix=prefix).items()
    }


async def measure(
    kafka: KafkaSettings, groups: Mapping[str, Sequence[str]], *, interval_s: float, clock: Clock
) -> Sequence[GroupLag]:
    """Measure these groups twice, ``interval_s`` apart."""
    async with TopicAdmin(kafka) as admin:
        before = {group: await admin.lag(group, topics) for group, topics in groups.items()}
        began_s = clock.monotonic_s()
        await clock.sleep(interval_s)
        now = {group: await admin.lag(group, topics) for group, topics in groups.items()}
        elapsed_s = clock.monotonic_s() - began_s
        members = {group: await admin.member_count(group) for group in groups}
    measured = []
    for group, lags in now.items():
        made_ms = await timestamps_at(
            kafka, {s: lag.position for s, lag in lags.items() if lag.behind}
        )
        now_ms = clock.now().timestamp() * 1000
        ages_s = {source: max(0.0, (now_ms - made) / 1000) for source, made in made_ms.items()}
        partitions = progress(before[group], lags, elapsed_s=elapsed_s, ages_s=ages_s)
        measured.append(GroupLag(group, members[group], lags, partitions))
    return measured


def progress(
    before: Mapping[TopicPartition, Lag],
    now: Mapping[TopicPartition, Lag],
    *,
    elapsed_s: float,
    ages_s: Mapping[TopicPartition, float],
) -> Mapping[TopicPartition, Progress]:
    """Compare two measurements; partitions that are new since the first have no rates yet."""
    progress_of = {}
    for source, lag in now.items():
        earlier = before.get(source, lag)
        progress_of[source] = Progress(
            lag.behind,
            ages_s.get(source),
            max(0, lag.position - earlier.position) / elapsed_s,
            max(0, lag.log_end - earlier.log_end) / elapsed_s,
        )
    return progress_of


def as_object(measured: Sequence[GroupLag]) -> dict[str, object]:
    """Return everything as one JSON object."""
    return {
        "groups": [
            {
                "group": group.group,
                "members": group.member_count,
                "abandoned": group.abandoned,
                **_as_object(group.total),
                "partitions": [
                    {
                        "topic": source.topic,
                        "partition": source.partition,
                        "committed": group.lags[source].committed,
                        "position": group.lags[source].position,
                        "log_end": group.lags[source].log_end,
                        **_as_object(part),
                    }
                    for source, part in sorted(group.partitions.items())
                ],
            }
            for group in measured
        ]
    }


def lines(measured: Sequence[GroupLag]) -> Iterator[str]:
    """Yield the report for people: each group, and those of its partitions that are behind."""
    for group in measured:
        alone = "NO MEMBER" if group.member_count == 0 else f"members: {group.member_count}"
        yield f"{group.group}  {alone}  {_text(group.total)}"
        for source, part in sorted(group.partitions.items()):
            if part.behind:
                lag = group.lags[source]
                partition = f"{source.topic}/{source.partition}"
                yield f"  {partition}  at {lag.position} of {lag.log_end}  {_text(part)}"


def _as_object(part: Progress) -> dict[str, object]:
    return {
        "records_behind": part.behind,
        "seconds_behind": None if part.oldest_s is None else round(part.oldest_s, 1),
        "done_per_s": round(part.done_per_s, 1),
        "new_per_s": round(part.new_per_s, 1),
        "caught_up_in_s": None if part.caught_up_in_s is None else round(part.caught_up_in_s, 1),
    }


def _text(part: Progress) -> str:
    rates = f"done {part.done_per_s:.1f}/s, new {part.new_per_s:.1f}/s"
    if not part.behind:
        return f"nothing to do  {rates}"
    age = "" if part.oldest_s is None else f", {duration(part.oldest_s)} old"
    left_s = part.caught_up_in_s
    estimate = "does not catch up" if left_s is None else f"caught up in {duration(left_s)}"
    return f"behind by {part.behind}{age}  {rates}  {estimate}"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
