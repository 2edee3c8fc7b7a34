"""Counts metrics cheaply, shows them to Prometheus, and shares them between processes.

The ``metrics`` module of each package lists its metrics. Only those modules and this one know the
library.
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
"""The buckets of every histogram of latencies."""

content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

_folder_variable: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for the folder of several processes' files."""
_slot_variable: Final = "ZCC_METRICS_PLACE"
"""The slot of this process, which names its files."""
_parent: Final = "parent"
_memory: Final = "/dev/shm"  # noqa: S108 - a folder of random name is made in it

_slot: Final = os.environ.get(_slot_variable)

_tally: Final[dict[tuple[Counter, tuple[str, ...]], int]] = {}
_observed: Final[list[tuple[Histogram, float]]] = []


@cache
def choose_value_storage() -> None:
    """Decide where metric values are stored; call it before the first metric is created.

    Each of several processes has files by its slot, not by its process id as the library would. So
    restarts neither pile up files nor lose counts.
    """
    if _slot is not None:
        values.ValueClass = values.MultiProcessValue(lambda: _slot)  # type: ignore[no-untyped-call]  # untyped library


def count(counter: Counter, *labels: str) -> None:
    """Count one, on the hot path; `flush_counters` and `exposition` add it to the counter."""
    key = (counter, labels)
    _tally[key] = _tally.get(key, 0) + 1


def observe(histogram: Histogram, value: float) -> None:
    """Observe one value on the hot path, buffered like `count`."""
    _observed.append((histogram, value))


def flush_counters() -> None:
    """Add the buffered counts and observations to the metrics; to be called regularly."""
    for (counter, labels), amount in _tally.items():
        (counter.labels(*labels) if labels else counter).inc(amount)
    _tally.clear()
    for histogram, value in _observed:
        histogram.observe(value)
    _observed.clear()


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus; serve it as `content_type`.

    Each of several processes that share their metrics returns those of all.
    """
    flush_counters()
    return generate_latest(REGISTRY if _slot is None else _registry_of_all())


def _registry_of_all() -> CollectorRegistry:
    registry = CollectorRegistry()
    _CollectorOfAll(registry)  # type: ignore[no-untyped-call]  # untyped library
    return registry


class _CollectorOfAll(MultiProcessCollector):
    """Skips a NaN in a gauge for which another process has a number.

    The library compares values as it reads, and every comparison with NaN is false: the least or
    the largest would depend on the order of the files.
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
    """Return the identity of a sample, whichever process it comes from."""
    return sample.name, frozenset(label for label in sample.labels if label[0] != "pid")


class SharedMetrics:
    """The metrics of a parent's processes, each with a slot number of its own.

    A process that takes over the slot of an ended one continues its counts.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._of_parent = values.MultiProcessValue(lambda: _parent)  # type: ignore[no-untyped-call]  # untyped library

    def environment(self, slot: int) -> dict[str, str]:
        """Return the environment variables that a process needs before it starts."""
        return {_folder_variable: self._folder, _slot_variable: str(slot)}

    def ended(self, slot: int) -> None:
        """Drop the gauges of a process that has ended; its counts stay."""
        mark_process_dead(str(slot), self._folder)  # type: ignore[no-untyped-call]  # untyped library

    def exposition(self) -> bytes:
        """Return the metrics of all slots and of the parent, for the parent."""
        return generate_latest(_registry_of_all())

    def count(self, counter: Counter) -> None:
        """Count one for the parent itself. The counter has no labels."""
        description = next(iter(counter.describe()))
        name = description.name
        self._of_parent("counter", name, f"{name}_total", (), (), description.documentation).inc(1)


@contextmanager
def shared_metrics() -> Iterator[SharedMetrics]:
    """Give processes that start within the block one exposition; for their parent.

    The files are in memory where the system has a folder for that, and are deleted after the block.
    """
    parent_folder = _memory if os.access(_memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="zcc-metrics-", dir=parent_folder) as folder:
        os.environ[_folder_variable] = folder  # the library asks for it when the parent counts
        try:
            yield SharedMetrics(folder)
        finally:
            del os.environ[_folder_variable]


def total(exposition_text: bytes, sample: str) -> float:
    """Return the sum over all labels of one sample in another process's exposition."""
    return sum(
        each.value
        for family in text_string_to_metric_families(exposition_text.decode())
        for each in family.samples
        if each.name == sample
    )
