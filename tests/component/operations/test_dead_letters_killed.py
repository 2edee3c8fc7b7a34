"""A killed replay goes on when it is started again: none is lost, at most one is repeated."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections import Counter

from runtime.kafka.cluster import Cluster
from runtime.settings import KafkaSettings
from schemas.headers import text
from tests.support.dead_letters import Deployment, letter, root
from tests.support.patience import HANG_GUARD_S

COUNT = 500


async def test_a_replay_killed_in_the_middle_goes_on_with_what_is_open(
    kafka_settings: KafkaSettings,
) -> None:
    deployment = Deployment(kafka_settings)
    await deployment.make_topics()
    await deployment.produce([letter(deployment, number) for number in range(COUNT)])

    killed = await create_subprocess_exec(
        *deployment.command("replay", "--yes", "--by", "ann"),
        cwd=root,
        env=deployment.environment,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    async with (
        Cluster(deployment.kafka, client_id="test") as cluster,
        asyncio.timeout(HANG_GUARD_S),
    ):
        partitions = await cluster.partitions([deployment.raw])
        while sum((await cluster.log_ends(partitions)).values()) < COUNT // 5:
            await asyncio.sleep(0.01)
    killed.kill()
    await killed.wait()
    before = Counter(text(each.headers, "ce_id") for each in await deployment.read(deployment.raw))
    assert COUNT // 5 <= len(before) < COUNT, "killed too late: make the command slower"

    outcomes = await deployment.objects("replay", "--yes", "--by", "ann")
    sent = Counter(text(each.headers, "ce_id") for each in await deployment.read(deployment.raw))
    assert set(sent) == {f"event-{number}" for number in range(COUNT)}
    assert sent.total() - COUNT in {0, 1}
    assert len(outcomes) == sent.total() - before.total()
    lines = [json.loads(each.value or b"") for each in await deployment.read(deployment.audit)]
    assert len(lines) == len({line["letter"] for line in lines}) == COUNT
    assert (await deployment.zcc("list")).returncode == 1
