"""`zcc ingest` as it runs in production: processes of its own, settings in their environment."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.topics import quarantine_topic, raw_topic, raw_topics, topic_specs
from tests.support.ingest_server import Response, Server, read_response
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S

zcc_ingest = ("-m", "operations", "ingest")


class Pod:
    """A started parent. ``log`` has what it and its processes have told until now."""

    def __init__(self, parent: asyncio.subprocess.Process) -> None:
        self.parent = parent
        self.log: list[dict[str, Any]] = []
        self.port = 0
        self.health_port = 0
        self._seen: set[int] = set()
        self._folders: set[str] = set()

    @property
    def server(self) -> Server:
        return Server(self.port, self.health_port)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry.get("event") == event]

    def children(self) -> list[int]:
        children = children_of(self.parent.pid)
        self._folders.update(
            *(metrics_folders(child) for child in children if child not in self._seen)
        )
        self._seen.update(children)
        return children

    async def ask(self, path: str) -> tuple[int, Response]:
        """GET on a connection of its own; return who has answered, and what."""
        async with self.server.connection() as (reader, writer):
            writer.write(f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode())
            answer = await read_response(reader)
            (owner,) = owners(self.port, self.everybody(), of=writer.get_extra_info("sockname")[1])
        return owner, answer

    async def until_ready(self, processes: int = 1) -> None:
        """Wait until so many processes listen and a webhook sent now is likely to be kept."""
        await until(lambda: len(listening(self.port, self.everybody())) >= processes, self)
        async with asyncio.timeout(HANG_GUARD_S):
            while (await self.server.get("/readyz")).status != 200:
                await asyncio.sleep(0.02)

    def everybody(self) -> list[int]:
        return [self.parent.pid, *self.children()]

    @property
    def has_ended(self) -> bool:
        """Whether the parent is gone, and every process that it had."""
        return self.parent.returncode is not None and not any(map(is_running, self._seen))

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.parent.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(HANG_GUARD_S):
            return await self.parent.wait()

    async def kill(self) -> None:
        """End whoever is left, and those who know nothing of their parent."""
        self.children()
        if self.parent.returncode is None:
            self.parent.kill()
        for orphan in filter(is_running, self._seen):
            os.kill(orphan, signal.SIGKILL)
        await self.parent.wait()  # ends with the last who could still tell something
        for folder in self._folders:  # a parent that was killed leaves it there
            shutil.rmtree(folder, ignore_errors=True)

    async def read_log(self) -> None:
        """Take in what is told, until all who could tell something have ended."""
        assert self.parent.stderr is not None
        async for line in self.parent.stderr:
            entry = json.loads(line) if line.startswith(b"{") else {"event": line.decode()}
            self.log.append(entry)
            if entry["event"] in {"starting", "listening"} and not self.port:
                self.port = entry["port"]
            if entry["event"] == "health listening":
                self.health_port = entry["port"]


@asynccontextmanager
async def pod(
    kafka: KafkaSettings, arguments: Sequence[str] = zcc_ingest, **settings: str
) -> AsyncIterator[Pod]:
    """Run Python with these arguments, by default one process of ingest on a free port."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment(kafka, **settings),
        stderr=asyncio.subprocess.PIPE,
    )
    started = Pod(parent)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(started.read_log())
        try:
            await until(lambda: bool(started.port) or parent.returncode is not None, started)
            yield started
        finally:
            await started.kill()


def environment(kafka: KafkaSettings, **settings: str) -> Mapping[str, str]:
    """Return this process's environment with what ingest needs.

    ``settings`` are ingest's without their prefix, and the spill's with ``spill_``.
    """
    apps = (
        {} if "apps_file" in settings else {"ZCC_INGEST_APPS": '{"default": ["the-newest-secret"]}'}
    )
    return {
        **os.environ,
        "ZCC_INGEST_HOST": "127.0.0.1",
        "ZCC_INGEST_PORT": "0",
        "ZCC_INGEST_HEALTH_HOST": "127.0.0.1",
        "ZCC_INGEST_HEALTH_PORT": "0",
        **apps,
        "ZCC_INGEST_PSEUDONYM_KEY": "0123456789abcdef",
        "ZCC_INGEST_UNREADY_S": "0.3",
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        **{_variable(name): value for name, value in settings.items()},
    }


def _variable(name: str) -> str:
    prefix = "ZCC_" if name.startswith("spill_") else "ZCC_INGEST_"
    return f"{prefix}{name}".upper()


async def until(true: Callable[[], bool], pod: Pod, timeout_s: float = HANG_GUARD_S) -> None:
    """Wait for a condition; a pod that has ended meanwhile is shown with its log."""
    try:
        async with asyncio.timeout(timeout_s):
            while not true():
                has_ended = pod.has_ended  # what was true before it ended may be true only now
                if has_ended and not true():
                    raise TimeoutError  # noqa: TRY301 - nothing will change any more
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"it never came true; exit code {pod.parent.returncode}, log {pod.log}")


async def make_topics(kafka: KafkaSettings) -> None:
    """Make the topics that ingest writes to, and have them work before they are needed."""
    prefix = kafka.topic_prefix
    names = {*raw_topics(prefix=prefix), quarantine_topic(prefix=prefix)}
    specs = [spec for spec in topic_specs(kafka.topic_plan, {}) if spec.name in names]
    async with TopicAdmin(kafka) as admin:
        await admin.apply(specs)


async def engagements(kafka: KafkaSettings) -> list[bytes]:
    """Return the bodies in the topic of engagements."""
    topics = (raw_topic("engagement", prefix=kafka.topic_prefix),)
    return [delivery.value or b"" for delivery in await records_of(kafka, topics)]


def children_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def metrics_folders(pid: int) -> set[str]:
    """Return where a process shares its metrics, if it does."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    except OSError:  # ended meanwhile
        return set()
    name = "PROMETHEUS_MULTIPROC_DIR="
    return {each.removeprefix(name) for each in variables if each.startswith(name)}


def is_running(pid: int) -> bool:
    """Whether there is such a process and it has not ended, however dead its parent is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listening(port: int, pids: Sequence[int]) -> list[int]:
    """Return those of these processes that listen on the port."""
    return _owners({row[9] for row in _sockets(port) if row[3] == "0A"}, pids)


def owners(port: int, pids: Sequence[int], *, of: int) -> list[int]:
    """Return those that have accepted the connection which comes from the port ``of``."""
    return _owners({row[9] for row in _sockets(port) if row[2].endswith(f":{of:04X}")}, pids)


def _sockets(port: int) -> list[list[str]]:
    """Source: Linux, proc_pid_net(5): addresses in columns 1 and 2, state in 3, inode in 9."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if row[1].endswith(f":{port:04X}")]


def _owners(inodes: set[str], pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if inodes & _inodes(pid)]


def _inodes(pid: int) -> set[str]:
    inodes = set()
    for descriptor in _descriptors(pid):
        try:
            target = str(descriptor.readlink())
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:"):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # ended meanwhile
        return []
