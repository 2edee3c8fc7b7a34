"""`zcc spill`: what waits in the spill, and producing it without the process that kept it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Annotated, Final

import typer

from ingest.spill.backlog import Backlog
from ingest.spill.drain import Drain, Drained
from ingest.spill.segment import SegmentName, parse_name
from ingest.spill.settings import SpillSettings
from ingest.spill.store import SegmentStores, open_stores
from operations.settings.loading import read_settings
from runtime.clock import Clock, SystemClock
from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings

_connect_timeout_s: Final = 10.0
_attempts: Final = 3

spill_app = typer.Typer(help="Events that wait for the broker.", no_args_is_help=True)


@spill_app.command("list")
def list_waiting() -> None:
    """Print what waits and what was refused, by the process that kept it."""
    typer.echo(asyncio.run(_listing(open_stores(read_settings(SpillSettings)))))


@spill_app.command("drain")
def drain_all(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be produced.")
    ] = False,
) -> None:
    """Produce what waits, of all processes, and what was refused; exit 1 if anything is left."""
    places = open_stores(read_settings(SpillSettings))
    if dry_run:
        typer.echo(asyncio.run(_listing(places)))
    else:
        asyncio.run(produce(places, read_settings(KafkaSettings), SystemClock()))
    raise typer.Exit(0 if asyncio.run(_empty(places)) else 1)


async def _listing(places: SegmentStores) -> str:
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
            yield f"{text}: its name is not that of a segment"


async def produce(places: SegmentStores, kafka: KafkaSettings, clock: Clock) -> None:
    """Produce all that is there now, and print what became of it.

    Raises:
        TransientError: Kafka or the store does not answer; what is not produced is still there.
        ConfigurationError: the store refuses.
    """
    backlog = Backlog()
    backlog.merge(_segments(await places.waiting.sizes()))
    refused = sorted(_segments(await places.refused.sizes()))
    async with KafkaPublisher(kafka, client_id="zcc-spill-drain", clock=clock) as publisher:
        drain = Drain(places, publisher)
        while backlog:
            _tell(await _insisting(lambda: drain.oldest(backlog), publisher))
        for name in refused:
            _tell(await _insisting(partial(drain.retry_refused, name), publisher))


async def _insisting(drain: Callable[[], Awaitable[Drained]], publisher: KafkaPublisher) -> Drained:
    """Try a few times: one record that is refused makes others fail once."""
    failures = 0
    while True:
        if not await publisher.reached(within_s=_connect_timeout_s):
            raise TransientError("Kafka does not answer: what waits is still there")
        try:
            return await drain()
        except TransientError:
            failures += 1
            if failures == _attempts:
                raise


def _tell(drained: Drained) -> None:
    typer.echo(
        f"{drained.events} events produced, {drained.refused} refused, "
        f"{len(drained.unreadable)} segments unreadable"
    )


async def _empty(places: SegmentStores) -> bool:
    return not (await places.waiting.sizes() or await places.refused.sizes())


def _segments(sizes: dict[str, int]) -> dict[SegmentName, int]:
    parsed = ((parse_name(text), size) for text, size in sizes.items())
    return {name: size for name, size in parsed if name is not None}
