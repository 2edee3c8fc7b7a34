"""What the person on call does to Postgres, as commands."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from sinks.postgres.privacy.classes import normal
from tests.component.operations.test_cli import zcc
from tests.support.participants import Participants
from tests.support.postgres import owner, query

ANN = Participants("ann", "+15550107001")


@pytest.fixture
def dsn(database_dsn: str) -> str:
    done = zcc("migrate", "--partition-by", "day", ZCC_POSTGRES_DSN=database_dsn)
    assert done.returncode == 0, done.stderr
    return database_dsn


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def test_partitions_are_as_long_as_the_option_of_migrate_says(dsn: str) -> None:
    assert await query(dsn, "select step from zcc.partitioning") == [{"step": "day"}]
    lines(zcc("migrate", ZCC_POSTGRES_DSN=dsn))
    assert await query(dsn, "select step from zcc.partitioning") == [{"step": "day"}]


def test_the_sql_of_one_phase_is_printed_from_a_revision() -> None:
    text = zcc("migrate", "--sql", "--since", "0005", "--phase", "post").stdout
    assert "drop function zcc.make_month_partition" in text
    assert "create table" not in text
    wrong = zcc("migrate", "--sql", "--since", "0001", "--phase", "post")
    assert wrong.returncode == 2
    assert "run `zcc migrate --phase pre`" in wrong.stderr


async def test_erase_counts_first_and_says_what_it_cannot_reach(dsn: str, tmp_path: Path) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    person = tmp_path / "person"
    person.write_text("# as given on the telephone\nconsumer-number: 1 555 010 7001\n")
    command = ("erase", str(person))
    dry = lines(zcc(*command, ZCC_POSTGRES_DSN=dsn))
    assert any(line.startswith("to be erased with --apply from ") for line in dry)
    done = lines(zcc(*command, "--apply", ZCC_POSTGRES_DSN=dsn))
    assert [line for line in dry if line.endswith(" rows")] == [
        line for line in done if line.endswith(" rows")
    ]
    assert done[-1].startswith("Not erased: topics in Kafka, objects")
    again = lines(zcc(*command, ZCC_POSTGRES_DSN=dsn))
    assert again[0].startswith("to be erased with --apply from 0 rows")
    tokens = await query(dsn, "select distinct consumer_number as n from zcc.engagement")
    assert all(row["n"] is None or row["n"].startswith("erased-") for row in tokens)


async def test_a_user_is_erased_by_email_from_standard_input(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    await query(dsn, f"update zcc.app_user set user_email = 'a@b' where user_id = '{ANN.user_id}'")
    done = lines(zcc("erase", "-", "--apply", stdin="user: A@b\n", ZCC_POSTGRES_DSN=dsn))
    assert "app_user: 1 rows" in done
    nobody = zcc("erase", "-", stdin="user: x@y", ZCC_POSTGRES_DSN=dsn)
    assert (nobody.returncode, "no user has this e-mail address" in nobody.stderr) == (2, True)
    assert "x@y" not in nobody.stderr


def test_erase_needs_one_person() -> None:
    done = zcc("erase", "-", stdin="", ZCC_POSTGRES_DSN="host=nowhere.invalid")
    assert done.returncode == 2
    assert "name one person" in done.stderr


def test_erase_takes_no_value_from_its_command_line() -> None:
    done = zcc("erase", "--consumer-number", "1", ZCC_POSTGRES_DSN="host=nowhere.invalid")
    assert (done.returncode, "No such option" in done.stderr) == (2, True)


async def test_commands_log_in_as_the_owner_where_one_is_named(dsn: str) -> None:
    """The other login gets nowhere."""
    logins = {"ZCC_POSTGRES_DSN": "host=127.0.0.1 port=1", "ZCC_POSTGRES_OWNER_DSN": dsn}
    (revision,) = lines(zcc("migrate", **logins))
    assert await query(
        dsn, f"select 1 as same from zcc.alembic_version where version_num = '{revision}'"
    )
    assert lines(zcc("retention", ZCC_POSTGRES_RETENTION_RAW_DAYS="1", **logins)) == [
        "nothing has expired"
    ]
    assert lines(zcc("offsets", "show", "postgres", **logins)) == []
    assert lines(zcc("erase", "-", stdin="user: U1", **logins))[0].startswith("to be erased")


async def test_retention_lists_first_and_removes_then(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    (line,) = lines(zcc("retention", ZCC_POSTGRES_DSN=dsn))
    assert line.startswith("no retention is set")
    young = {"ZCC_POSTGRES_DSN": dsn, "ZCC_POSTGRES_RETENTION_RAW_DAYS": "36500"}
    assert lines(zcc("retention", **young)) == ["nothing has expired"]
    settings = {"ZCC_POSTGRES_DSN": dsn, "ZCC_POSTGRES_RETENTION_RAW_DAYS": "1"}
    expected = "raw_event: partition raw_event_2026_01_15, about "
    assert any(line.startswith(expected) for line in lines(zcc("retention", **settings)))
    assert await query(dsn, "select 1 as one from zcc.raw_event limit 1")
    assert lines(zcc("retention", "--apply", **settings))[-1] == "removed: 1 partitions and tables"
    assert not await query(dsn, "select 1 as one from zcc.raw_event limit 1")


async def test_offsets_are_shown_and_forgotten(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
        position = sink.position
    (line,) = lines(zcc("offsets", "show", "postgres", ZCC_POSTGRES_DSN=dsn))
    assert line.startswith(f"zcc.enriched.engagement.v1/0  next {position}  epoch 1  ")
    assert line.endswith("  cluster cluster  topic id not known")
    done = lines(zcc("offsets", "reset", "postgres", "--yes", ZCC_POSTGRES_DSN=dsn))
    assert done == ["deleted the offsets of 1 partitions of zcc.postgres"]
    assert lines(zcc("offsets", "show", "postgres", ZCC_POSTGRES_DSN=dsn)) == []


async def test_addresses_have_the_same_form_in_the_database(dsn: str) -> None:
    written = ("+1 (555) 010-7001", "0015550107001", "00", "+1", "", " A@B.example ", "a.b", "/12/")
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "select zcc.normal_address(each) from unnest(%s::text[]) each", (list(written),)
        )
        forms = [row[0] for row in await cursor.fetchall()]
    assert forms == [normal("phone", each) for each in written]
