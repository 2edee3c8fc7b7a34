"""`zcc up` as a command: its files, its summary, its exit code."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from devstack import DevstackError
from operations.local.up import up
from operations.local.up_options import UpOptions
from operations.reconcile.report import Report
from runtime.errors import TransientError
from simulator.webhooks.endpoint import EndpointInvalidError

_statuses: Final = ("complete", "partial", "skipped")


def run(options: UpOptions, *, directory: Path | None, report: Path | None) -> int:
    """Run, print the outcome, write the report; return 0 only if nothing is unaccounted for.

    Without a directory, files go to a temporary one that stays only if something went wrong.

    Raises:
        TransientError: a part cannot be started, or a real part has ended by itself.
    """
    folder = directory or Path(tempfile.mkdtemp(prefix="zcc-up-"))
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    try:
        result = asyncio.run(up(options, folder, console))
    except* (DevstackError, EndpointInvalidError, TransientError) as errors:
        causes = "; ".join(str(error) for error in errors.exceptions)
        raise TransientError(f"{causes}\nlogs: {folder}") from errors
    if report:
        report.write_text(json.dumps(result.document(), indent=2) + "\n")
    _print(result, console)
    if directory is None and result.succeeded:
        shutil.rmtree(folder)
        console.print("all went well: data and logs are removed; --directory keeps them")
    else:
        console.print(f"data and logs: {folder}", soft_wrap=True, highlight=False)
    return 0 if result.succeeded else 1


def _print(result: Report, console: Console) -> None:
    sent, stored = result.sent, result.stored
    console.print(
        f"sent {sent.events} events of {sent.event_types} types in {sent.deliveries} deliveries "
        f"({sent.duplicates_sent} duplicates, {sent.retries} retries), accepted {sent.accepted}, "
        f"given up {sent.given_up}",
        soft_wrap=True,
    )
    console.print(
        f"Postgres {stored.postgres_rows} rows, objects {stored.object_rows} rows with "
        f"{stored.object_distinct_event_ids} distinct ids, dead letters {stored.dead_letters}, "
        f"quarantined {stored.quarantined}",
        soft_wrap=True,
    )
    statuses = ", ".join(f"{stored.enrichment.get(each, 0)} {each}" for each in _statuses)
    console.print(f"enrichment: {statuses}", soft_wrap=True)
    latency = result.latency
    console.print(
        f"accepted to visible row: p50 {latency.p50_ms} ms, p99 {latency.p99_ms} ms; "
        f"unaccounted {len(result.accounting.unaccounted)}; {result.wall_time_s:.1f} s",
        soft_wrap=True,
    )
    for name in result.failed:
        console.print(f"{name} ended with an error")
