"""Behind a pooler that gives each transaction another session."""

import asyncio
import os
import pwd
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runtime.clock import SystemClock
from runtime.values import Batch, Delivery, Rejection
from schemas.reasons import DeadLetterReason
from sinks.postgres.migrate import migrate
from sinks.postgres.sink import PostgresSink
from sinks.postgres.write.batch_preparation import Prepared
from tests.support.enriched_records import SOURCE, START_MS, delivery, webhook
from tests.support.patience import HANG_GUARD_S
from tests.support.ports import free_port
from tests.support.postgres import Owner, owner, query, settings

ROWS = "select * from zcc.{} order by 1, 2, 3, 4"
TABLES = ("engagement", "engagement_timeline", "engagement_participant", "task", "kafka_offset")
RAW = "select event_id, event_ts, payload, enrichment, source_offset, revision from zcc.raw_event"


@pytest.fixture
async def pooled(dsn: str, tmp_path: Path) -> AsyncIterator[str]:
    """The database behind PgBouncer, which resets the session after each transaction."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed: the pooled sink is tested on reset sessions only")
    port = free_port()
    parts = conninfo_to_dict(dsn)
    server = f"host={parts['host']} port={parts.get('port') or 5432} user={parts['user']}"
    path = tmp_path / "pgbouncer.ini"
    path.write_text(
        f"[databases]\npooled = {server} dbname={parts['dbname']}"
        + (f" password={parts['password']}" if "password" in parts else "")
        + "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\nauth_type = any\n"
        f"listen_port = {port}\npool_mode = transaction\nserver_reset_query_always = 1\n"
        "server_reset_query = discard all\ndefault_pool_size = 2\n"
    )
    path.chmod(0o644)
    for folder in (tmp_path, *tmp_path.parents):  # PgBouncer runs as nobody
        if folder.stat().st_uid == os.geteuid() and folder.name.startswith(
            ("pytest-", "popen-", "test_")
        ):
            folder.chmod(0o755)
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    process = await asyncio.create_subprocess_exec(
        program, "-q", str(path), user=user, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(HANG_GUARD_S):
            while not await listens(port):
                await asyncio.sleep(0.02)
        yield make_conninfo(host="127.0.0.1", port=port, dbname="pooled", user=str(parts["user"]))
    finally:
        process.terminate()
        await process.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def call(n: int) -> Delivery:
    team = {"team_id": f"T{n}", "team_name": f'"quoted", \\ {{and}} Zoë {n}'}
    user = {"user_id": f"U{n}", "user_display_name": "Alex", "teams": [team, team]}
    return delivery(
        webhook(
            "engagement_user_answered", {"engagement_id": f"E{n % 7}", **user}, at_ms=START_MS + n
        )
    )


async def contents(dsn: str) -> list[object]:
    kept = [await query(dsn, ROWS.format(table)) for table in TABLES]
    for row in kept[-1]:
        row.pop("updated_at")
    return [*kept, sorted(await query(dsn, RAW), key=str)]


async def stored(writer: Owner, dsn: str) -> list[object]:
    for start in range(0, 1200, 400):
        assert not await writer.store(call(n) for n in range(start, start + 400))
    assert not await writer.store([call(3), call(3)])
    return await contents(dsn)


class ForgetfulSink(PostgresSink):
    """Each write finds a session that knows nothing of the last one."""

    async def write(self, batch: Batch, prepared: Prepared) -> Sequence[Rejection]:
        connection = self._connection
        assert connection is not None
        await connection.set_autocommit(True)
        await connection.execute("discard all")
        await connection.set_autocommit(False)
        return await super().write(batch, prepared)


async def test_what_is_stored_over_sessions_that_are_reset_is_the_same(dsn: str) -> None:
    async with owner(dsn) as writer:
        usual = await stored(writer, dsn)
    await query(dsn, "drop schema zcc cascade")
    migrate(dsn)
    changed = settings(dsn, transaction_pooling=True)
    async with ForgetfulSink(changed, SystemClock()) as sink:
        writer = Owner(sink, SOURCE)
        await writer.take_over()
        assert await stored(writer, dsn) == usual


async def test_what_is_stored_through_pgbouncer_is_the_same(dsn: str, pooled: str) -> None:
    async with owner(dsn) as writer:
        usual = await stored(writer, dsn)
    await query(dsn, "drop schema zcc cascade")
    migrate(dsn)
    async with owner(pooled, transaction_pooling=True) as writer:
        assert await stored(writer, dsn) == usual


async def test_a_refused_row_is_found_through_pgbouncer(dsn: str, pooled: str) -> None:
    await query(dsn, "alter table zcc.engagement_timeline add check (user_id <> 'U5')")
    async with owner(pooled, transaction_pooling=True) as writer:
        (rejection,) = await writer.store(call(n) for n in range(400))
        assert (rejection.offset, rejection.reason) == (5, DeadLetterReason.STORE_REFUSED)
        assert not await writer.store(call(n) for n in range(400) if n != 5)


async def test_limits_hold_in_each_transaction_and_leave_nothing_behind(dsn: str) -> None:
    await query(
        dsn,
        """
        create table seen as select null::text as commit, null::text as timeout where false;
        create function look() returns trigger language plpgsql as $$ begin
            insert into seen select current_setting('synchronous_commit'),
                current_setting('statement_timeout');
            return null;
        end $$;
        create trigger look after insert on zcc.raw_event execute function look();
        """,
    )
    limits = {"synchronous_commit": "off", "statement_timeout_s": 7.0}
    for pooling in (True, False):
        async with owner(dsn, transaction_pooling=pooling, **limits) as writer:
            await writer.store([call(1)])
            connection = writer.sink._connection
            assert connection is not None
            left = await (await connection.execute("show statement_timeout")).fetchone()
            assert left == (("0",) if pooling else ("7s",))
            prepared = await connection.execute(
                "select (select count(*) from pg_prepared_statements where from_sql is false), "
                "(select count(*) from pg_class "
                "where relname ~ '^staging_' and pg_table_is_visible(oid))"
            )
            counts = await prepared.fetchone()
            assert counts is not None
            assert (counts == (0, 0)) is pooling
    assert await query(dsn, "select distinct * from public.seen") == [
        {"commit": "off", "timeout": "7s"}
    ]
