"""How figures leave a process: counted cheaply, shown to Prometheus, shared by several processes.

The ``metrics`` module of each package lists its metrics; the library is known there and here only.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from math import isnan
from pathlib import Path
from typing import Final

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

latency_buckets_s: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 60.0),
)
"""Of every histogram of latencies."""

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


@cache
def place_values() -> None:
    """Decide where the values of metrics are; to be called before the first of them is made.

    Of several processes each has files by its place, not by its process id as the library would,
    so that restarts neither pile up files nor lose what was counted.
    """
    if _place is not None:
        values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]  # untyped library


def count(counter: Counter, *labels: str) -> None:
    """Count one, on the hot path; `flush_counters` and `exposition` add it to the counter."""
    key = (counter, labels)
    _tally[key] = _tally.get(key, 0) + 1


def observe(histogram: Histogram, value: float) -> None:
    """Observe one value, for the hot path, as `count` counts."""
    _observed.append((histogram, value))


def flush_counters() -> None:
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
    flush_counters()
    return generate_latest(REGISTRY if _place is None else _registry_of_all())


def _registry_of_all() -> CollectorRegistry:
    registry = CollectorRegistry()
    _CollectorOfAll(registry)  # type: ignore[no-untyped-call]  # untyped library
    return registry


class _CollectorOfAll(MultiProcessCollector):
    """Passes over NaN in a gauge for which another process has a number.

    The library compares as it reads, and no comparison with NaN holds: the least or the largest
    would follow from the order of the files.
    """

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of all processes."""
        files = [str(path) for path in Path(self._path).glob("*.db")]
        metrics = self._read_metrics(files)  # type: ignore[no-untyped-call]  # untyped library
        for metric in metrics.values():
            if metric.type == "gauge":
                metric.samples = list(_without_nan(metric.samples))
        return self._accumulate_metrics(metrics, accumulate=True)  # type: ignore[no-untyped-call,no-any-return]  # untyped library


def _without_nan(samples: Sequence[Sample]) -> Iterator[Sample]:
    numbers = {_series(sample) for sample in samples if not isnan(sample.value)}
    for sample in samples:
        if not isnan(sample.value) or _series(sample) not in numbers:
            yield sample


def _series(sample: Sample) -> tuple[str, frozenset[object]]:
    """Return what tells a sample from others, whichever process it is of."""
    return sample.name, frozenset(label for label in sample.labels if label[0] != "pid")


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
        safe_error_text = next(iter(counter.describe()))
        name = safe_error_text.name
        self._of_parent(
            "counter", name, f"{name}_total", (), (), safe_error_text.documentation
        ).inc(1)


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
