"""The programs of docs/how-to/add-a-processor.md, run as they stand there."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import dead_letter_topic, enriched_topic
from tests.support.kafka_members import create, publish
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "add-a-processor.md").read_text()
EXAMPLES = ROOT / "schemas" / "examples"
DEADLINE_S = HANG_GUARD_S


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs of the page."""
    component, answers, test = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "component.py").write_text(component)
    (tmp_path / "answers.py").write_text(answers)
    (tmp_path / "test_answers.py").write_text(test)
    return tmp_path


@asynccontextmanager
async def python(
    *arguments: str, folder: Path, variables: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run until the end of the block, where it is killed if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", **variables},
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read(kafka: KafkaSettings, topic: str) -> list[Delivery]:
    return await records_of(kafka, [topic])


async def test_the_processor_of_the_page_publishes_who_has_answered(
    kafka_settings: KafkaSettings, folder: Path
) -> None:
    kafka, prefix = kafka_settings, kafka_settings.topic_prefix
    source = await create(kafka, "enriched.engagement", partitions=3)
    assert source == enriched_topic("engagement", prefix=prefix)
    target = await create(kafka, "answers", partitions=3)
    dead = await create(kafka, "dead-letter.answers", partitions=1)
    assert dead == dead_letter_topic("answers", prefix=prefix)
    answered = (EXAMPLES / "enriched" / "complete.json").read_bytes()
    started = (EXAMPLES / "engagement" / "engagement_started.json").read_bytes()
    bodies = {b"1": started, b"2": answered, b"3": b"no event", b"4": answered}
    await publish(
        kafka, *(Record(source, b"key", body, (("ce_id", each),)) for each, body in bodies.items())
    )

    variables = {
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": prefix,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_HEALTH_PORT": "0",
    }
    async with python("answers.py", folder=folder, variables=variables) as process:
        while len(answers := await read(kafka, target)) < 2:
            assert process.returncode is None, "the processor of the page ended"
            await asyncio.sleep(0.1)
        process.terminate()
        assert await process.wait() == 0

    assert [each.key for each in answers] == [b"key", b"key"]
    assert {dict(each.headers)["ce_id"] for each in answers} == {b"2", b"4"}
    answer = orjson.loads(answers[0].value or b"")
    assert answer == {
        "engagement_id": "example-engagement-1",
        "answered_at": "2026-01-15T09:30:00.123000+00:00",
        "users": ["Alex Example 1"],
    }
    assert [each.value for each in await read(kafka, dead)] == [b"no event"]


async def test_the_test_of_the_page_passes_and_fails_with_another_processor(folder: Path) -> None:
    async def passed() -> bool:
        command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_answers.py")
        async with python(*command, folder=folder, variables={}) as process:
            return await process.wait() == 0

    assert await passed()
    program = folder / "answers.py"
    program.write_text(program.read_text().replace("delivery.key", "None"))
    assert not await passed()


async def test_the_description_of_the_page_is_that_of_its_program(folder: Path) -> None:
    program = (
        "from component import component\n"
        "assert component.command == ('processor', 'answers')\n"
        "assert component.reads(prefix='zcc') == ('zcc.enriched.engagement.v1',)\n"
        "assert component.writes(prefix='zcc') == ('zcc.answers.v1',)\n"
    )
    async with python("-c", program, folder=folder, variables={}) as process:
        assert await process.wait() == 0
