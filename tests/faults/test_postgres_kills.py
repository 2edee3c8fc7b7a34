"""Sinks that are killed, frozen, rebalanced, robbed of their group and of their database.

What is stored then is what one sink stores that nobody disturbs, row by row, in every table.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

import devstack
from runtime.settings import KafkaSettings
from sinks.postgres.migrate import migrate
from tests.support.kafka_members import Member, poll_until
from tests.support.kafka_records import records_of
from tests.support.postgres import query
from tests.support.postgres_contents import contents, differences
from tests.support.postgres_load import Load, make_topics, publishing, records
from tests.support.postgres_sinks import Sinks, delete_group, patience_s

many_kills = int(os.environ.get("ZCC_TEST_KILLS", "50"))

places = range(3)
records_per_s = 300
rebalance_every_s = 3.0
session_timeout_s = 1.5
settings = {
    "worker_session_timeout_s": session_timeout_s,
    "worker_drain_timeout_s": 2,
    # A frozen writer holds its rows until the server ends its transaction; that bounds it.
    "postgres_statement_timeout_s": 3,
    "postgres_write_timeout_s": 4,
}


@pytest.fixture
def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    """Members share out numbers of partitions: more of them than there are members."""
    return kafka_settings.model_copy(update={"engagement_partitions": 6, "other_partitions": 4})


@pytest.fixture
async def database() -> AsyncIterator[devstack.Stack]:
    """A Postgres of its own, which may be killed."""
    options = devstack.DevstackOptions(directory=None, parts=frozenset({"postgres"}))
    async with devstack.running(options) as stack:
        yield stack


async def new_database(stack: devstack.Stack, name: str) -> str:
    await query(stack.postgres_dsn, f"create database {name}")
    dsn = urlsplit(stack.postgres_dsn)._replace(path=f"/{name}").geturl()
    await asyncio.to_thread(migrate, dsn)
    return dsn


class Faults:
    """What happens to the sinks, at points that follow from a seed."""

    def __init__(
        self, sinks: Sinks, load: Load, stack: devstack.Stack, *, mean_gap_s: float
    ) -> None:
        self.kills = self.in_a_transaction = self.zombies = self.rebalances = 0
        self._sinks = sinks
        self._load = load
        self._stack = stack
        self._chance = Random(7)
        self._mean_gap = mean_gap_s * records_per_s
        self._strangers = asyncio.Lock()

    async def happen(self, faults: Sequence["FaultAction"]) -> None:
        """All of them, in any order, some time apart."""
        await self._let_be_sent(records_per_s)
        for fault in self._chance.sample(faults, len(faults)):
            await fault(self)
            await self._let_be_sent(self._mean_gap * self._chance.uniform(0.4, 1.6))

    async def killed(self) -> None:
        """One is killed, and started again a little later."""
        place = self._chance.choice(self._sinks.places)
        await self._kill(place)
        await self._let_be_sent(self._mean_gap * self._chance.uniform(0, 0.3))
        await self._sinks.start(place)

    async def frozen(self) -> None:
        """One process freezes until others have its partitions, and continues as if it had them."""
        place = self._chance.choice(self._sinks.places)
        await self._sinks.freeze(place)
        await self._until_taken_over()
        await self._sinks.thaw(place)
        self.zombies += 1

    async def frozen_in_a_transaction(self) -> None:
        """The same, stopped in the middle of a write."""
        place = self._chance.choice(self._sinks.places)
        async with asyncio.timeout(patience_s):
            await self._sinks.freeze(place)
            while not await self._sinks.writes(place):
                await self._sinks.thaw(place)
                await asyncio.sleep(self._chance.uniform(0, 0.05))
                await self._sinks.freeze(place)
        await self._until_taken_over()
        await self._sinks.thaw(place)
        self.zombies += 1

    async def without_a_group(self) -> None:
        """All are killed, the group is deleted with its offsets, and all start again."""
        async with self._strangers:
            for place in places:
                await self._kill(place)
            await delete_group(self._sinks.kafka, self._sinks.group)
            await self._sinks.start(*places)

    async def database_restarted(self) -> None:
        await self._stack.stop("postgres")
        await self._stack.start("postgres")

    async def database_killed(self) -> None:
        await self._stack.kill("postgres")
        await self._stack.start("postgres")

    async def rebalance(self, enough: asyncio.Event) -> None:
        """A stranger joins the group, takes some partitions, and leaves; again and again."""
        while not enough.is_set():
            async with self._strangers:
                stranger = Member(self._sinks.kafka, self._sinks.topics, group="postgres")
                async with stranger.consumer:
                    await poll_until(partial(getattr, stranger, "assignments"), stranger)
            self.rebalances += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), rebalance_every_s)

    async def _kill(self, place: int) -> None:
        """Kill -9; the process is frozen for a moment first, which shows where it was."""
        await self._sinks.freeze(place)
        self.in_a_transaction += await self._sinks.writes(place)
        await self._sinks.kill(place)
        self.kills += 1

    async def _let_be_sent(self, count: float) -> None:
        """Wait while so many more records go to the topics."""
        await self._load.until_sent(self._load.sent + count)

    async def _until_taken_over(self) -> None:
        """Wait until each partition has a new owner, those of the frozen process too."""
        before = await self._sinks.epochs()
        async with asyncio.timeout(patience_s):
            while any(
                now <= before[source] for source, now in (await self._sinks.epochs()).items()
            ):
                await asyncio.sleep(0.05)


FaultAction = Callable[[Faults], Awaitable[None]]

once_each = [Faults.without_a_group, Faults.database_killed, Faults.frozen]


async def lives(
    kafka: KafkaSettings,
    stack: devstack.Stack,
    folder: Path,
    *,
    faults: Sequence[FaultAction],
    mean_gap_s: float,
) -> Faults:
    disturbed = await new_database(stack, "disturbed")
    await make_topics(kafka)
    enough = asyncio.Event()
    async with (
        publishing(kafka) as publisher,
        Sinks(kafka, disturbed, folder / "disturbed", **settings) as sinks,
    ):
        load = Load(records(kafka.topic_prefix, seed=7), publisher)
        happening = Faults(sinks, load, stack, mean_gap_s=mean_gap_s)
        await load.send(1000)
        await sinks.start(*places)
        async with asyncio.timeout(patience_s):
            while not await sinks.epochs():
                await asyncio.sleep(0.05)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run(enough, records_per_s=records_per_s))
            tasks.create_task(happening.rebalance(enough))
            await happening.happen(faults)
            enough.set()
        await sinks.until_stored()
        await sinks.stop()
    stored = await contents(disturbed)
    events = await query(disturbed, "select event_id from zcc.raw_event")
    assert {row["event_id"] for row in events} == load.event_ids
    assert len(events) == len(load.event_ids)
    assert await records_of(kafka, [sinks.dead]) == []
    undisturbed = await new_database(stack, "undisturbed")
    async with Sinks(kafka, undisturbed, folder / "undisturbed") as alone:
        await alone.start(0)
        await alone.until_stored()
        await alone.stop()
        assert await alone.offsets() == await sinks.offsets()
    expected = await contents(undisturbed)
    assert differences(stored, expected) == {}
    print(  # noqa: T201 - the figures of a long run
        f"{load.sent} records of {len(events)} events, {happening.kills} kills "
        f"({happening.in_a_transaction} in a transaction), {happening.zombies} zombies, "
        f"{2 * happening.rebalances} rebalances by strangers, {sinks.logged('another owner')} "
        f"fenced, {sinks.logged('assigned')} assignments; "
        f"{sum(rows.total() for rows in stored.values())} rows in "
        f"{sum(map(bool, stored.values()))} of {len(stored)} tables, all equal"
    )
    return happening


async def test_disturbed_sinks_store_what_an_undisturbed_one_does(
    kafka: KafkaSettings, database: devstack.Stack, tmp_path: Path
) -> None:
    faults = [Faults.killed, Faults.killed, *once_each]
    await lives(kafka, database, tmp_path, faults=faults, mean_gap_s=0.7)


@pytest.mark.long
@pytest.mark.timeout(600 + 12 * many_kills)
async def test_sinks_disturbed_many_times_store_what_an_undisturbed_one_does(
    kafka: KafkaSettings, database: devstack.Stack, tmp_path: Path
) -> None:
    single = many_kills - len(places)  # the deleted group takes one of each
    zombies = [*[Faults.frozen] * 2, *[Faults.frozen_in_a_transaction] * 3]
    faults = [*[Faults.killed] * single, *once_each, Faults.database_restarted, *zombies]
    happened = await lives(kafka, database, tmp_path, faults=faults, mean_gap_s=3)
    assert happened.kills == many_kills
