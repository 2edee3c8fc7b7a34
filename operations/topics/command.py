"""`zcc topics apply` and `check`."""

import asyncio
from typing import Annotated

import typer

from operations.settings.loading import read_settings
from operations.topics.apply import OwnProcessor, apply, check
from runtime.errors import ConfigurationError
from runtime.kafka import TopicChanges
from runtime.settings import KafkaSettings

topics_app = typer.Typer(help="The topics of a deployment.", no_args_is_help=True)

_Worker = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Include the topics of your own processor of this name."),
]
_Output = Annotated[
    list[str] | None,
    typer.Option(metavar="TOPIC", help="Topic that it writes, without the prefix: answers.v1."),
]
_RetryDelay = Annotated[
    list[int] | None, typer.Option(min=1, help="A retry delay of it, in seconds.")
]


@topics_app.command("apply")
def topics_apply(
    *, worker: _Worker = None, output: _Output = None, retry_delay: _RetryDelay = None
) -> None:
    """Create and alter the topics; exit 1 if one cannot be made as the settings say."""
    own = _own_processor(worker, output, retry_delay)
    _print_changes(asyncio.run(apply(_kafka_settings(), own)))


@topics_app.command("check")
def topics_check(
    *, worker: _Worker = None, output: _Output = None, retry_delay: _RetryDelay = None
) -> None:
    """Report what `apply` would change; exit 1 if anything."""
    own = _own_processor(worker, output, retry_delay)
    _print_changes(asyncio.run(check(_kafka_settings(), own)))


def _own_processor(
    name: str | None, outputs: list[str] | None, retry_delays_s: list[int] | None
) -> OwnProcessor | None:
    if name is None:
        if outputs or retry_delays_s:
            raise ConfigurationError("--output and --retry-delay need --worker")
        return None
    return OwnProcessor(name, outputs or (), retry_delays_s or ())


def _print_changes(changes: TopicChanges) -> None:
    for line in changes.lines:
        typer.echo(line)
    raise typer.Exit(0 if changes.settled else 1)


def _kafka_settings() -> KafkaSettings:
    return read_settings(KafkaSettings)
