"""A writer that freezes in the middle of its transaction does not hold up the next owner.

Its group has removed it, and it does not know that yet; until then the server may wait for it with
the offsets locked: the server's own time limits do not count while it waits for more of a COPY or
of a pipeline.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from runtime.values import Delivery
from tests.support.enriched_records import START_MS, delivery, webhook
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres import owner, query

take_over_s = HANG_GUARD_S
Writer = psycopg.AsyncConnection


@pytest.fixture
async def writer(dsn: str) -> AsyncIterator[Writer]:
    """A connection that holds the offsets, as a batch does; the time limits are a sink's."""
    async with owner(dsn) as sink:
        await sink.store([event(0)])
    connection = await Writer.connect(dsn, autocommit=True)
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"set {limit} = '1s'")
    await connection.execute("create temp table staging (n integer)")
    await connection.execute("begin")
    await connection.execute("update zcc.kafka_offset set next_offset = 7")
    yield connection
    await connection.close()


def event(n: int) -> Delivery:
    return delivery(webhook("task_created", {"task_id": f"T{n}"}, at_ms=START_MS + n))


def in_a_copy(writer: Writer) -> None:
    writer.pgconn.send_query(b"copy staging from stdin")
    writer.pgconn.flush()


def in_a_pipeline(writer: Writer) -> None:
    writer.pgconn.enter_pipeline_mode()
    writer.pgconn.send_query_params(b"insert into staging values (1)", None)
    writer.pgconn.send_flush_request()
    writer.pgconn.flush()


def between_statements(writer: Writer) -> None:
    """Say nothing more."""


@pytest.mark.parametrize("stop", [in_a_copy, in_a_pipeline, between_statements])
async def test_a_frozen_writer_does_not_hold_up_the_next_owner(
    dsn: str, writer: Writer, stop: Callable[[Writer], None]
) -> None:
    stop(writer)
    async with asyncio.timeout(take_over_s), owner(dsn) as sink:
        assert sink.position == 1
        assert not await sink.store([event(1)])
    assert await query(dsn, "select next_offset from zcc.kafka_offset") == [{"next_offset": 2}]
    with pytest.raises(psycopg.Error):
        await writer.execute("commit")
