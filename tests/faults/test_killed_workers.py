"""Kill -9 in the middle of the flow: after the restart nothing is missing and nothing is twice."""

import asyncio
from pathlib import Path

from operations.local.up import Running, everything, settled
from operations.local.up_options import UpOptions
from runtime.clock import SystemClock
from simulator.service import send
from simulator.stories import live_stream
from simulator.webhooks.ledger import LedgerWriter
from tests.support.patience import HANG_GUARD_S

events = 2000


async def killed_and_restarted(running: Running, ledger: LedgerWriter, name: str) -> None:
    """Kill once a third of the events are sent and the part has work; start it a little later."""
    while ledger.totals.events < events // 3:
        await asyncio.sleep(0.05)
    process = running.pipeline.process(name)
    assert process.pid is not None
    await process.kill()
    while ledger.totals.events < events // 2:
        await asyncio.sleep(0.05)
    await process.start()
    await running.pipeline.ready(name, timeout_s=HANG_GUARD_S)


async def test_killed_enrichment_and_postgres_sink_lose_nothing_and_repeat_nothing(
    tmp_path: Path,
) -> None:
    options = UpOptions(
        events=events,
        rate_per_s=150,
        duplicates=0.05,
        reorder=0.05,
        time_scale=600,
        seed=7,
        settle_timeout_s=HANG_GUARD_S,
        linger=False,
    )
    async with everything(options, tmp_path) as running:
        stream = live_stream(
            running.company,
            seed=options.seed,
            now=SystemClock().now(),
            count=events,
            rate_per_s=options.rate_per_s,
        )
        with LedgerWriter(running.ledger) as ledger:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send(running.simulator, running.company, stream, ledger))
                tasks.create_task(killed_and_restarted(running, ledger, "enrichment"))
                tasks.create_task(killed_and_restarted(running, ledger, "postgres"))
        accounting, stored = await settled(running, timeout_s=HANG_GUARD_S, clock=SystemClock())
    assert ledger.totals.accepted == events
    assert accounting.unaccounted == ()
    assert stored.postgres_rows == stored.postgres_distinct_event_ids == events
    assert stored.object_distinct_event_ids == events
    assert stored.dead_letters == 0
    assert running.pipeline.failures() == ()
