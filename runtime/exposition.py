"""How figures leave a process: counted cheaply, shown to Prometheus, shared by several processes.

`runtime.telemetry` lists the metrics; it and this module alone know prometheus_client.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.parser import text_string_to_metric_families

content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

_folder_variable: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for where the files of several processes are."""
_place_variable: Final = "ZCC_METRICS_PLACE"
"""Whose files among them are this process's."""
_parent: Final = "parent"
_memory: Final = "/dev/shm"  # noqa: S108 - a folder of random name is made in it

_place: Final = os.environ.get(_place_variable)

_tally: Final[dict[tuple[Counter, tuple[str, ...]], int]] = {}
_observed: Final[list[tuple[Histogram, float]]] = []


def place_values() -> None:
    """Decide where the values of metrics are; to be called before the first of them is made.

    Of several processes each has files by its place, not by its process id as the library would,
    so that restarts neither pile up files nor lose what was counted.
    """
    if _place is not None:
        values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]  # untyped library


def count(counter: Counter, *labels: str) -> None:
    """Count one, for the hot path: it shows once `add_tally` was called, or within `exposition`."""
    key = (counter, labels)
    _tally[key] = _tally.get(key, 0) + 1


def observe(histogram: Histogram, value: float) -> None:
    """Observe one value, for the hot path, as `count` counts."""
    _observed.append((histogram, value))


def add_tally() -> None:
    """Add what was counted and observed since to the metrics; to be called all the while."""
    for (counter, labels), amount in _tally.items():
        (counter.labels(*labels) if labels else counter).inc(amount)
    _tally.clear()
    for histogram, value in _observed:
        histogram.observe(value)
    _observed.clear()


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus; serve it as `content_type`.

    Of several processes that share their metrics, each returns those of all.
    """
    add_tally()
    return generate_latest(REGISTRY if _place is None else _registry_of_all())


def _registry_of_all() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped library
    return registry


class SharedMetrics:
    """The metrics of a parent's processes, each at its place: a number that is its alone.

    Whoever takes the place of one that has ended goes on with what that one has counted.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._of_parent = values.MultiProcessValue(lambda: _parent)  # type: ignore[no-untyped-call]  # untyped library

    def environment(self, place: int) -> dict[str, str]:
        """Return what a process needs in its environment before it starts."""
        return {_folder_variable: self._folder, _place_variable: str(place)}

    def ended(self, place: int) -> None:
        """Forget the gauges of a process that has ended; what it counted stays."""
        mark_process_dead(str(place), self._folder)  # type: ignore[no-untyped-call]  # untyped library

    def exposition(self) -> bytes:
        """Return the metrics of all places and of the parent, for the parent."""
        return generate_latest(_registry_of_all())

    def count(self, counter: Counter) -> None:
        """Count one for the parent itself. The counter has no labels."""
        described = next(iter(counter.describe()))
        name = described.name
        self._of_parent("counter", name, f"{name}_total", (), (), described.documentation).inc(1)


@contextmanager
def shared_metrics() -> Iterator[SharedMetrics]:
    """Give processes that are started within the block one exposition; for their parent.

    The files are in memory where the system has a folder for that, and go with the block.
    """
    place = _memory if os.access(_memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="zcc-metrics-", dir=place) as folder:
        os.environ[_folder_variable] = folder  # the library asks for it when the parent counts
        try:
            yield SharedMetrics(folder)
        finally:
            del os.environ[_folder_variable]


def total(exposition_text: bytes, sample: str) -> float:
    """Return the sum over all labels of one sample in another process's exposition."""
    return sum(
        found.value
        for family in text_string_to_metric_families(exposition_text.decode())
        for found in family.samples
        if found.name == sample
    )
