"""Events get names from a slow API, or one that is away: `python -m benchmarks.names`.

A made-up company's events go to the raw topics, as ingest writes them, at a steady rate, onto an
empty reference topic. `reference`, `reference-changes` and `enrichment` run as in production; the
simulated API takes 50 to 350 ms for an answer, and enforces the limits of CC Pro. Three cases:

- plain
- outage: the API answers 503 for a minute in the middle
- kills: the same with three replicas of enrichment, one of them killed -9 every 20 s

The plain case runs for some seconds before, unmeasured: a broker that has just started is slow.
Times are those of the broker, from the append to a raw topic to that to an enriched one. The last
line is one JSON object; a missed target is named there, and the exit code is 1.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.contract import commit, machine
from benchmarks.rig.names_events import Source, make_topics, records
from benchmarks.rig.names_product import Product, running_product
from benchmarks.rig.names_records import Figures, Seen, figures
from benchmarks.rig.names_zoom import Zoom, callers, simulated_zoom
from devstack import DevstackOptions, Stack, running
from operations.components import workers
from processors.enrichment.settings import EnrichmentSettings
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.topics import dead_letter_topic, enriched_topics, raw_topics
from simulator.company import make_company

target_share: Final = 0.99
target_within_s: Final = 90.0
target_calls: Final = 30.0
target_late_ms: Final = EnrichmentSettings.model_fields["deadline_s"].default * 1000 + 500

_settle_poll_s: Final = 5.0
_watch_s: Final = 1.0
_warming_s: Final = 8.0


@dataclass(frozen=True, slots=True)
class Case:
    """One run. ``outage_s`` 0: none; ``kill_every_s`` 0: never.

    ``settle_s`` is how long corrections may take after the last event, at most.
    """

    name: str
    seconds: float
    rate_per_s: float = 300.0
    replicas: int = 1
    outage_s: float = 0.0
    kill_every_s: float = 0.0
    settle_s: float = 180.0
    """A correction comes 70 s after its event at the latest, once the API answers."""


def cases(seconds: float) -> Sequence[Case]:
    """Return the three cases; the faults of a short run are shorter too."""
    plain = Case("plain", seconds)
    outage = replace(plain, name="outage", outage_s=min(60.0, seconds / 3))
    kills = replace(outage, name="kills", replicas=3, kill_every_s=min(20.0, seconds / 3))
    return plain, outage, kills


@dataclass(slots=True)
class Calls:
    """Who has called the API, and when the table was warm: all lists read once."""

    begun_s: float = field(default_factory=time.monotonic)
    warm_after_s: float | None = None
    events_before: int = 0
    before: Mapping[str, int] = field(default_factory=dict)

    async def watch(self, product: Product, source: Source, zoom: Zoom) -> None:
        """Wait until the table is warm, and note the calls until then."""
        while not await product.walked():  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(_watch_s)
        self.warm_after_s = round(time.monotonic() - self.begun_s, 1)
        self.events_before, self.before = source.produced, zoom.count.by_caller()

    def per_1000_events(self, events: int, now: Mapping[str, int]) -> Mapping[str, float] | None:
        """Return the calls per 1,000 events since the table was warm; None where it never was."""
        if self.warm_after_s is None or events <= self.events_before:
            return None
        per_call = 1000 / (events - self.events_before)
        rates = {each: (now[each] - self.before[each]) * per_call for each in callers}
        return {
            each: round(rate, 2) for each, rate in {**rates, "all": sum(rates.values())}.items()
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case has shown."""

    figures: Figures
    dead_letters: int
    crashed: Sequence[str]
    kills: int
    settled_after_s: float
    report: Mapping[str, object]
    calls_per_1000_events: Mapping[str, float] | None

    def missed(self, case: Case) -> list[str]:
        """Return the targets that were missed, with what was reached."""
        shown, calls = self.figures, self.calls_per_1000_events
        late_ms = shown.most_ms_but_kills
        reached = {
            f"complete in {target_within_s:g} s: {shown.complete_in_time:.3%}": (
                shown.complete_in_time >= target_share
            ),
            f"lost: {shown.lost}": shown.lost == 0,
            f"disordered: {shown.disordered}": shown.disordered == 0,
            f"partial and never corrected: {shown.uncorrected}": shown.uncorrected == 0,
            f"dead letters: {self.dead_letters}": self.dead_letters == 0,
            f"ended by themselves: {', '.join(self.crashed)}": not self.crashed,
            f"latest event: {late_ms} ms": late_ms <= target_late_ms,
            f"calls per 1,000 events: {calls['all'] if calls else 'the table was never warm'}": (
                calls is not None and calls["all"] < target_calls
            ),
        }
        return [f"{case.name}: {text}" for text, is_met in reached.items() if not is_met]


