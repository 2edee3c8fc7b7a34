"""The consumers of docs/how-to/consume.md, run as they stand there, against real topics."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devstack.jars import class_path, local_repository, locked_jars
from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from processors.entities.member import enrichment, with_member_appended
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.catalogue import events
from schemas.topics import enriched_topic, topic_specs
from simulator.company import make_company
from simulator.stories import event_stream
from tests.support.kafka_records import publish_once
from tests.support.node_packages import node_packages
from tests.support.patience import HANG_GUARD_S

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "consume.md").read_text()
DEADLINE_S = HANG_GUARD_S
STORIES = 120


def program(language: str, kafka: KafkaSettings) -> str:
    """The only block of that language on the page, with the addresses of the test in it."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    changes = {
        "127.0.0.1:9092": kafka.bootstrap_servers,
        "zcc.enriched": f"{kafka.topic_prefix}.enriched",
        "my-team.engagements": f"{kafka.topic_prefix}.{language}",
    }
    for written, real in changes.items():
        assert written in code
        code = code.replace(written, real)
    return code


def records_and_lines(topic: str) -> list[tuple[Record, str]]:
    """Enriched events of the engagement family of a simulated company, and the line of each."""
    start = datetime(2025, 3, 1, tzinfo=UTC)
    pairs = []
    for story in event_stream(make_company(1), seed=1, start=start, count=STORIES):
        if events[story.event].family == "engagement":
            decision = decide(
                SignedRequest("app", story.body, b"s", 1), RoutingSettings("p", b"0123456789abcdef")
            )
            assert isinstance(decision, RoutedEvent)
            member = enrichment({}, revision=1, enriched_at="2026-01-01T00:00:00.000Z")
            value = with_member_appended(story.body, member)
            record = Record(topic, decision.record.key, value, decision.record.headers)
            engagement_id = dict(record.headers)["ce_subject"].decode().partition("/")[2]
            pairs.append((record, f"{story.event} {engagement_id} complete"))
    return pairs


async def publish(kafka: KafkaSettings, records: Sequence[Record]) -> None:
    topic = enriched_topic("engagement", prefix=kafka.topic_prefix)
    specs = [spec for spec in topic_specs(kafka.topic_plan, {}) if spec.name == topic]
    async with TopicAdmin(kafka) as admin:
        await admin.apply(specs)
    async with (
        asyncio.timeout(DEADLINE_S),
        KafkaPublisher(kafka, client_id="t", clock=SystemClock()) as publisher,
    ):
        while not publisher.ready:
            await asyncio.sleep(0.01)
        for record in records:
            await publish_once(publisher, record)


async def printed(command: Sequence[str], folder: Path, count: int) -> list[str]:
    """The first lines that a program prints; it is ended then, since it would go on for ever."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            return [(await process.stdout.readline()).decode().rstrip() for _ in range(count)]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def prepared(language: str, kafka: KafkaSettings, folder: Path) -> tuple[Sequence[str], Path]:
    """The command that runs the program of the page, and the folder to run it in."""
    code = program(language, kafka)
    match language:
        case "python":
            (folder / "engagements.py").write_text(code)
            return (sys.executable, "-u", "engagements.py"), folder
        case "java":
            (folder / "Engagements.java").write_text(code)
            return (java(), "-cp", kafka_jars(), "Engagements.java"), folder
        case _:
            # Packages are found from the program's own folder.
            packages = node_packages()
            (folder / "node_modules").symlink_to(packages / "node_modules")
            (folder / "engagements.mjs").write_text(code)
            return ("node", "engagements.mjs"), folder


def java() -> str:
    executable = shutil.which("java")
    if executable is None:
        pytest.skip("Java is not on this machine")
    modules = subprocess.run(
        [executable, "--list-modules"], check=True, capture_output=True, text=True
    )
    if "jdk.compiler@" not in modules.stdout:
        pytest.skip("the Java of this machine has no compiler")
    return executable


def kafka_jars() -> str:
    wanted = {"kafka-clients", "lz4-java", "slf4j-api"}
    jars = [
        jar
        for jar in locked_jars("kafka")
        if jar.artifact in wanted or jar.artifact.startswith("jackson-")
    ]
    return class_path(jars, local_repository())


@pytest.mark.parametrize("language", ["python", "java", "javascript"])
async def test_the_consumer_of_the_page_prints_each_event_once_and_in_order_per_engagement(
    language: str, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    command, folder = prepared(language, kafka_settings, tmp_path)
    topic = enriched_topic("engagement", prefix=kafka_settings.topic_prefix)
    stories = records_and_lines(topic)
    repeated = [record for record, _ in stories for _ in range(2)]
    await publish(kafka_settings, repeated)

    lines = await printed(command, folder, len(stories))

    expected = [line for _, line in stories]
    assert sorted(lines) == sorted(expected)
    for engagement in {line.split()[1] for line in expected}:
        mine = [line for line in expected if engagement in line]
        assert [line for line in lines if engagement in line] == mine
