"""The running product with a real Prometheus that scrapes it by the committed rules.

Scrapes come every two seconds, and what has to hold for minutes has to for two seconds; the
expressions are those of the file.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

import devstack
from devstack.ports import reserve
from operations.components import parts, workers
from operations.local.pipeline import ExternalEndpoints, environment, get
from operations.local.processes import Process
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.topics import topic_specs
from simulator.company import make_company
from simulator.service import make_state, rest_api
from simulator.settings import SimulatorSettings
from sinks.postgres.migrate import migrate
from tests.support.enriched_records import webhook
from tests.support.ingest_server import signed
from tests.support.patience import HANG_GUARD_S

root = Path(__file__).parents[2]
secret = "simulated-webhook-secret"
commands = {part.name: part for part in parts}


@dataclass
class Product:
    """All parts, at addresses that stay; each can be started with other settings than before."""

    stack: devstack.Stack
    settings: Mapping[str, str]
    kafka: KafkaSettings
    folder: Path
    ports: Mapping[str, int]
    prometheus: str
    processes: dict[str, Process] = field(default_factory=dict)

    async def run(self, *names: str, **changes: str) -> None:
        """Start parts anew with these settings beside the usual ones; wait until they answer."""
        for name in names:
            await self.stop(name)
            part = commands[name]
            own = {
                **self.settings,
                **changes,
                "ZCC_INGEST_PORT": str(self.ports["webhooks"]),
                part.port_variable: str(self.ports[name]),
            }
            log = self.folder / f"{name}.log"
            self.processes[name] = Process(name, part.arguments, own, log)
            await self.processes[name].start()
        for name in names:
            async with asyncio.timeout(HANG_GUARD_S):
                while (await get(f"{self.url(name)}/healthz"))[0] != 200:
                    await asyncio.sleep(0.1)
                while name == "ingest" and (await get(self.url("webhooks")))[0] == 0:
                    await asyncio.sleep(0.1)

    async def running(self, *names: str) -> None:
        """Have these run and be ready, with the usual settings where they have to be started."""
        await self.run(*(n for n in names if n not in self.processes or not self.processes[n].pid))
        for name in names:
            async with asyncio.timeout(HANG_GUARD_S):
                while (await get(f"{self.url(name)}/readyz"))[0] != 200:
                    await asyncio.sleep(0.2)

    async def stop(self, name: str) -> None:
        if name in self.processes:
            await self.processes[name].stop(timeout_s=HANG_GUARD_S)

    async def kill(self, name: str) -> None:
        await self.processes[name].kill()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    async def post(self, body: bytes, *, key: str = secret, app: str = "") -> int:
        """Send a webhook; return the answer's status."""
        return (await self.post_again(body, times=1, key=key, app=app))[0]

    async def post_again(
        self, body: bytes, *, times: int, key: str = secret, app: str = ""
    ) -> list[int]:
        """Send the same request so often; return the answers' statuses."""
        url = f"{self.url('webhooks')}/webhooks/zoom{app}"
        headers = {name: value.decode() for name, value in signed(body, secret=key)}
        return [await asyncio.to_thread(_post, url, body, headers) for _ in range(times)]

    async def fires(self, alert: str, **labels: str) -> None:
        """Wait until Prometheus says that an alert with these labels fires."""
        try:
            async with asyncio.timeout(HANG_GUARD_S):
                while not any(
                    each["labels"]["alertname"] == alert
                    and each["state"] == "firing"
                    and labels.items() <= each["labels"].items()
                    for each in await self.alerts()
                ):
                    await asyncio.sleep(0.5)
        except TimeoutError:
            pytest.fail(f"{alert} {labels} does not fire; what does: {await self.alerts()}")

    async def alerts(self) -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = (await self._api("alerts"))["alerts"]
        return alerts

    async def query(self, expression: str) -> list[float]:
        """The present values of an expression, by no order."""
        result = await self._api(f"query?query={urllib.parse.quote(expression)}")
        return [float(each["value"][1]) for each in result["result"]]

    async def until(self, expression: str, condition: Callable[[list[float]], bool]) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while not condition(await self.query(expression)):
                await asyncio.sleep(0.5)

    async def _api(self, path: str) -> dict[str, Any]:
        _, body = await get(f"{self.prometheus}/api/v1/{path}")
        data: dict[str, Any] = json.loads(body)["data"]
        return data


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, dict(headers)), timeout=HANG_GUARD_S
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def event(number: int, *, at_ms: int | None = None) -> bytes:
    """A webhook that no other test sends."""
    task = {"task_id": f"T{number}", "channel_name": "voice"}
    return webhook("task_created", task, **({} if at_ms is None else {"at_ms": at_ms}))


