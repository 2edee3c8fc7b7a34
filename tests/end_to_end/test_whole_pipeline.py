"""Simulator to Postgres and Parquet, every part a process of its own: accepted = stored, by id."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

root = Path(__file__).parents[2]


def zcc(*arguments: str, timeout_s: float = 280) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operations", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


async def test_every_event_that_was_accepted_is_in_both_stores(tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    done = await asyncio.to_thread(
        zcc,
        *("up", "--events", "700", "--rate", "100", "--duplicates", "0.1", "--reorder", "0.1"),
        *("--exit", "--report", str(report_file), "--directory", str(tmp_path / "run")),
    )
    assert done.returncode == 0, done.stdout + done.stderr
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
