"""Metrics of several real processes that are exposed as one."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Gauge

from ingest.metrics import metrics as ingest_metrics
from operations.reference_docs.metric_catalogue import groups
from runtime.process.metrics_exposition import SharedMetrics, shared_metrics, total

prologue = """
import os, signal, sys
from runtime.process.metrics_exposition import count, exposition, flush_counters
from ingest.metrics import metrics as ingest
"""
shows = "\nsys.stdout.buffer.write(exposition())\n"
counts = "count(ingest.accepted, 'engagement'); ingest.latency.observe(0.004)\n"


@pytest.fixture
def shared() -> Iterator[SharedMetrics]:
    with shared_metrics() as metrics:
        yield metrics


async def run(shared: SharedMetrics | None, place: int, program: str) -> bytes:
    """Run a process in this place to its end; return what it has written."""
    own = shared.environment(place) if shared else {}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", prologue + program),
        env={**os.environ, **own},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    return out


def folder_of(shared: SharedMetrics) -> Path:
    return Path(shared.environment(0)["PROMETHEUS_MULTIPROC_DIR"])


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_any_process_shows_the_sum_of_what_all_have_counted(shared: SharedMetrics) -> None:
    await run(shared, 0, counts + "flush_counters()")
    shown = await run(shared, 1, counts + counts + shows)
    assert total(shown, "zcc_ingest_accepted_total") == 3
    assert total(shown, "zcc_ingest_request_seconds_count") == 3
    assert b'zcc_ingest_request_seconds_bucket{le="0.005"} 3.0' in shown
    assert b"# HELP zcc_ingest_accepted_total Events acknowledged by the broker" in shown
    assert b"pid=" not in shown


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_gauge_that_one_process_has_not_is_that_of_the_others_in_any_order(
    shared: SharedMetrics, order: tuple[int, int]
) -> None:
    values = dict(zip(order, ("float('nan')", "5"), strict=True))
    gauge = "ingest.last_challenge.labels('a').set({})"
    for place, value in values.items():
        await run(shared, place, gauge.format(value))
    name = b'zcc_ingest_last_challenge_timestamp_seconds{app="a"}'
    assert name + b" 5.0" in await run(shared, 2, shows)
    await run(shared, order[1], gauge.format("float('nan')"))
    assert name + b" NaN" in await run(shared, 2, shows)


async def test_all_figures_of_a_worker_are_there_before_anything_happens() -> None:
    begin = "from runtime.metrics import begin_worker\nbegin_worker('w', topics=['t'])"
    shown = (await run(None, 0, begin + shows)).decode()
    for series in (
        'zcc_worker_errors_total{kind="transient",stage="write",worker="w"}',
        'zcc_worker_errors_total{kind="defect",stage="handle",worker="w"}',
        'zcc_worker_dead_letters_total{reason="defect",worker="w"}',
        'zcc_worker_recreated_topics_total{topic="t",worker="w"}',
        'zcc_worker_records_total{worker="w"}',
        'zcc_worker_fenced_total{worker="w"}',
        'zcc_worker_skipped_records_total{worker="w"}',
        'zcc_worker_halted{worker="w"}',
        'zcc_worker_paused_partitions{worker="w"}',
        'zcc_worker_oldest_unfinished_seconds{worker="w"}',
        'zcc_worker_batch_write_seconds_count{worker="w"}',
    ):
        assert f"{series} 0.0" in shown


async def test_a_successor_goes_on_with_what_a_killed_process_had_counted(
    shared: SharedMetrics,
) -> None:
    await run(shared, 0, counts + "flush_counters(); os.kill(os.getpid(), signal.SIGKILL)")
    shared.ended(0)
    before = names_in(folder_of(shared))
    shown = await run(shared, 0, counts + shows)
    assert total(shown, "zcc_ingest_accepted_total") == 2
    assert {name for name in names_in(folder_of(shared)) if "gauge" not in name} == before


async def test_gauges_of_a_process_end_with_it(shared: SharedMetrics) -> None:
    await run(shared, 0, "ingest.ready.set(0)")
    with_both = await run(shared, 1, "ingest.ready.set(1)" + shows)
    shared.ended(0)
    alone = await run(shared, 1, "ingest.ready.set(1)" + shows)
    assert b"\nzcc_ingest_ready 0.0\n" in with_both
    assert b"\nzcc_ingest_ready 1.0\n" in alone


async def test_the_start_that_is_shown_is_that_of_the_oldest_process(shared: SharedMetrics) -> None:
    """So a restart of another one is no restart of the part, whichever process answers."""
    started = "from runtime.metrics import process; process.started.labels('ingest').set({})"
    await run(shared, 0, started.format(1000))
    shown = await run(shared, 1, started.format(2000) + shows)
    assert b'\nzcc_process_start_time_seconds{part="ingest"} 1000.0\n' in shown
    shared.ended(0)
    shown = await run(shared, 1, started.format(2000) + shows)
    assert b'\nzcc_process_start_time_seconds{part="ingest"} 2000.0\n' in shown


async def test_what_the_parent_counts_is_shown_by_the_processes(shared: SharedMetrics) -> None:
    for _ in range(3):
        shared.count(ingest_metrics.restarts)
    shown = await run(shared, 0, shows)
    assert total(shown, "zcc_ingest_restarts_total") == 3


async def test_the_files_go_with_the_block() -> None:
    with shared_metrics() as shared:
        folder = folder_of(shared)
        await run(shared, 0, counts)
        assert names_in(folder)
    assert not folder.exists()
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


async def test_a_process_without_a_parent_writes_no_files(tmp_path: Path) -> None:
    shown = await run(None, 0, f"os.chdir({str(tmp_path)!r})\n" + counts + shows)
    assert total(shown, "zcc_ingest_accepted_total") == 1
    assert names_in(tmp_path) == set()


def test_every_gauge_says_how_those_of_several_processes_are_made_one() -> None:
    gauges = [
        metric
        for group in groups
        for metric in vars(type(group)).values()
        if isinstance(metric, Gauge)
    ]
    assert ingest_metrics.ready in gauges
    modes = {gauge.describe()[0].name: gauge._multiprocess_mode for gauge in gauges}
    summed = {"livemin", "livemax", "livesum"}
    assert {name: mode for name, mode in modes.items() if mode not in summed} == {}