def main() -> None:
    """Run the cases and print; exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0, help="of events, in each case")
    parser.add_argument("--rate", type=float, default=300.0, help="events per second")
    parser.add_argument("--case", action="append", choices=[each.name for each in cases(1)])
    parser.add_argument("--logs", type=Path, help="keep the logs of the processes there")
    options = parser.parse_args()
    chosen = [
        replace(each, rate_per_s=options.rate)
        for each in cases(options.seconds)
        if not options.case or each.name in options.case
    ]
    report = asyncio.run(measure(chosen, logs=options.logs))
    print(json.dumps(report))
    sys.exit(1 if report["missed"] else 0)


async def measure(chosen: Sequence[Case], *, logs: Path | None = None) -> Mapping[str, object]:
    """Return the report."""
    missed: list[str] = []
    reports: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = logs or Path(temporary)
        async with running(DevstackOptions(directory=None, parts=frozenset({"kafka"}))) as stack:
            warming = replace(cases(_warming_s)[0], name="warming", settle_s=0.0)
            for case in (warming, *chosen):
                (folder / case.name).mkdir(parents=True, exist_ok=True)
                outcome = await run_case(case, stack, logs=folder / case.name)
                if case is warming:
                    continue
                missed += outcome.missed(case)
                reports[case.name] = outcome.report
                print(json.dumps({"case": case.name, **outcome.report}), flush=True)
    return {
        "benchmark": "names",
        "cases": reports,
        "targets": {
            "complete_in_time": target_share,
            "in_time_s": target_within_s,
            "calls_per_1000_events": target_calls,
            "most_ms_but_kills": target_late_ms,
        },
        "missed": missed,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }


async def run_case(case: Case, stack: Stack, *, logs: Path) -> Outcome:
    """Run one case, until all is corrected or the time for it is over."""
    load_before = os.getloadavg()[0]
    company = make_company(1)
    kafka = KafkaSettings(
        bootstrap_servers=stack.bootstrap_servers,
        replication=1,
        engagement_partitions=4,
        other_partitions=2,
        topic_prefix=f"names-{uuid.uuid4().hex}",
    )
    await make_topics(kafka)
    async with AsyncExitStack() as parts:
        zoom = await parts.enter_async_context(simulated_zoom(company))
        source = Source(kafka, company, zoom.state, case.rate_per_s)
        product = await parts.enter_async_context(
            running_product(kafka, zoom, company, replicas=case.replicas, logs=logs)
        )
        calls = await _under_load(case, source, zoom, product)
        per_1000 = calls.per_1000_events(source.produced, zoom.count.by_caller())
        load_after = os.getloadavg()[0]
        raw = await records(kafka, raw_topics(prefix=kafka.topic_prefix), enriched=False)
        begun_s = time.monotonic()
        shown = await _settled(case, kafka, raw, product)
        settled_after_s = round(time.monotonic() - begun_s, 1)
        crashed, by_status = product.crashed(), zoom.count.by_status()
        usage = await zoom.usage()
    dead_letters = await _dead_letters(kafka)
    report = {
        **asdict(shown),
        "dead_letters": dead_letters,
        "calls_per_1000_events": per_1000,
        "calls": zoom.count.by_caller(),
        "calls_by_status": by_status,
        "calls_counted_by_the_api": sum(usage["operations"].values()),
        "table_warm_after_s": calls.warm_after_s,
        "kills": len(product.missing),
        "replica_missing_s": round(sum(end - begin for begin, end in product.missing) / 1000, 1),
        "outage_s": case.outage_s,
        "seconds": case.seconds,
        "events_sent_late_ms": round(source.latest_s * 1000),
        "settled_after_s": settled_after_s,
        "load_average": [round(load_before, 1), round(load_after, 1)],
    }
    return Outcome(
        shown, dead_letters, crashed, len(product.missing), settled_after_s, report, per_1000
    )


async def _under_load(case: Case, source: Source, zoom: Zoom, product: Product) -> Calls:
    calls, ended = Calls(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        producing = tasks.create_task(source.produce(case.seconds))
        producing.add_done_callback(lambda _: ended.set())
        watching = tasks.create_task(calls.watch(product, source, zoom))
        if case.outage_s:
            tasks.create_task(_outage(case, zoom))
        if case.kill_every_s:
            tasks.create_task(product.kill_in_turn(every_s=case.kill_every_s, until=ended))
        await ended.wait()
        watching.cancel()
    return calls


async def _outage(case: Case, zoom: Zoom) -> None:
    await asyncio.sleep((case.seconds - case.outage_s) / 2)
    await zoom.set_outage(True)
    try:
        await asyncio.sleep(case.outage_s)
    finally:
        await zoom.set_outage(False)


async def _settled(
    case: Case, kafka: KafkaSettings, raw: Sequence[Seen], product: Product
) -> Figures:
    """Read the enriched topics until nothing is missing, or until the time for it is over."""
    until_s = time.monotonic() + case.settle_s
    while True:
        enriched = await records(kafka, enriched_topics(prefix=kafka.topic_prefix), enriched=True)
        shown = figures(
            raw,
            enriched,
            within_s=target_within_s,
            late_ms=target_late_ms,
            kills=product.missing,
        )
        if (shown.lost == 0 and shown.uncorrected == 0) or time.monotonic() > until_s:
            return shown
        print(f"{case.name}: lost {shown.lost}, uncorrected {shown.uncorrected}", file=sys.stderr)
        await asyncio.sleep(_settle_poll_s)


async def _dead_letters(kafka: KafkaSettings) -> int:
    topics = [dead_letter_topic(each, prefix=kafka.topic_prefix) for each in workers]
    async with TopicAdmin(kafka) as admin:
        counts = await admin.record_counts(topics)
    return sum(counts.values())


if __name__ == "__main__":
    main()
