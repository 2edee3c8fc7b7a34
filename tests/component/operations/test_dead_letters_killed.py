"""A killed replay goes on when it is started again: none is lost, at most one is repeated."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections import Counter

from runtime.kafka.cluster import Cluster
from runtime.settings import KafkaSettings
from schemas.headers import text
from tests.support.dead_letters import Desk, letter, root
from tests.support.patience import HANG_GUARD_S

COUNT = 500


async def test_a_replay_killed_in_the_middle_goes_on_with_what_is_open(
    kafka_settings: KafkaSettings,
) -> None:
    desk = Desk(kafka_settings)
    await desk.make_topics()
    await desk.produce([letter(desk, number) for number in range(COUNT)])

    killed = await create_subprocess_exec(
        *desk.command("replay", "--yes", "--by", "ann"),
        cwd=root,
        env=desk.environment,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    async with Cluster(desk.kafka, client_id="test") as cluster, asyncio.timeout(HANG_GUARD_S):
        partitions = await cluster.partitions([desk.raw])
        while sum((await cluster.log_ends(partitions)).values()) < COUNT // 5:
            await asyncio.sleep(0.01)
    killed.kill()
    await killed.wait()
    before = Counter(text(each.headers, "ce_id") for each in await desk.read(desk.raw))
    assert COUNT // 5 <= len(before) < COUNT, "killed too late: make the command slower"

    outcomes = await desk.objects("replay", "--yes", "--by", "ann")
    sent = Counter(text(each.headers, "ce_id") for each in await desk.read(desk.raw))
    assert set(sent) == {f"event-{number}" for number in range(COUNT)}
    assert sent.total() - COUNT in {0, 1}
    assert len(outcomes) == sent.total() - before.total()
    lines = [json.loads(each.value or b"") for each in await desk.read(desk.audit)]
    assert len(lines) == len({line["letter"] for line in lines}) == COUNT
    assert (await desk.zcc("list")).returncode == 1
