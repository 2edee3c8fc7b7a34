"""What must not lose an event: a kill -9 under load, and a change of the secret under load."""

import json
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runtime.settings import KafkaSettings
from tests.support.ingest_load import answers, kept, load, until_sent
from tests.support.ingest_processes import Pod, engagements, make_topics, pod, until

kills = 5


@pytest.mark.parametrize("workers", [1, 2])
async def test_every_204_is_in_the_topic_however_often_ingest_is_killed(
    kafka_settings: KafkaSettings, workers: int
) -> None:
    await make_topics(kafka_settings)
    async with AsyncExitStack() as started:

        async def start(port: int = 0) -> Pod:
            settings = {"port": str(port), "workers": str(workers)}
            instance = await started.enter_async_context(pod(kafka_settings, **settings))
            await instance.until_ready(workers)
            return instance

        instance = await start()
        async with load([instance.port]) as sending:
            for _ in range(kills):
                await until_sent(sending, 150)
                instance.parent.kill()
                await instance.parent.wait()
                instance = await start(instance.port)
            await until_sent(sending, 150)
    assert set(Counter(answers(sending).values())) <= {204, 503}
    assert len(kept(sending)) > kills * 150
    assert kept(sending) <= set(await engagements(kafka_settings))


async def test_a_secret_changed_under_load_refuses_nothing(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    """The old secret alone, both, both while Zoom signs with the new one, the new one alone."""
    await make_topics(kafka_settings)
    apps = tmp_path / "apps.json"
    secret = "the-older-secret"

    def write(*secrets: str) -> None:
        following = tmp_path / "apps.new"
        following.write_text(json.dumps({"default": secrets}))
        following.replace(apps)

    def taken(instance: Pod) -> int:
        return len(instance.logged("apps read"))

    write("the-older-secret")
    async with pod(kafka_settings, apps_file=str(apps)) as instance:
        await instance.until_ready()
        async with load([instance.port], lambda: secret) as sending:
            await until_sent(sending, 200)
            before = taken(instance)
            write("the-newer-secret", "the-older-secret")
            await until(lambda: taken(instance) > before, instance)
            await until_sent(sending, 200)
            secret = "the-newer-secret"
            await until_sent(sending, 200)
            write("the-newer-secret")
            await until(lambda: taken(instance) > before + 1, instance)
            await until_sent(sending, 200)
        by_secret = [
            await instance.server.metric("zcc_ingest_verified_total", app="default", secret=place)
            for place in ("0", "1")
        ]
    # On a loaded machine a broker acknowledges too late at times: Zoom sends again what gets 503.
    assert set(answers(sending).values()) <= {204, 503}
    assert min(by_secret) > 0
    assert kept(sending)
    assert kept(sending) <= set(await engagements(kafka_settings))
