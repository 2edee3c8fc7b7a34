"""`zcc lag` on real groups."""

import asyncio
import json
import time

import pytest

from operations.lag.group_lag import measure, run
from operations.topics.specs import deployment_specs
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.kafka import TopicAdmin, timestamps_at
from runtime.ports import Position
from runtime.settings import KafkaSettings
from runtime.values import Record, TopicPartition
from schemas.topics import enriched_topic
from tests.support.kafka_members import Member, create, poll_until, publish


class Meanwhile(SystemClock):
    """Between two looks something happens."""

    def __init__(self, *steps: object) -> None:
        self._steps = steps

    async def sleep(self, delay_s: float) -> None:
        for step in self._steps:
            await step  # type: ignore[misc]  # any awaitable will do
        await super().sleep(delay_s)


async def prepared(kafka: KafkaSettings) -> tuple[str, TopicPartition]:
    """Make all topics, one partition of one with ten records; return the sink's group too."""
    async with TopicAdmin(kafka) as admin:
        await admin.apply(deployment_specs(kafka.topic_plan))
    source = TopicPartition(enriched_topic("task", prefix=kafka.topic_prefix), 0)
    await publish(kafka, *records(source, 10))
    return f"{kafka.topic_prefix}.postgres", source


def records(source: TopicPartition, count: int) -> list[Record]:
    return [Record(source.topic, b"k", b"v", partition=source.partition) for _ in range(count)]


async def report(
    kafka: KafkaSettings, capsys: pytest.CaptureFixture[str], clock: SystemClock, *groups: str
) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = await run(kafka, groups=groups, interval_s=0.2, as_json=True, clock=clock)
    (group, *_) = json.loads(capsys.readouterr().out.splitlines()[-1])["groups"]
    return code, group


async def test_position_rates_age_and_estimate_are_reported_of_a_group_at_work(
    kafka_settings: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    before_s = time.monotonic()
    group, source = await prepared(kafka_settings)
    member = Member(kafka_settings, [source.topic], group="postgres")
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 10, member)
        await member.consumer.commit({source: Position(2)})
        clock = Meanwhile(
            member.consumer.commit({source: Position(8)}),
            publish(kafka_settings, *records(source, 3)),
        )
        code, lag = await report(kafka_settings, capsys, clock, group)
    (part,) = [p for p in lag["partitions"] if p["committed"] is not None]
    assert code == 0
    assert (lag["group"], lag["members"], lag["abandoned"]) == (group, 1, False)
    assert (part["topic"], part["partition"]) == source
    assert (part["committed"], part["position"], part["log_end"]) == (8, 8, 13)
    assert part["records_behind"] == lag["records_behind"] == 5
    assert 0 <= part["seconds_behind"] <= time.monotonic() - before_s + 1  # whole milliseconds
    assert part["done_per_s"] == pytest.approx(2 * part["new_per_s"], rel=0.3)
    assert part["caught_up_in_s"] > 0


async def test_a_group_that_is_behind_and_has_no_member_is_a_failure(
    kafka_settings: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    group, source = await prepared(kafka_settings)
    code, lag = await report(kafka_settings, capsys, SystemClock(), group)
    assert (code, lag["abandoned"], lag["caught_up_in_s"]) == (1, True, None)
    assert lag["records_behind"] == 10

    await run(kafka_settings, groups=(), interval_s=0.1, as_json=False, clock=SystemClock())
    output = capsys.readouterr().out
    assert f"{group}  NO MEMBER  behind by 10" in output
    assert f"  {source.topic}/0  at 0 of 10  behind by 10" in output
    assert "does not catch up" in output
    assert f"{kafka_settings.topic_prefix}.enrichment  NO MEMBER  nothing to do" in output


async def test_a_group_without_members_that_has_done_everything_is_none(
    kafka_settings: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    group, source = await prepared(kafka_settings)
    member = Member(kafka_settings, [source.topic], group="postgres")
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 10, member)
        await member.consumer.commit({source: Position(10)})
    code, lag = await report(kafka_settings, capsys, SystemClock(), group)
    assert (code, lag["members"], lag["records_behind"]) == (0, 0, 0)
    assert lag["seconds_behind"] is None


async def test_a_group_of_somebody_else_is_refused_with_the_names_of_ours(
    kafka_settings: KafkaSettings,
) -> None:
    with pytest.raises(ConfigurationError, match=r"theirs is not a group; .*\.enrichment-retry"):
        await run(
            kafka_settings, groups=["theirs"], interval_s=0, as_json=False, clock=SystemClock()
        )


async def test_the_group_of_a_poller_has_members_and_no_lag(kafka_settings: KafkaSettings) -> None:
    topic = await create(kafka_settings, "watermarks", partitions=1)
    member = Member(kafka_settings, [topic], group="walker")
    group = f"{kafka_settings.topic_prefix}.walker"
    async with member.consumer:
        await poll_until(lambda: bool(member.owned), member)
        (lag,) = await measure(kafka_settings, {group: ()}, interval_s=0, clock=SystemClock())
    assert (lag.member_count, lag.lags, lag.total.behind, lag.abandoned) == (1, {}, 0, False)


async def test_the_age_is_that_of_the_first_record_not_done_however_large_others_are(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "aged", partitions=3)
    first, second, empty = (TopicPartition(topic, number) for number in range(3))
    await publish(
        kafka_settings, *(Record(topic, b"k", b"x" * 900_000, partition=p) for p in (0, 1))
    )
    await asyncio.sleep(0.05)
    await publish(kafka_settings, Record(topic, b"k", b"later", partition=0))
    made = await timestamps_at(kafka_settings, {first: 0, second: 0, empty: 0})
    later = await timestamps_at(kafka_settings, {first: 1})
    assert made.keys() == {first, second}
    assert later[first] >= made[first] + 50
