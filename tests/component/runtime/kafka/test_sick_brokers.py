"""Brokers that do not lead a partition for minutes, or damage what they send, through a proxy."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from runtime.errors import TransientError
from runtime.settings import KafkaSettings
from runtime.values import Record
from tests.support.kafka_members import HurriedClock, Member, create, poll_until, publish
from tests.support.kafka_proxy import Proxy, proxy_before


@pytest.fixture
async def proxy(kafka_settings: KafkaSettings) -> AsyncIterator[Proxy]:
    async with proxy_before(kafka_settings.bootstrap_servers) as proxy:
        yield proxy


@pytest.fixture
async def topics(kafka_settings: KafkaSettings) -> list[str]:
    return [await create(kafka_settings, name, partitions=1) for name in ("sick", "well")]


def through(proxy: Proxy, kafka: KafkaSettings) -> KafkaSettings:
    return kafka.model_copy(update={"bootstrap_servers": proxy.address})


async def test_other_partitions_go_on_and_the_leaderless_one_is_read_once_it_is_led_again(
    kafka_settings: KafkaSettings, proxy: Proxy, topics: list[str]
) -> None:
    sick, well = topics
    member = Member(through(proxy, kafka_settings), topics, clock=HurriedClock())
    async with member.consumer:
        await poll_until(lambda: member.owned, member)
        proxy.deposed.add(sick)
        await publish(kafka_settings, Record(sick, b"k", b"waits"), Record(well, b"k", b"goes on"))
        await poll_until(lambda: b"goes on" in member.values, member)
        await poll_until(lambda: proxy.refusals > 10, member)
        assert member.values == [b"goes on"]
        proxy.deposed.clear()
        await poll_until(lambda: b"waits" in member.values, member)
    assert len(member.assignments) == 1


async def test_a_member_all_of_whose_partitions_are_leaderless_rejoins(
    kafka_settings: KafkaSettings, proxy: Proxy, topics: list[str]
) -> None:
    sick, _ = topics
    member = Member(through(proxy, kafka_settings), [sick], clock=HurriedClock())
    async with member.consumer:
        await poll_until(lambda: member.owned, member)
        proxy.deposed.add(sick)
        with pytest.raises(TransientError, match="heard nothing"):
            await poll_until(lambda: False, member)


async def test_who_is_given_a_leaderless_partition_waits_for_it_and_does_not_disturb_the_others(
    kafka_settings: KafkaSettings, proxy: Proxy
) -> None:
    topic = await create(kafka_settings, "two", partitions=2)
    before, behind = (
        Member(kafka, [topic]) for kafka in (kafka_settings, through(proxy, kafka_settings))
    )
    async with before.consumer:
        await poll_until(lambda: before.owned, before)
        proxy.deposed.add(topic)
        async with behind.consumer:
            await poll_until(lambda: len(before.owned) == 1, before, behind)
            assignments = len(before.assignments)
            with capture_logs() as logs:
                await poll_until(lambda: "assignment waits" in {e["event"] for e in logs}, behind)
            await before.poll()
            assert len(before.assignments) == assignments
            proxy.deposed.clear()
            await poll_until(lambda: behind.owned, before, behind)


async def test_what_was_damaged_is_not_handed_out_and_is_read_again_after_rejoining(
    kafka_settings: KafkaSettings, proxy: Proxy, topics: list[str]
) -> None:
    _, well = topics
    await publish(kafka_settings, Record(well, b"k", b"whole"))
    proxy.damaged.add(well)
    member, again = (Member(through(proxy, kafka_settings), [well]) for _ in range(2))
    async with member.consumer:
        with pytest.raises(TransientError, match="CRC"):
            await poll_until(lambda: member.read, member)
    proxy.damaged.clear()
    async with again.consumer:
        await poll_until(lambda: again.values == [b"whole"], again)
    assert member.read == []
