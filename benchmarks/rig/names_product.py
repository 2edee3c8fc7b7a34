"""The processes of the product that `benchmarks.names` runs, and the kills of its replicas."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final

from benchmarks.rig.names_records import Span
from benchmarks.rig.names_zoom import Zoom, client_id, client_secret
from devstack.ports import reserve
from operations.components import by_name
from operations.local.pipeline import ExternalEndpoints, environment, get
from operations.local.processes import Process
from processors.entities.kinds import kinds
from runtime.settings import KafkaSettings
from simulator.company import Company

_ready_s: Final = 120.0
_drain_s: Final = 25.0
_walks: Final = re.compile(rb'zcc_reference_walks_total\{entity="(\w+)",outcome="\w+"\} [1-9]')


@dataclass(slots=True)
class Member:
    """One process of a component, and the port of its health."""

    process: Process
    port: int

    async def is_ready(self) -> bool:
        """Return whether it says so."""
        status, _ = await get(f"http://127.0.0.1:{self.port}/readyz")
        return status == 200  # noqa: PLR2004 - HTTP's own word

    async def until_ready(self) -> None:
        """Wait until it is ready.

        Raises:
            RuntimeError: it has ended; with its last lines.
            TimeoutError: it takes too long.
        """
        async with asyncio.timeout(_ready_s):
            while not await self.is_ready():
                if crash := self.process.crash():
                    raise RuntimeError(f"{crash.name} has ended:\n{crash.last_lines}")
                await asyncio.sleep(0.1)


@dataclass(slots=True)
class Product:
    """The walk, the changes and the replicas of enrichment."""

    reference: Member
    changes: Member
    replicas: list[Member]
    missing: list[Span] = field(default_factory=list)
    """When a replica was missing: from its kill until it was ready again."""

    def crashed(self) -> list[str]:
        """Return the names of the processes that ended by themselves."""
        return [each.process.name for each in self._all() if each.process.crash()]

    async def walked(self) -> bool:
        """Return whether the walk has read all lists of all entities once."""
        _, exposed = await get(f"http://127.0.0.1:{self.reference.port}/metrics")
        return len(set(_walks.findall(exposed))) == len(kinds)

    async def kill_in_turn(self, *, every_s: float, until: asyncio.Event) -> None:
        """Kill -9 a replica, start it again at once, wait, then the next one."""
        for replica in cycle(self.replicas):
            await _at_most(every_s / 2, until)
            if until.is_set():
                return
            killed_s, begin_ms = time.monotonic(), time.time_ns() // 1_000_000
            await replica.process.kill()
            await replica.process.start()
            await replica.until_ready()
            self.missing.append((begin_ms, time.time_ns() // 1_000_000))
            await _at_most(killed_s + every_s / 2 - time.monotonic(), until)

    async def start(self) -> None:
        """Start all, and wait until each is ready."""
        for each in self._all():
            await each.process.start()
        for each in self._all():
            await each.until_ready()

    async def stop(self) -> None:
        """Drain all."""
        for each in self._all():
            await each.process.stop(timeout_s=_drain_s)

    def _all(self) -> Iterable[Member]:
        return (self.reference, self.changes, *self.replicas)


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@asynccontextmanager
async def running_product(
    kafka: KafkaSettings, zoom: Zoom, company: Company, *, replicas: int, logs: Path
) -> AsyncIterator[Product]:
    """Start all until each is ready; drain them at the end."""
    shared = _settings(kafka, zoom, company)
    ports = [reserve(0) for _ in range(2 + replicas)]

    def member(component: str, number: int, name: str) -> Member:
        port = ports[number].number
        own = {
            **shared,
            "ZCC_ZOOM_API_URL": f"{zoom.url}/{component}/v2",
            "ZCC_WORKER_HEALTH_PORT": str(port),
        }
        process = Process(name, by_name[component].command, own, logs / f"{name}.log")
        return Member(process, port)

    product = Product(
        member("reference", 0, "reference"),
        member("reference-changes", 1, "reference-changes"),
        [member("enrichment", 2 + each, f"enrichment-{each + 1}") for each in range(replicas)],
    )
    try:
        await product.start()
        yield product
    finally:
        await product.stop()
        for port in ports:
            port.release()


def _settings(kafka: KafkaSettings, zoom: Zoom, company: Company) -> Mapping[str, str]:
    endpoints = ExternalEndpoints(
        bootstrap_servers=kafka.bootstrap_servers,
        postgres_dsn="",
        object_storage={},
        zoom_url=zoom.url,
        zoom_account_id=company.account_id,
        zoom_client_id=client_id,
        zoom_client_secret=client_secret,
        webhook_secret="",
        pseudonym_key="",
    )
    return {
        **environment(endpoints),
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "ZCC_ZOOM_PLAN": "pro",
        "ZCC_ENRICHMENT_MODE": "reference",
    }
