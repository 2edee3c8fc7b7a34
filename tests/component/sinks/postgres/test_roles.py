"""The roles that `zcc migrate` makes: one for the sink, one for readers, and what each may not."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege
from structlog.testing import capture_logs

from runtime.values import TopicPartition
from sinks.postgres.migrate import migrate
from sinks.postgres.model.rows import tables
from tests.support.enriched_records import delivery, webhook
from tests.support.postgres import owner, query
from tests.support.postgres_page import QUERIES
from tests.support.projections import REFERENCE_TOPIC, snapshot
from tests.support.simulated_stories import simulated_deliveries
from tests.support.stack import RealStack

ROLES = ("zcc_writer", "zcc_reader")
PASSWORD = "tests"

RIGHTS = (
    "select class.relname as name, class.relkind::text as kind, acl.privilege_type as may "
    "from pg_class as class, aclexplode(class.relacl) as acl "
    "where class.relnamespace = 'zcc'::regnamespace and acl.grantee = '{role}'::regrole"
)


class Logins:
    """Makes logins; they are dropped after the database, and with it all that is theirs."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def make(self, dsn: str, *, role: str | None = None) -> str:
        """The same database for a new login, in a role or without any rights."""
        name = f"l{uuid.uuid4().hex[:12]}"
        membership = "" if role is None else f" in role {role}"
        await query(dsn, f"create role {name} login password '{PASSWORD}'{membership}")
        self.made.append(name)
        return make_conninfo(dsn, user=name, password=PASSWORD)


@pytest.fixture
async def logins(stack: RealStack) -> AsyncIterator[Logins]:
    """Request it before a database, so that it ends after it."""
    created = Logins()
    yield created
    for name in created.made:
        await query(stack.postgres_dsn, f"drop role {name}")


@pytest.fixture
def dsn(logins: Logins, database_dsn: str) -> str:
    migrate(database_dsn)
    return database_dsn


async def rights(dsn: str, role: str) -> dict[tuple[str, str], set[str]]:
    """What a role may do, by name and kind of the relation."""
    by_relation: dict[tuple[str, str], set[str]] = {}
    for row in await query(dsn, RIGHTS.format(role=role)):
        by_relation.setdefault((row["name"], row["kind"]), set()).add(row["may"])
    return by_relation


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_login_of_the_writer_runs_the_whole_sink(
    dsn: str, logins: Logins, *, pooled: bool
) -> None:
    events = [each for story in simulated_deliveries() for each in story]
    long_ago = int(datetime(2024, 2, 15, tzinfo=UTC).timestamp()) * 1000
    late = delivery(webhook("engagement_ended", {"engagement_id": "E"}, at_ms=long_ago))
    references = TopicPartition(REFERENCE_TOPIC, 0)
    writer = await logins.make(dsn, role="zcc_writer")
    async with owner(writer, transaction_pooling=pooled) as partition:
        assert await partition.store([*events, late]) == ()
        assert await partition.store(events) == ()
    async with owner(writer, source=references, transaction_pooling=pooled) as partition:
        assert await partition.store([snapshot("team", "T", {"team_id": "T"})]) == ()
    stored = await query(dsn, "select count(*) from zcc.raw_event")
    assert stored[0]["count"] == len({dict(each.headers)["zcc-event-id"] for each in events}) + 1
    (old,) = await query(
        dsn,
        "select count(*) from zcc.raw_event where tableoid <> all (array["
        "'zcc.raw_event_default', 'zcc.raw_event_2026_03']::regclass[])",
    )
    assert old["count"] == 1  # in a partition that was made for it


async def test_the_writer_has_the_rights_that_the_sink_needs_and_no_other(dsn: str) -> None:
    granted = await rights(dsn, "zcc_writer")
    written = {name for (name, _), may in granted.items() if may == {"SELECT", "INSERT", "UPDATE"}}
    assert written == {table.name for table in tables} | {"kafka_offset"}
    read = {name for (name, _), may in granted.items() if may == {"SELECT"}}
    nets = {f"{table.name}_default" for table in tables if table.partitioned}
    assert "alembic_version" in read
    assert read - {"alembic_version", "partitioning"} == nets
    assert len(granted) == len(written) + len(read)


async def test_the_writer_may_not_delete_nor_change_what_there_is(dsn: str, logins: Logins) -> None:
    writer = await logins.make(dsn, role="zcc_writer")
    for statement in (
        "delete from zcc.raw_event",
        "truncate zcc.engagement",
        "delete from zcc.kafka_offset",
        "drop table zcc.task",
        "alter table zcc.task add column mine text",
        "create table zcc.mine (id text)",
        "update zcc.alembic_version set version_num = '0000'",
        "select zcc.grant_rights()",
        "select * from zcc.engagement_summary",
    ):
        with pytest.raises(InsufficientPrivilege):
            await query(writer, statement)


