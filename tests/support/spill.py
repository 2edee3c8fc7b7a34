"""A spill under test, in a folder, with a broker in memory and a store that fails on request."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from ingest.spill.segment import records_of, segment_of
from ingest.spill.service import running_spill
from ingest.spill.settings import SpillSettings
from ingest.spill.spill import Spill
from ingest.spill.store import SegmentStore, SegmentStores, open_stores
from runtime.clock import SystemClock
from runtime.contracts import Publisher
from runtime.errors import RejectedError, TransientError
from runtime.process.metrics_exposition import exposition, total
from runtime.values import Record
from schemas.reasons import DeadLetterReason
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S


class HurriedClock(SystemClock):
    """Its pauses are fifty times as short; ``later`` moves its wall clock on."""

    def __init__(self) -> None:
        self.later = timedelta()

    def now(self) -> datetime:
        return super().now() + self.later

    def monotonic_s(self) -> float:
        return super().monotonic_s() * 50

    async def sleep(self, delay_s: float) -> None:
        await super().sleep(delay_s / 50)


class Broker:
    """`Publisher` in memory. ``fails`` says what becomes of a record, before it is kept."""

    def __init__(self, *, ready: bool = True) -> None:
        self.ready = ready
        self.records: list[Record] = []
        self.fails: Callable[[Record], Exception | None] = lambda _: None

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    async def publish(self, record: Record) -> None:
        await asyncio.sleep(0)
        if not self.ready:
            raise TransientError("not acknowledged")
        if error := self.fails(record):
            raise error
        self.records.append(record)


class WatchedDisk:
    """The real one; ``before`` is told of each call in its thread and may hold it up or raise."""

    def __init__(
        self, before: Callable[[str], None] = lambda _: None, *, chunk: int = 2**30
    ) -> None:
        self._before = before
        self._chunk = chunk
        self._names: dict[int, str] = {}

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        self._before(f"open {path.name}")
        descriptor = os.open(path, flags, mode)
        self._names[descriptor] = path.name
        return descriptor

    def write(self, fd: int, data: memoryview, /) -> int:
        self._before(f"write {self._names[fd]}")
        return os.write(fd, data[: self._chunk])

    def fsync(self, fd: int) -> None:
        self._before(f"fsync {self._names[fd]}")
        os.fsync(fd)

    def close(self, fd: int) -> None:
        os.close(fd)

    def rename(self, src: Path, dst: Path) -> None:
        self._before(f"rename {src.name} {dst.name}")
        src.rename(dst)


class FailingStore:
    """A store whose calls wait for ``open`` and then raise ``error``, if there is one."""

    def __init__(self, store: SegmentStore) -> None:
        self._store = store
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.puts = 0
        self.listings = 0

    async def put(self, name: str, content: bytes) -> None:
        self.puts += 1
        await self._wait_or_fail()
        await self._store.put(name, content)

    async def get(self, name: str) -> bytes | None:
        return await self._store.get(name)

    async def delete(self, name: str) -> None:
        await self._wait_or_fail()
        await self._store.delete(name)

    async def sizes(self) -> dict[str, int]:
        self.listings += 1
        return await self._store.sizes()

    async def _wait_or_fail(self) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error


class Outcomes:
    """How the records that were handed to a spill were settled, by their value."""

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self.settled: list[tuple[bytes | None, Exception | None]] = []

    def store(self, *records: Record) -> None:
        for record in records:
            self._spill.store(
                record, lambda error, value=record.value: self.settled.append((value, error))
            )

    async def all_settled(self, count: int) -> list[Exception | None]:
        await until(lambda: len(self.settled) >= count)
        assert len(self.settled) == count
        return [error for _, error in self.settled]


def record(value: str, *, key: bytes | None = b"k", topic: str = "one") -> Record:
    return Record(topic, key, value.encode(), (("zcc-received-at", b"2026-01-01T00:00:00.000Z"),))


def too_large() -> RejectedError:
    return RejectedError(DeadLetterReason.TOO_LARGE, "one takes no record of 9 bytes")


def settings_of(folder: Path, **changes: object) -> SpillSettings:
    """Settings whose deadline no loaded machine reaches, unless the test gives one."""
    values = {"url": f"file://{folder}", **changes}
    settings = SpillSettings(**values)  # type: ignore[arg-type]  # pydantic parses them
    if "deadline_s" in changes:
        return settings
    return settings.model_copy(update={"deadline_s": HANG_GUARD_S})


@asynccontextmanager
async def running(
    folder: Path,
    broker: Publisher,
    *,
    waiting: Callable[[SegmentStore], SegmentStore] = lambda store: store,
    instance: str = "pod-0",
    clock: HurriedClock | None = None,
    **changes: object,
) -> AsyncIterator[Spill]:
    settings = settings_of(folder, **changes)
    stores = open_stores(settings, successor_of=instance)
    async with running_spill(
        settings,
        SegmentStores(waiting(stores.waiting), stores.refused),
        instance=instance,
        publisher=broker,
        clock=clock or HurriedClock(),
    ) as spill:
        yield spill


async def put_segment(
    folder: Path, records: Sequence[Record], *, instance: str = "pod-0", at: datetime
) -> str:
    """Put a segment there as a process of this name did at this time; return its name."""
    segment = segment_of(records, at_ms=int(at.timestamp() * 1000), instance=instance)
    await open_stores(settings_of(folder), successor_of=instance).waiting.put(
        str(segment.name), segment.content
    )
    return str(segment.name)


def segments(folder: Path, place: str = "waiting") -> list[Path]:
    return sorted((folder / place).iterdir())


def contents(path: Path) -> list[Record]:
    return records_of(path.read_bytes())


def figure(sample: str) -> float:
    return total(exposition(), sample)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running_with_failing_store(
    folder: Path, broker: Broker, **changes: object
) -> AsyncIterator[tuple[Spill, FailingStore]]:
    """A spill whose store can be made to fail."""
    made: list[FailingStore] = []

    def wrap(store: SegmentStore) -> SegmentStore:
        made.append(FailingStore(store))
        return made[0]

    async with running(folder, broker, waiting=wrap, **changes) as spill:  # type: ignore[arg-type]  # settings
        yield spill, made[0]
