"""Connections that are refused, cut or silent, at the moments that matter."""

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.sink import PostgresSink
from sinks.postgres.write.batch_preparation import Prepared
from sinks.postgres.write.session import connect
from sinks.postgres.write.statements import write_all
from tests.support.enriched_records import START_MS, delivery, webhook
from tests.support.postgres import assignment, owner, query, settings
from tests.support.postgres_proxy import proxied

COMMIT = b"COMMIT\0"
COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""As the client asks for it, and as the server says that it is done."""


def event(n: int) -> Any:
    return delivery(webhook("task_created", {"task_id": f"T{n}"}, at_ms=START_MS + n))


@pytest.mark.parametrize(("message", "stored"), [(COMMIT, 1), (COMMITTED, 2)])
async def test_a_connection_cut_before_or_after_the_commit_leaves_each_event_once(
    dsn: str, message: bytes, stored: int
) -> None:
    async with proxied(dsn) as (proxy, through), owner(through) as writer:
        await writer.store([event(0)])
        proxy.cut_at = message
        with pytest.raises(TransientError):
            await writer.store([event(1)])
        assert len(await query(dsn, "select 1 from zcc.raw_event")) == stored
        assert not await writer.store([event(1)])
        assert not await writer.store([event(2)])
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 3
    assert await query(dsn, "select next_offset from zcc.kafka_offset") == [{"next_offset": 3}]


async def test_a_session_ended_by_the_server_is_replaced(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store([event(0)])
        await query(
            dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'zcc sink postgres' and datname = current_database()",
        )
        with pytest.raises(TransientError):
            await writer.store([event(1)])
        assert not await writer.store([event(1)])


async def test_a_connection_that_breaks_behind_the_last_statement_broke_by_nobodys_rows(
    dsn: str,
) -> None:
    connection = await connect(settings(dsn))
    await query(dsn, f"select pg_terminate_backend({connection.info.backend_pid})")
    with pytest.raises(psycopg.OperationalError):
        await write_all(connection, Prepared((), (), (), (), None, 0))
    await connection.close()


async def test_a_statement_that_waits_too_long_is_given_up_and_stored_later(dsn: str) -> None:
    async with owner(dsn, statement_timeout_s=1.0, write_timeout_s=5.0) as writer:
        await writer.store([event(0)])
        async with await psycopg.AsyncConnection.connect(dsn) as other:
            await other.execute("lock table zcc.raw_event in exclusive mode")
            with pytest.raises(TransientError, match="57014"):
                await writer.store([event(1)])
        assert not await writer.store([event(1)])


async def test_a_silent_connection_is_given_up_within_the_time_of_a_write(dsn: str) -> None:
    limits: dict[str, Any] = {"statement_timeout_s": 1.9, "write_timeout_s": 2.0}
    async with proxied(dsn) as (proxy, through), owner(through, **limits) as writer:
        await writer.store([event(0)])
        proxy.swallow()
        with pytest.raises(TransientError, match="does not answer in time"):
            await writer.store([event(1)])
        assert not await writer.store([event(1)])
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 2


async def test_a_sink_starts_without_its_database_and_waits_for_it(dsn: str) -> None:
    nowhere = make_conninfo(dsn, host="127.0.0.1", port=1)
    async with PostgresSink(settings(nowhere), SystemClock()) as sink:
        with pytest.raises(TransientError):
            await sink.assigned(assignment())


@pytest.mark.parametrize("wrong", [{"dbname": "no_such_database"}, {"user": "nobody"}])
async def test_a_wrong_login_is_the_operators_fault(dsn: str, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="ZCC_POSTGRES_DSN"):
        async with PostgresSink(settings(make_conninfo(dsn, **wrong)), SystemClock()):
            pass
