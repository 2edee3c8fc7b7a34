"""The live view of `zcc up`: a table on a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from operations.components import monitor
from runtime.process.metrics_exposition import total


@dataclass(frozen=True, slots=True)
class Stage:
    """One row: records done, rate, lag and errors of a part."""

    name: str
    done: int
    rate_per_s: float
    lag: int
    errors: int


def stages(now: Mapping[str, bytes], before: Mapping[str, bytes], elapsed_s: float) -> list[Stage]:
    """Compare two readings of all metrics, by part."""
    rows = []
    for name, exposition in now.items():
        if name == monitor:  # outside the flow
            continue
        done = _done(exposition)
        rate = (done - _done(before.get(name, b""))) / elapsed_s if elapsed_s else 0.0
        errors = sum(
            total(exposition, metric)
            for metric in (
                "zcc_ingest_refused_total",
                "zcc_ingest_unavailable_total",
                "zcc_worker_errors_total",
                "zcc_worker_dead_letters_total",
            )
        )
        lag = total(exposition, "zcc_worker_lag_records")
        rows.append(Stage(name, int(done), max(rate, 0.0), int(lag), int(errors)))
    return rows


def _done(exposition: bytes) -> float:
    """Return how many records a part has accepted, handled, or published as a poller."""
    return sum(
        total(exposition, metric)
        for metric in (
            "zcc_ingest_accepted_total",
            "zcc_worker_records_total",
            "zcc_poller_records_total",
        )
    )


class LiveView:
    """Shows `Stage` rows; a context manager that restores the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=False)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, rows: Iterable[Stage], *, sent: int) -> None:
        """Show the rows; ``sent`` counts the events of the simulator."""
        if self._live:
            self._live.update(_table(rows, sent), refresh=True)
        else:
            self._console.print(_line(rows, sent), soft_wrap=True)


def _table(rows: Iterable[Stage], sent: int) -> Table:
    table = Table(title=f"{sent} events sent")
    table.add_column("stage")
    for column in ("done", "per second", "lag", "errors"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row.name, str(row.done), f"{row.rate_per_s:.0f}", str(row.lag), str(row.errors)
        )
    return table


def _line(rows: Iterable[Stage], sent: int) -> str:
    words = (
        f"{row.name} done={row.done} rate={row.rate_per_s:.0f}/s lag={row.lag} errors={row.errors}"
        for row in rows
    )
    return f"sent={sent} | " + " | ".join(words)
