"""A rolling restart under load: each request is answered, and each 204 means a stored event."""

from collections import Counter
from contextlib import AsyncExitStack

import pytest

from runtime.settings import KafkaSettings
from tests.support.ingest_load import answers, kept, load, until_sent
from tests.support.ingest_processes import Pod, engagements, make_topics, pod


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
async def test_two_instances_restarted_one_after_the_other_answer_every_request(
    kafka_settings: KafkaSettings, workers: int
) -> None:
    await make_topics(kafka_settings)
    async with AsyncExitStack() as started:

        async def start(port: int = 0) -> Pod:
            settings = {"port": str(port), "workers": str(workers)}
            instance = await started.enter_async_context(pod(kafka_settings, **settings))
            await instance.until_ready(workers)
            return instance

        instances = [await start(), await start()]
        ports = [instance.port for instance in instances]
        async with load(ports) as sending:
            await until_sent(sending, 200)
            for instance in instances:
                assert await instance.stop() == 0
                await until_sent(sending, 200)
                await start(instance.port)
                await until_sent(sending, 200)
    statuses = Counter(answers(sending).values())
    assert set(statuses) <= {204, 503}
    assert statuses[204] > 1000
    assert kept(sending) <= set(await engagements(kafka_settings))
