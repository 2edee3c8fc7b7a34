"""Fixtures of all test folders: the real Kafka, Postgres and S3, started when a test needs them."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings

from devstack.options import chosen_kafka
from runtime.background_tasks import BackgroundTasks
from runtime.settings import KafkaSettings
from tests.support.ports import free_port
from tests.support.promtool import described
from tests.support.restored_signals import restored_signals
from tests.support.scheduling import GroupScheduling, is_whole_machine
from tests.support.stack import RealStack, chosen_source, real_stack
from tests.support.vendor_digest import HeldByDigest

# A broker of a test lives for minutes: to optimise its code costs more than it saves, half of all
# processor time of a start.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# How long an example takes says something of the machine, which others use as well.
settings.register_profile("shared machine", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("shared machine")


def pytest_configure() -> None:
    # So that a stopped run tears its fixtures down, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    source, reason = chosen_source()
    return [
        f"Kafka {chosen_kafka()}, Postgres and S3 from: {source} ({reason})",
        f"promtool: {described()}",
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not is_whole_machine(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    try:
        return (yield)
    except HeldByDigest:
        return True


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[RealStack]:
    """Real Kafka, Postgres and S3 of this worker, for all its tests; keep to names of your own."""
    source, _ = chosen_source()
    async with real_stack(source) as running:
        yield running


@pytest.fixture
def kafka_settings(stack: RealStack) -> KafkaSettings:
    """Kafka with a topic prefix that nobody used before; its topics do not exist yet."""
    return KafkaSettings(
        bootstrap_servers=stack.bootstrap_servers,
        topic_prefix=f"t{uuid.uuid4().hex[:12]}",
        engagement_partitions=3,
        other_partitions=2,
        replication=1,
    )


@pytest.fixture
async def database_dsn(stack: RealStack) -> AsyncIterator[str]:
    """An empty database of its own; it is dropped afterwards, even with connections to it."""
    async with _database(stack) as name:
        yield _dsn(stack, name)


@pytest.fixture(scope="session")
async def migrated(stack: RealStack) -> AsyncIterator[str]:
    """The name of a database with all tables, to make others from; nobody may connect to it."""
    from sinks.postgres.migrate import migrate  # noqa: PLC0415 - slow to import, for few runs

    async with _database(stack) as name:
        await asyncio.to_thread(migrate, _dsn(stack, name))
        yield name


@pytest.fixture
async def dsn(stack: RealStack, migrated: str) -> AsyncIterator[str]:
    """A database of its own with all tables, as `zcc migrate` makes them of an empty one."""
    async with _database(stack, template=migrated) as name:
        yield _dsn(stack, name)


@asynccontextmanager
async def _database(stack: RealStack, *, template: str = "template1") -> AsyncIterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as admin:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield name
        finally:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _dsn(stack: RealStack, name: str) -> str:
    return urlsplit(stack.postgres_dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture
async def background() -> AsyncIterator[BackgroundTasks]:
    """Tasks that end with the test."""
    async with BackgroundTasks() as opened:
        yield opened


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts the handlers of signals back, which a worker takes for itself."""
    with restored_signals():
        yield


@pytest.fixture
def object_store_prefix() -> str:
    """A prefix inside the bucket that nobody used before, without slashes at its ends."""
    return f"tests/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def unused_tcp_port() -> int:
    """A free port that no outgoing connection takes meanwhile, unlike that of pytest-asyncio."""
    return free_port()


@pytest.fixture
def unused_tcp_port_factory() -> Callable[[], int]:
    """The same for several ports."""
    return free_port
