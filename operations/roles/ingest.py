"""`zcc ingest`: one process, or several that share a port."""

from typing import Annotated

import typer
import uvloop

from ingest.settings import IngestSettings
from ingest.spill.settings import SpillSettings
from ingest.supervisor import follow_parent, own_command, run_processes
from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.clock import SystemClock
from runtime.lazy import load_coroutine
from runtime.process.open_files import raise_open_files_limit
from runtime.settings import KafkaSettings


def ingest(
    *,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Number of processes; default: ZCC_INGEST_WORKERS."),
    ] = None,
) -> None:
    """Receive webhooks and put them on Kafka."""
    followed = follow_parent()
    if followed is None:
        warn_of_unknown_settings()
    settings, kafka = read_settings(IngestSettings), read_settings(KafkaSettings)
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    raise_open_files_limit()
    if settings.workers > 1 and followed is None:
        raise typer.Exit(uvloop.run(run_processes(settings, own_command(), clock=SystemClock())))
    # Loaded by the children alone: their parent holds no client of Kafka.
    serve = load_coroutine("ingest.service:serve")
    uvloop.run(serve(settings, kafka, read_settings(SpillSettings), followed=followed))
