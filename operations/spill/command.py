"""`zcc spill`: lists spilled events, and produces them without the process that spilled them."""

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
    """Print the waiting and the refused segments, by process."""
    typer.echo(asyncio.run(_listing(open_stores(read_settings(SpillSettings)))))


@spill_app.command("drain")
def drain_all(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be produced.")
    ] = False,
) -> None:
    """Produce the waiting and the refused events of all processes; exit 1 if any are left."""
    stores = open_stores(read_settings(SpillSettings))
    if dry_run:
        typer.echo(asyncio.run(_listing(stores)))
    else:
        asyncio.run(produce(stores, read_settings(KafkaSettings), SystemClock()))
    raise typer.Exit(0 if asyncio.run(_empty(stores)) else 1)


async def _listing(stores: SegmentStores) -> str:
    lines = [
        *[f"waiting  {line}" for line in _lines(await stores.waiting.sizes())],
        *[f"refused  {line}" for line in _lines(await stores.refused.sizes())],
    ]
    return "\n".join(lines) or "nothing waits"


def _lines(sizes: dict[str, int]) -> Iterator[str]:
    """Yield a line for each process, the oldest segment first, and for each unknown file."""
    named = sorted(_segments(sizes).items(), key=lambda item: (item[0].instance, item[0]))
    groups = {
        instance: list(segments)
        for instance, segments in groupby(named, lambda item: item[0].instance)
    }
    for instance, segments in sorted(groups.items(), key=lambda group: group[1][0][0]):
        events = sum(name.events for name, _ in segments)
        size_bytes = sum(size for _, size in segments)
        oldest = datetime.fromtimestamp(segments[0][0].at_ms / 1000, UTC)
        yield (
            f"{instance}  {len(segments)} segments  {events} events  {size_bytes} bytes  "
            f"since {oldest:%Y-%m-%dT%H:%M:%SZ}"
        )
    for text in sorted(sizes):
        if parse_name(text) is None:
            yield f"{text}: not the name of a segment"


async def produce(stores: SegmentStores, kafka: KafkaSettings, clock: Clock) -> None:
    """Produce all segments that are there now, and print the result of each.

    Raises:
        TransientError: Kafka or the store does not answer; the other segments are still there.
        ConfigurationError: the store refuses.
    """
    backlog = Backlog()
    backlog.merge(_segments(await stores.waiting.sizes()))
    refused = sorted(_segments(await stores.refused.sizes()))
    async with KafkaPublisher(kafka, client_id="zcc-spill-drain", clock=clock) as publisher:
        drain = Drain(stores, publisher)
        while backlog:
            _print_drained(await _retrying(lambda: drain.oldest(backlog), publisher))
        for name in refused:
            _print_drained(await _retrying(partial(drain.retry_refused, name), publisher))


async def _retrying(drain: Callable[[], Awaitable[Drained]], publisher: KafkaPublisher) -> Drained:
    """Try a few times, because one refused record makes others fail once."""
    failures = 0
    while True:
        if not await publisher.reached(within_s=_connect_timeout_s):
            raise TransientError("Kafka does not answer: the waiting events are unchanged")
        try:
            return await drain()
        except TransientError:
            failures += 1
            if failures == _attempts:
                raise


def _print_drained(drained: Drained) -> None:
    typer.echo(
        f"{drained.events} events produced, {drained.refused} refused, "
        f"{len(drained.unreadable)} segments unreadable"
    )


async def _empty(stores: SegmentStores) -> bool:
    return not (await stores.waiting.sizes() or await stores.refused.sizes())


def _segments(sizes: dict[str, int]) -> dict[SegmentName, int]:
    parsed = ((parse_name(text), size) for text, size in sizes.items())
    return {name: size for name, size in parsed if name is not None}
