"""Simulator to Postgres and Parquet, every part a process of its own: accepted = stored, by id."""

import asyncio
import json
import sys
from pathlib import Path

from tests.support.patience import HANG_GUARD_S

root = Path(__file__).parents[2]


async def zcc(*arguments: str) -> tuple[int, str]:
    """Run a command, which may take as long as it goes on to write; return its code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "operations", *arguments),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    written = b""
    try:
        while piece := await asyncio.wait_for(process.stdout.read(65536), HANG_GUARD_S):
            written += piece
        return await process.wait(), written.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_every_event_that_was_accepted_is_in_both_stores(tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    code, written = await zcc(
        *("up", "--events", "700", "--rate", "100", "--duplicates", "0.1", "--reorder", "0.1"),
        *("--exit", "--report", str(report_file), "--directory", str(tmp_path / "run")),
    )
    assert code == 0, written
    report = json.loads(report_file.read_text())
    assert report["unaccounted"] == []
    assert report["events"] == report["accepted"] == 700
    assert report["event_types"] == 124
    assert report["duplicates_sent"] > 0
    assert report["postgres_rows"] == report["postgres_distinct_event_ids"] == 700
    assert report["object_distinct_event_ids"] == 700
    assert report["dead_letters"] == report["quarantined"] == 0
    assert report["failed_parts"] == []
    raw = {name: n for name, n in report["records_per_topic"].items() if name.count(".") == 2}
    assert sum(raw.values()) >= 700
    assert report["accept_to_visible_row"]["p99_ms"] > 0