@asynccontextmanager
async def frozen(process: psutil.Process) -> AsyncIterator[None]:
    """Let a program and all its children stand still, as a store does whose disk hangs."""
    stopped = [process, *process.children(recursive=True)]
    for each in stopped:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(stopped):
            if each.is_running():
                each.send_signal(signal.SIGCONT)


def postgres_of(stack: devstack.Stack) -> psutil.Process:
    first, *_ = (stack.directory / "postgres" / "postmaster.pid").read_text().splitlines()
    return psutil.Process(int(first))


async def make_topics(kafka: KafkaSettings) -> None:
    async with TopicAdmin(kafka) as admin:
        await admin.apply(list(topic_specs(kafka.topic_plan, workers)))


@asynccontextmanager
async def product(folder: Path) -> AsyncIterator[Product]:
    """Kafka, Postgres, Zoom's stand-in and Prometheus; no part of ours runs yet."""
    options = devstack.DevstackOptions(directory=None, parts=frozenset({"kafka", "postgres"}))
    company = make_company(1)
    simulator = SimulatorSettings(
        target_url="http://127.0.0.1",
        secret=secret,
        client_secret="simulated-client-secret",
        account_id=company.account_id,
    )
    async with AsyncExitStack() as resources:
        stack = await resources.enter_async_context(devstack.running(options))
        zoom = rest_api(simulator, company, state=make_state(simulator, company))
        zoom_url = await resources.enter_async_context(zoom)
        settings = environment(
            ExternalEndpoints(
                bootstrap_servers=stack.bootstrap_servers,
                postgres_dsn=stack.postgres_dsn,
                object_storage={"url": f"file://{folder}/objects", "rotate_age_s": "1"},
                zoom_url=zoom_url,
                zoom_account_id=company.account_id,
                zoom_client_id="simulator",
                zoom_client_secret="simulated-client-secret",
                webhook_secret=secret,
                pseudonym_key="simulated-pseudonym-key",
            )
        )
        settings |= {"ZCC_MONITOR_INTERVAL_S": "1", "ZCC_WORKER_SESSION_TIMEOUT_S": "10"}
        kafka = KafkaSettings(
            bootstrap_servers=stack.bootstrap_servers,
            engagement_partitions=4,
            other_partitions=2,
            replication=1,
        )
        await make_topics(kafka)
        await asyncio.to_thread(migrate, stack.postgres_dsn)
        names = (*commands, "webhooks", "prometheus")
        reserved = {name: reserve(0) for name in names}
        for port in reserved.values():
            resources.callback(port.release)
        ports = {name: port.number for name, port in reserved.items()}
        watching = prometheus(folder, ports)
        url = await resources.enter_async_context(watching)
        product = Product(stack, settings, kafka, folder, ports, url)
        try:
            yield product
        finally:
            for name in commands:
                if name in product.processes:
                    await product.kill(name)


@asynccontextmanager
async def prometheus(folder: Path, ports: Mapping[str, int]) -> AsyncIterator[str]:
    """Run Prometheus on the committed rules; yield its URL."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (Debian: apt-get install prometheus)")
    rules = (root / "deploy" / "prometheus" / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(re.sub(r"(\n +for: )\w+", r"\g<1>2s", rules))
    targets = [f"127.0.0.1:{ports[name]}" for name in commands]
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "zcc", "static_configs": [{"targets": targets}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{ports['prometheus']}"
    with (folder / "prometheus.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address={address}",
            "--log.level=warn",
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if not name.startswith("ZCC_")},
        )
    try:
        async with asyncio.timeout(HANG_GUARD_S):
            while (await get(f"http://{address}/-/ready"))[0] != 200:
                await asyncio.sleep(0.1)
        yield f"http://{address}"
    finally:
        running.kill()
        await running.wait()
