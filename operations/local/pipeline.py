"""All processes of the product on this machine, each its own process as in production."""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from devstack.ports import reserve
from ingest.apps.registry import base_path
from operations.components import PartName, parts
from operations.local.processes import Crash, Process
from runtime.errors import TransientError

drain_timeout_s: Final = 25.0
_ready_poll_s: Final = 0.2
_http_timeout_s: Final = 2.0


@dataclass(frozen=True, slots=True)
class ExternalEndpoints:
    """Addresses and secrets of the servers and of Zoom. URLs; the DSN is a libpq URL."""

    bootstrap_servers: str
    postgres_dsn: str
    object_storage: Mapping[str, str]
    zoom_url: str
    zoom_account_id: str
    zoom_client_id: str
    zoom_client_secret: str
    webhook_secret: str
    pseudonym_key: str


def environment(endpoints: ExternalEndpoints) -> dict[str, str]:
    """Return the settings of all parts on one machine: replication 1, few partitions."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZCC_")},
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": endpoints.bootstrap_servers,
        "ZCC_KAFKA_ENGAGEMENT_PARTITIONS": "4",
        "ZCC_KAFKA_OTHER_PARTITIONS": "2",
        "ZCC_KAFKA_REPLICATION": "1",
        "ZCC_INGEST_HOST": "127.0.0.1",
        "ZCC_INGEST_HEALTH_HOST": "127.0.0.1",
        "ZCC_INGEST_APPS": json.dumps({"default": [endpoints.webhook_secret]}),
        "ZCC_INGEST_PSEUDONYM_KEY": endpoints.pseudonym_key,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_SESSION_TIMEOUT_S": "6",
        "ZCC_MONITOR_HEALTH_HOST": "127.0.0.1",
        "ZCC_ZOOM_ACCOUNT_ID": endpoints.zoom_account_id,
        "ZCC_ZOOM_CLIENT_ID": endpoints.zoom_client_id,
        "ZCC_ZOOM_CLIENT_SECRET": endpoints.zoom_client_secret,
        "ZCC_ZOOM_OAUTH_URL": f"{endpoints.zoom_url}/oauth/token",
        "ZCC_ZOOM_API_URL": f"{endpoints.zoom_url}/v2",
        "ZCC_ZOOM_PLAN": "business_plus",  # as the simulator allows
        "ZCC_ZOOM_SHARE": "1",  # no other app calls it
        "ZCC_POSTGRES_DSN": endpoints.postgres_dsn,
        **{
            f"ZCC_OBJECT_STORAGE_{name}".upper(): value
            for name, value in endpoints.object_storage.items()
        },
    }


class Pipeline:
    """Starts every part on entry, drains every part on exit.

    A part can be killed, stopped and started again by its name.
    """

    def __init__(self, settings: Mapping[str, str], *, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        # Kept until the end: nobody takes the port of a part that is killed and started again.
        self._reserved = [reserve(0) for _ in range(1 + len(parts))]
        self._webhook_port, *ports = (port.number for port in self._reserved)
        self._ports = dict(zip((part.name for part in parts), ports, strict=True))
        settings = {**settings, "ZCC_INGEST_PORT": str(self._webhook_port)}
        self._processes = {part.name: self._process(part, settings, logs) for part in parts}

    async def __aenter__(self) -> Self:
        try:
            for process in self._processes.values():
                await process.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    def url(self, name: str) -> str:
        """Return the base URL of a part's health and metrics."""
        return f"http://127.0.0.1:{self._ports[name]}"

    @property
    def webhook_url(self) -> str:
        """Return the URL that webhooks of the default app go to."""
        return f"http://127.0.0.1:{self._webhook_port}{base_path}"

    def process(self, name: str) -> Process:
        """Return the process of a part."""
        return self._processes[name]

    def crashes(self) -> tuple[Crash, ...]:
        """Return the parts that ended by themselves."""
        ended = (process.crash() for process in self._processes.values())
        return tuple(crash for crash in ended if crash)

    def failures(self) -> tuple[str, ...]:
        """Return the parts that ended with an error, stopped by us or not."""
        return tuple(name for name, each in self._processes.items() if each.exit_code)

    async def ready(self, *names: str, timeout_s: float) -> None:
        """Wait until these parts, or all, are ready.

        Raises:
            TransientError: one has crashed, or is not ready in time; with its last lines.
        """
        waiting = list(names or self._processes)
        try:
            async with asyncio.timeout(timeout_s):
                while waiting:
                    for crash in self.crashes():
                        raise TransientError(_crash_text(crash))
                    status, _ = await get(f"{self.url(waiting[0])}/readyz")
                    if status == 200:  # noqa: PLR2004 - HTTP's own word
                        waiting.pop(0)
                    else:
                        await asyncio.sleep(_ready_poll_s)
        except TimeoutError:
            log = self._processes[waiting[0]].log
            raise TransientError(
                f"{waiting[0]} is not ready after {timeout_s:.0f} s; its log is {log}"
            ) from None

    async def metrics(self) -> dict[str, bytes]:
        """Return what each part exposes now; empty where it does not answer."""
        answers = await asyncio.gather(
            *(get(f"{self.url(name)}/metrics") for name in self._processes)
        )
        return dict(zip(self._processes, (body for _, body in answers), strict=True))

    def _process(self, part: PartName, settings: Mapping[str, str], logs: Path) -> Process:
        own = {**settings, part.port_variable: str(self._ports[part.name])}
        return Process(part.name, part.arguments, own, logs / f"{part.name}.log")

    async def _end(self) -> None:
        for process in self._processes.values():
            await process.stop(timeout_s=drain_timeout_s)
        for port in self._reserved:
            port.release()


async def get(url: str) -> tuple[int, bytes]:
    """Return status and body of a local HTTP resource; status 0 where nothing answers."""
    return await asyncio.to_thread(_get, url)


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=_http_timeout_s) as answer:  # noqa: S310 - own URLs
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def _crash_text(crash: Crash) -> str:
    return (
        f"{crash.name} ended with exit code {crash.exit_code}; its last lines:\n{crash.last_lines}"
    )
