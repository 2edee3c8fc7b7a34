"""`zcc spill`: what waits in the spill, and producing it without the process that kept it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Final

import typer

from ingest.spill.backlog import Backlog
from ingest.spill.draining import Drain, Drained
from ingest.spill.segment import SegmentName, parse_name
from ingest.spill.settings import SpillSettings
from ingest.spill.store import Places, open_places
from runtime.clock import Clock, SystemClock
from runtime.contracts import Publisher
from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings

_connect_timeout_s: Final = 15.0

spill_app = typer.Typer(help="Events that wait for the broker.", no_args_is_help=True)


@spill_app.command("list")
def list_waiting() -> None:
    """Print what waits and what was refused, by the process that kept it."""
    from operations.cli import read_settings

    typer.echo(asyncio.run(_listing(open_places(read_settings(SpillSettings)))))


@spill_app.command("drain")
def drain_all(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be produced.")
    ] = False,
) -> None:
    """Produce what waits, of all processes, and what was refused; exit 1 if anything is left."""
    from operations.cli import read_settings

    places = open_places(read_settings(SpillSettings))
    if dry_run:
        typer.echo(asyncio.run(_listing(places)))
    else:
        asyncio.run(_produce(places, read_settings(KafkaSettings), SystemClock()))
    raise typer.Exit(0 if asyncio.run(_empty(places)) else 1)


async def _listing(places: Places) -> str:
    lines = [
        *[f"waiting  {line}" for line in _lines(await places.waiting.sizes())],
        *[f"refused  {line}" for line in _lines(await places.refused.sizes())],
    ]
    return "\n".join(lines) or "nothing waits"


def _lines(sizes: dict[str, int]) -> Iterator[str]:
    """Yield a line for each process, the one with the oldest first, and for what is no segment."""
    named = sorted(_segments(sizes).items(), key=lambda item: (item[0].instance, item[0]))
    groups = {
        instance: list(found) for instance, found in groupby(named, lambda item: item[0].instance)
    }
    for instance, found in sorted(groups.items(), key=lambda group: group[1][0][0]):
        events = sum(name.events for name, _ in found)
        size_bytes = sum(size for _, size in found)
        oldest = datetime.fromtimestamp(found[0][0].at_ms / 1000, UTC)
        yield (
            f"{instance}  {len(found)} segments  {events} events  {size_bytes} bytes  "
            f"since {oldest:%Y-%m-%dT%H:%M:%SZ}"
        )
    for text in sorted(sizes):
        if parse_name(text) is None:
            yield f"{text}: its name is none of a segment"


async def _produce(places: Places, kafka: KafkaSettings, clock: Clock) -> None:
    backlog = Backlog()
    backlog.merge(_segments(await places.waiting.sizes()))
    refused = sorted(_segments(await places.refused.sizes()))
    async with KafkaPublisher(kafka, client_id="zcc-spill-drain", clock=clock) as publisher:
        await _ready(publisher, clock)
        drain = Drain(places, publisher)
        while backlog:
            _tell(await drain.oldest(backlog))
        for name in refused:
            _tell(await drain.again(name))


def _tell(drained: Drained) -> None:
    typer.echo(
        f"{drained.events} events produced, {drained.refused} refused, "
        f"{len(drained.unreadable)} segments unreadable"
    )


async def _ready(publisher: Publisher, clock: Clock) -> None:
    try:
        async with asyncio.timeout(_connect_timeout_s):
            while not publisher.ready:
                await clock.sleep(0.05)
    except TimeoutError:
        raise TransientError("Kafka does not answer: nothing was produced") from None


async def _empty(places: Places) -> bool:
    return not (await places.waiting.sizes() or await places.refused.sizes())


def _segments(sizes: dict[str, int]) -> dict[SegmentName, int]:
    parsed = ((parse_name(text), size) for text, size in sizes.items())
    return {name: size for name, size in parsed if name is not None}