async def test_a_login_of_the_reader_reads_the_views_and_nothing_else(
    dsn: str, logins: Logins
) -> None:
    relations = await query(
        dsn,
        "select relname, relkind::text as kind from pg_class "
        "where relnamespace = 'zcc'::regnamespace and relkind in ('r', 'p', 'v')",
    )
    views = {row["relname"] for row in relations if row["kind"] == "v"}
    assert views > {"engagement_summary", "queue_offer", "task_queue_stay"}
    assert await rights(dsn, "zcc_reader") == {(view, "v"): {"SELECT"} for view in views}
    reader = await logins.make(dsn, role="zcc_reader")
    for statement, _ in QUERIES:
        await query(reader, statement)
    for row in relations:
        select_all = f"select * from zcc.{row['relname']}"
        if row["kind"] == "v":
            await query(reader, select_all)
        else:
            with pytest.raises(InsufficientPrivilege):
                await query(reader, select_all)
    for statement in (
        "insert into zcc.agent (user_id) values ('U')",
        "delete from zcc.agent",
        "select zcc.grant_rights()",
        "create table zcc.mine (id text)",
    ):
        with pytest.raises(InsufficientPrivilege):
            await query(reader, statement)


async def test_what_runs_with_the_rights_of_the_owner_is_for_the_writer_alone(dsn: str) -> None:
    rows = await query(
        dsn,
        "select proname, proconfig, "
        "has_function_privilege('zcc_writer', oid, 'execute') as writer, "
        "has_function_privilege('zcc_reader', oid, 'execute') as reader "
        "from pg_proc where pronamespace = 'zcc'::regnamespace and prosecdef",
    )
    assert rows
    for row in rows:
        assert row["writer"], row["proname"]
        assert not row["reader"], row["proname"]
        assert row["proconfig"] == ["search_path=pg_catalog, pg_temp"]


@pytest.fixture
async def without_roles(stack: RealStack, logins: Logins, database_dsn: str) -> AsyncIterator[str]:
    """An empty database of a server that does not have the roles; they come back later."""

    async def renamed(admin: psycopg.AsyncConnection, before: str, after: str) -> None:
        for role in ROLES:
            (row,) = await (
                await admin.execute("select to_regrole(%s) is not null", (before.format(role),))
            ).fetchall()
            if row[0]:
                names = sql.Identifier(before.format(role)), sql.Identifier(after.format(role))
                await admin.execute(sql.SQL("alter role {} rename to {}").format(*names))

    async with await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as admin:
        await renamed(admin, "{}", "{}_kept")
        try:
            yield database_dsn
        finally:
            for role in ROLES:
                await query(database_dsn, f"drop owned by {role}; drop role {role}")
            await renamed(admin, "{}_kept", "{}")


async def test_a_login_that_may_not_make_roles_says_what_to_run_and_migrates_all_the_same(
    without_roles: str, logins: Logins
) -> None:
    migrator = await logins.make(without_roles)
    name = psycopg.conninfo.conninfo_to_dict(migrator)["user"]
    database = psycopg.conninfo.conninfo_to_dict(migrator)["dbname"]
    await query(without_roles, f'grant create on database "{database}" to "{name}"')
    with capture_logs() as logs:
        migrate(migrator)
    warnings = [entry["warning"] for entry in logs if entry["event"] == "postgres warns"]
    assert len(warnings) == len(ROLES)
    for role, warning in zip(ROLES, warnings, strict=True):
        assert f"create role {role} nologin;" in warning
        assert "select zcc.grant_rights();" in warning
        await query(without_roles, f"create role {role} nologin")
    await query(migrator, "select zcc.grant_rights()")
    assert await rights(without_roles, "zcc_reader") != {}
    assert await rights(without_roles, "zcc_writer") != {}


async def test_a_database_in_which_not_everybody_may_stage_rows_says_what_to_run(
    database_dsn: str,
) -> None:
    def notices_of(connection: psycopg.AsyncConnection) -> list[Any]:
        notices: list[Any] = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        return notices

    migrate(database_dsn)
    database = psycopg.conninfo.conninfo_to_dict(database_dsn)["dbname"]
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        notices = notices_of(connection)
        await connection.execute("select zcc.grant_rights()")
        assert notices == []
        await connection.execute(f'revoke temporary on database "{database}" from public'.encode())
        await connection.execute("select zcc.grant_rights()")
        (statement,) = notices
        assert f"grant temporary on database {database} to zcc_writer;" in statement
