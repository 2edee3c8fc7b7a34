"""`zcc processor` and `zcc sink`: run a component by its name."""

import asyncio
from typing import TYPE_CHECKING, Literal

from operations.components import by_name, components
from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.errors import ConfigurationError
from runtime.lazy import load_coroutine
from runtime.retries.loop import RetriesExhaustedError
from runtime.settings import KafkaSettings, WorkerSettings

if TYPE_CHECKING:  # the choices follow from the list of components, which types cannot read
    ProcessorName = str
    SinkName = str
else:
    ProcessorName = Literal[tuple(each.name for each in components if each.kind == "processor")]
    SinkName = Literal[tuple(each.name for each in components if each.kind == "sink")]


def processor(name: ProcessorName) -> None:
    """Run a processor: records in, records out."""
    _run(name)


def sink(name: SinkName) -> None:
    """Run a sink: records in, a store out."""
    _run(name)


def _run(name: str) -> None:
    """Run a component until it has drained.

    Raises:
        ConfigurationError: a setting is wrong, or the work had halted.
    """
    warn_of_unknown_settings()
    component = by_name[name]
    shared = (read_settings(KafkaSettings), read_settings(WorkerSettings))
    own = [read_settings(each) for each in component.settings]
    run = load_coroutine(component.run)
    try:
        asyncio.run(run(*own, *shared))
    except RetriesExhaustedError as error:
        raise ConfigurationError(str(error)) from error
