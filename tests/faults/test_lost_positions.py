"""Topics recreated, groups deleted, retention ahead of a sink: one after the other, under load.

Every accepted event is in Postgres once, and each record is in objects once; what retention took
is counted by sink and alarmed. `make faults` runs it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.ports import reserve
from operations.components import parts, workers
from operations.local.up import Running, everything
from operations.local.up_options import UpOptions
from operations.reconcile.report import StoredCounts
from operations.reconcile.stores import read_all_stores
from runtime.clock import SystemClock
from runtime.values import TopicPartition
from schemas.topics import enriched_topic, raw_topic
from simulator.service import send
from simulator.state import apply_events
from simulator.stories import live_stream
from simulator.webhooks.ledger import read_ledger
from tests.support.alarms import prometheus
from tests.support.kafka_members import delete_before
from tests.support.lost_positions import (
    FamilyLedger,
    Load,
    Logs,
    answers,
    counted,
    deadline_s,
    firing,
    prefix,
    sinks,
    stored_records,
    until,
)
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres_sinks import delete_group

events = 3000
removed_unread = 8
"""How many records retention takes from a sink."""

Removed = tuple[TopicPartition, str, range, frozenset[str]]
"""What retention took from a sink: the log and its topic's id, the offsets, the event ids."""


@dataclass
class ActiveFaults:
    """Everything that happens to the running product while the load goes on."""

    running: Running
    load: Load
    ledger: FamilyLedger
    prometheus: str
    logs: Logs
    removed: dict[str, Removed] = field(default_factory=dict)

    async def all_of_it(self) -> None:
        await until(lambda: self.ledger.totals.accepted >= events // 10)
        await self.enriched_topic_recreated_while_the_sinks_are_stopped("engagement")
        await self.enriched_topic_recreated_while_all_runs("recording")
        await self.raw_topic_recreated_while_all_runs("task")
        for worker in workers:
            await self.group_deleted(worker)
        await self.retention_overtakes("object-storage", "task")
        await self.retention_overtakes("postgres", "engagement")
        self.load.ending = True

    async def stop(self, part: str) -> None:
        assert await self.running.pipeline.process(part).stop(timeout_s=HANG_GUARD_S) == 0, part

    async def start(self, part: str) -> None:
        await self.running.pipeline.process(part).start()
        await self.running.pipeline.ready(part, timeout_s=deadline_s)

    @asynccontextmanager
    async def all_done(self, family: str) -> AsyncIterator[None]:
        """Hold back a family, so that all of it is stored: what lies unread is lost with a log."""
        async with self.load.without(family, self.ledger):
            await self.logs.caught_up("enrichment", raw_topic(family, prefix=prefix))
            for sink in sinks:
                await self.logs.caught_up(sink, enriched_topic(family, prefix=prefix))
            yield

    async def enriched_topic_recreated_while_the_sinks_are_stopped(self, family: str) -> None:
        topic = enriched_topic(family, prefix=prefix)
        async with self.all_done(family):
            for sink in sinks:
                await self.stop(sink)
            await self.logs.recreate(topic)
        await self.logs.outgrown(topic)
        for sink in sinks:
            await self.start(sink)
        await self.recreation_is_alarmed(topic, *sinks)

    async def enriched_topic_recreated_while_all_runs(self, family: str) -> None:
        topic = enriched_topic(family, prefix=prefix)
        async with self.all_done(family):
            await self.logs.recreate(topic)
        await self.recreation_is_alarmed(topic, *sinks)

    async def raw_topic_recreated_while_all_runs(self, family: str) -> None:
        topic = raw_topic(family, prefix=prefix)
        async with self.all_done(family):
            await self.logs.recreate(topic)
        await self.recreation_is_alarmed(topic, "enrichment")

    async def recreation_is_alarmed(self, topic: str, *by: str) -> None:
        for worker in by:
            await answers(self.prometheus, firing("ZccTopicRecreated", worker=worker, topic=topic))

    async def group_deleted(self, worker: str) -> None:
        await self.stop(worker)
        await delete_group(self.running.stores.kafka, f"{prefix}.{worker}")
        await self.start(worker)

    async def retention_overtakes(self, sink: str, family: str) -> None:
        """Delete records that one sink has not read, and the other has."""
        topic = enriched_topic(family, prefix=prefix)
        (other,) = {*sinks} - {sink}
        async with self.all_done(family):
            await self.stop(sink)
        positions = await self.logs.positions(sink, topic)
        source, start = await self.grown(positions)
        end = start + removed_unread
        async with self.load.without(family, self.ledger):
            await self.logs.caught_up("enrichment", raw_topic(family, prefix=prefix))
            await self.logs.caught_up(other, topic)
            ids = await self.logs.ids_between(source, start, end)
            assert len(ids) == removed_unread
            await delete_before(self.running.stores.kafka, source, end)
        topic_id = (await self.logs.ids([topic]))[topic]
        self.removed[sink] = source, topic_id, range(start, end), frozenset(ids)
        group = f"{prefix}.{sink}"
        alarm = firing("ZccRecordsExpired", group=group, topic=topic)
        await answers(self.prometheus, alarm)  # from outside, while it is away
        await self.start(sink)
        outside = f'zcc_monitor_group_expired_records{{group="{group}",topic="{topic}"}}'
        over = f"max_over_time({outside}[10s]) == 0"  # what the alarm says now is the sink's count
        await answers(self.prometheus, f"{alarm} and on (group, topic) ({over})")

    async def grown(self, positions: Mapping[TopicPartition, int]) -> tuple[TopicPartition, int]:
        """Wait for a partition that has enough beyond its position; return both."""
        (topic,) = {source.topic for source in positions}
        async with asyncio.timeout(deadline_s):
            while True:
                for (source, _), end in (await self.logs.log_ends([topic])).items():
                    if end >= positions[source] + 2 * removed_unread:
                        return source, positions[source]
                await asyncio.sleep(0.2)


Rows = Mapping[tuple[TopicPartition, str], Sequence[int]]


async def all_stored(
    trouble: ActiveFaults,
) -> tuple[Mapping[str, frozenset[str]], StoredCounts, Rows]:
    """Wait until each sink has what it should; return the event ids, the counts, the records."""
    running = trouble.running
    accepted = read_ledger(running.ledger).accepted_ids
    reached = await trouble.logs.reached()
    async with asyncio.timeout(deadline_s):
        while True:
            contents, stored = await read_all_stores(running.stores, accepted=accepted)
            missing = {
                sink: accepted - contents.in_stores[sink] - trouble.removed[sink][3]
                for sink in sinks
            }
            rows = await stored_records(running.stores.object_storage)
            if not any(missing.values()) and all(
                rows.get(log, [-1])[-1] >= end - 1 for log, end in reached.items() if end
            ):
                return contents.in_stores, stored, rows
            await asyncio.sleep(1)


def each_record_once(rows: Rows, removed: Removed) -> None:
    """Check that no record of any log is missing or twice, up to the last that is stored."""
    source, topic_id, gone, _ = removed
    for log, offsets in rows.items():
        expected = set(range(offsets[-1] + 1))
        if log == (source, topic_id):
            expected -= set(gone)
        assert offsets == sorted(expected), log


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_positions_that_are_lost_under_load_lose_and_repeat_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = UpOptions(
        events=0,
        rate_per_s=20,
        duplicates=0.05,
        reorder=0.05,
        time_scale=600,
        seed=12,
        settle_timeout_s=HANG_GUARD_S,
        linger=False,
    )
    now = SystemClock().now
    began_s = SystemClock().monotonic_s()
    async with everything(options, tmp_path) as running:
        ports = {part.name: urlsplit(running.pipeline.url(part.name)).port or 0 for part in parts}
        reserved = reserve(0)
        reserved.release()
        ports["prometheus"] = reserved.number
        stream = live_stream(
            running.company, seed=options.seed, now=now(), count=None, rate_per_s=options.rate_per_s
        )
        load = Load(stream, at_least=events)
        async with prometheus(tmp_path, ports) as url:
            with FamilyLedger(running.ledger) as ledger:
                trouble = ActiveFaults(running, load, ledger, url, Logs(running))
                async with asyncio.TaskGroup() as tasks:
                    applied = apply_events(running.state, iter(load), now)
                    tasks.create_task(send(running.simulator, running.company, applied, ledger))
                    tasks.create_task(trouble.all_of_it())
            in_stores, stored, rows = await all_stored(trouble)
            expired = {
                sink: await counted(running, sink, "zcc_worker_expired_records_total")
                for sink in sinks
            }
    accepted = read_ledger(running.ledger).accepted_ids
    lost = {sink: accepted - in_stores[sink] for sink in sinks}
    totals = ledger.totals
    figures = {
        "events": totals.events,
        "accepted": totals.accepted,
        "deliveries": totals.deliveries,
        "duplicates": totals.duplicates_sent,
        "retries": totals.retries,
        "postgres_rows": stored.postgres_rows,
        "object_rows": sum(map(len, rows.values())),
        "logs": len(rows),
        "object_events": stored.object_distinct_event_ids,
        "expired": expired,
        "events_lost_to_retention": {sink: len(ids) for sink, ids in lost.items()},
        "dead_letters": stored.dead_letters,
        "quarantined": stored.quarantined,
        "seconds": round(SystemClock().monotonic_s() - began_s),
    }
    with capsys.disabled():
        print(f"\n{json.dumps(figures)}")  # noqa: T201 - the figures of a long run
    assert totals.accepted == totals.events >= events
    assert expired == dict.fromkeys(sinks, removed_unread)
    each_record_once(rows, trouble.removed["object-storage"])
    for sink in sinks:
        assert lost[sink] <= trouble.removed[sink][3]
        assert in_stores[sink] <= accepted
    assert stored.postgres_rows == stored.postgres_distinct_event_ids
    assert stored.postgres_rows == totals.accepted - len(lost["postgres"])
    assert stored.dead_letters == stored.quarantined == 0
    assert running.pipeline.failures() == ()
