"""`zcc devstack`: the servers alone, until a signal comes."""

import asyncio
from pathlib import Path

import typer

from devstack import DevstackError, DevstackOptions, Part, Stack, running
from runtime.background_tasks import BackgroundTasks
from runtime.errors import ConfigurationError
from runtime.process.signals import stop_event


def run(
    directory: Path, parts: frozenset[Part], *, kafka_port: int, postgres_port: int, s3_port: int
) -> None:
    """Start the parts, print their addresses as settings, and wait for a signal.

    Raises:
        ConfigurationError: a part cannot be started, or has ended by itself; with its last lines.
    """
    try:
        options = DevstackOptions(
            directory=directory,
            parts=parts,
            kafka_port=kafka_port,
            postgres_port=postgres_port,
            s3_port=s3_port,
        )
        asyncio.run(_run(options))
    except (DevstackError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


async def _run(options: DevstackOptions) -> None:
    with stop_event() as stop:
        async with running(options) as stack:
            _print_settings(stack)
            await _until(stop, stack)


async def _until(stop: asyncio.Event, stack: Stack) -> None:
    async with BackgroundTasks() as background:
        background.start(stack.watch())
        await stop.wait()


def _print_settings(stack: Stack) -> None:
    settings = {
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "ZCC_KAFKA_REPLICATION": "1" if stack.bootstrap_servers else "",
        "ZCC_POSTGRES_DSN": stack.postgres_dsn,
        "ZCC_OBJECT_STORAGE_URL": f"s3://{stack.s3_bucket}/events" if stack.s3_bucket else "",
        "ZCC_OBJECT_STORAGE_ENDPOINT": stack.s3_endpoint,
        "ZCC_OBJECT_STORAGE_ACCESS_KEY_ID": stack.s3_access_key,
        "ZCC_OBJECT_STORAGE_SECRET_ACCESS_KEY": stack.s3_secret_key,
    }
    for name, value in settings.items():
        if value:
            typer.echo(f"export {name}={value}")
    typer.echo(f"# data and logs: {stack.directory}; Ctrl-C stops", err=True)
