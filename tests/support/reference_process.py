"""The walk over Zoom's lists in a process of its own: how tests start it, and what runs in it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from pydantic import SecretStr

from processors.reference.service import run
from processors.reference.settings import ReferenceSettings
from runtime.process.logs import configure_logs
from runtime.process.parent_death import end_with_parent
from runtime.settings import KafkaSettings, WorkerSettings
from tests.support.child_process import child_process
from zoom.limits import Label
from zoom.settings import ZoomSettings


@asynccontextmanager
async def reference_process(
    kafka: KafkaSettings,
    api: str,
    account_id: str,
    *,
    port: int,
    log: Path,
    reference: dict[str, object],
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it until the end of the block, where it is killed if it is still there.

    ``api`` is the base of a simulated API, ``reference`` its own settings.
    """
    worker = {
        "health_host": "127.0.0.1",
        "health_port": port,
        "session_timeout_s": 6,
        "drain_timeout_s": 3,
    }
    arguments = (api, account_id, orjson.dumps(reference).decode())
    module = "tests.support.reference_process"
    async with child_process(module, *arguments, kafka=kafka, log=log, settings=worker) as process:
        yield process


def _zoom(api: str, account_id: str) -> ZoomSettings:
    """Settings of an account without limits to speak of."""
    return ZoomSettings(
        account_id=account_id,
        client_id="app-1",
        client_secret=SecretStr("credentials of the tests"),
        oauth_url=f"{api}/oauth/token",
        api_url=f"{api}/v2",
        share=1.0,
        calls_per_second=dict.fromkeys(Label, 2000),
    )


if __name__ == "__main__":
    parent_pid, api, account_id, reference = sys.argv[1:]
    end_with_parent(int(parent_pid))
    configure_logs()
    asyncio.run(
        run(
            ReferenceSettings(**orjson.loads(reference)),
            _zoom(api, account_id),
            KafkaSettings(),
            WorkerSettings(),
        )
    )
