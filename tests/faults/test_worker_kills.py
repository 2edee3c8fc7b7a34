"""Kill -9 of workers at random points under load: nothing is lost, each key stays in order."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random

import orjson
import pytest

from runtime.clock import SystemClock
from runtime.contracts import Sender
from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import TopicSpec, dead_letter_topic
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.worker_process import name, worker_process

many_kills = int(os.environ.get("ZCC_TEST_KILLS", "50"))

keys, partitions = 60, 6
records_per_s = 400
slowest_s = 0.02
instance_ids = ("worker-0", "", "")
"""One comes back as itself, where it is quick enough; the others come back as strangers."""

in_flight_records, commit_records = 50, 100
settings = {
    "in_flight_records": in_flight_records,
    "commit_records": commit_records,
    "commit_interval_s": 0.5,
    "session_timeout_s": 1.5,
    "drain_timeout_s": 2,
}


class Load:
    """Numbers, one after the other, at a steady pace; ``sent`` of them are acknowledged."""

    def __init__(self, topic: str, sender: Sender) -> None:
        self.sent = 0
        self.failures: list[Exception] = []
        self._topic = topic
        self._sender = sender

    async def run(self, enough: asyncio.Event) -> None:
        """Send until there is enough, and all of it is acknowledged."""
        clock = SystemClock()
        begun_s, count = clock.monotonic_s(), 0
        while not enough.is_set():
            with suppress(TransientError):  # the same number is sent a little later
                while count < (clock.monotonic_s() - begun_s) * records_per_s:
                    record = Record(self._topic, b"%d" % (count % keys), b"%d" % count)
                    self._sender.send(record, self._settled)
                    count += 1
            await clock.sleep(0.02)
        async with asyncio.timeout(HANG_GUARD_S):
            while self.sent + len(self.failures) < count:
                await clock.sleep(0.02)

    async def until_sent(self, count: float) -> None:
        while self.sent < count:
            await asyncio.sleep(0.01)

    def _settled(self, error: Exception | None) -> None:
        if error is None:
            self.sent += 1
        else:
            self.failures.append(error)


class Workers:
    """Three processes of one group; who is killed is started again."""

    def __init__(self, kafka: KafkaSettings, folder: Path, processes: AsyncExitStack) -> None:
        self.source = f"{kafka.topic_prefix}.in.v1"
        self.target = f"{kafka.topic_prefix}.out.v1"
        self.dead = dead_letter_topic(name, prefix=kafka.topic_prefix)
        self._kafka = kafka
        self._folder = folder
        self._processes = processes
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._logs: list[Path] = []

    async def start(self, place: int) -> None:
        self._logs.append(self._folder / f"{len(self._logs)}-{place}.log")
        process = worker_process(
            self._kafka,
            self.source,
            self.target,
            slowest_s=slowest_s,
            log=self._logs[-1],
            instance_id=instance_ids[place],
            **settings,
        )
        self._running[place] = await self._processes.enter_async_context(process)

    async def kill(self, place: int) -> None:
        process = self._running.pop(place)
        assert process.returncode is None, "it has ended by itself"
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        """End all as an orchestrator does, once the last one started knows what that means."""
        async with asyncio.timeout(HANG_GUARD_S):
            while b'"started"' not in self._logs[-1].read_bytes():
                await asyncio.sleep(0.05)
        for process in self._running.values():
            process.terminate()
        ended = [await process.wait() for process in self._running.values()]
        assert ended == [0] * len(instance_ids)

    async def until_settled(self) -> None:
        async with asyncio.timeout(HANG_GUARD_S), TopicAdmin(self._kafka) as admin:
            group = f"{self._kafka.topic_prefix}.{name}"
            while any(lag.behind for lag in (await admin.lag(group, [self.source])).values()):
                await asyncio.sleep(0.1)

    def logged(self, event: str) -> int:
        """How often any life of any of them has logged it."""
        return sum(entry["event"] == event for entry in self._log())

    def _log(self) -> Iterator[dict[str, object]]:
        for log in self._logs:
            for line in log.read_bytes().splitlines():
                if line.endswith(b"}"):  # of those killed the last may be cut
                    yield orjson.loads(line)


async def killed(workers: Workers, load: Load, *, kills: int, mean_gap_s: float) -> None:
    """Kill one after the other, at points that follow from a seed, and start each again."""
    rng = Random(kills)
    point = 2 * records_per_s
    for _ in range(kills):
        gap = records_per_s * mean_gap_s * rng.uniform(0.4, 1.6)
        place = rng.randrange(len(instance_ids))
        await load.until_sent(point)
        await workers.kill(place)
        await load.until_sent(point + gap * rng.uniform(0, 0.5))
        await workers.start(place)
        point += int(gap)
    await load.until_sent(point)


async def lives(kafka: KafkaSettings, folder: Path, *, kills: int, mean_gap_s: float) -> None:
    async with AsyncExitStack() as parts:
        workers = Workers(kafka, folder, parts)
        async with TopicAdmin(kafka) as admin:
            topics = (workers.source, workers.target, workers.dead)
            await admin.apply([TopicSpec(topic, partitions, 1, "delete", -1) for topic in topics])
        publisher = KafkaPublisher(kafka, client_id="load", clock=SystemClock())
        load = Load(workers.source, await parts.enter_async_context(publisher))
        for place in range(len(instance_ids)):
            await workers.start(place)
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run(enough))
            await killed(workers, load, kills=kills, mean_gap_s=mean_gap_s)
            enough.set()
        assert load.failures == []
        await workers.until_settled()
        await workers.stop()
    produced = await records_of(kafka, [workers.target])
    lost = set(range(load.sent)) - {number_of(delivery) for delivery in produced}
    assert lost == set()
    assert out_of_order(produced) == {}
    assert await records_of(kafka, [workers.dead]) == []
    repeats, revocations = len(produced) - load.sent, workers.logged("revoked")
    print(  # noqa: T201 - the figures of a long run
        f"{load.sent} records, {kills} kills, {workers.logged('assigned')} assignments, "
        f"{revocations} revocations, {repeats} repeats"
    )
    after_a_kill = commit_records + 2 * in_flight_records
    assert repeats <= kills * after_a_kill + revocations * in_flight_records


def number_of(delivery: Delivery) -> int:
    return int(delivery.value or b"")


def out_of_order(produced: Sequence[Delivery]) -> dict[bytes | None, list[int]]:
    """The numbers of each key as they came first, where they do not rise."""
    seen: dict[bytes | None, Counter[int]] = defaultdict(Counter)
    for delivery in produced:
        seen[delivery.key][number_of(delivery)] += 1
    firsts = {key: list(numbers) for key, numbers in seen.items()}
    return {key: numbers for key, numbers in firsts.items() if numbers != sorted(numbers)}


async def test_killed_workers_lose_nothing_and_keep_the_order_of_each_key(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    await lives(kafka_settings, tmp_path, kills=5, mean_gap_s=2.5)


@pytest.mark.long
@pytest.mark.timeout(600 + 8 * many_kills)
async def test_workers_killed_many_times_lose_nothing_and_keep_the_order_of_each_key(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    await lives(kafka_settings, tmp_path, kills=many_kills, mean_gap_s=5)
