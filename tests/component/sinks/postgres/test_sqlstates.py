"""What a write does about an error, by the SQLSTATE that the server gives it."""

import psycopg
import pytest

from runtime.errors import ConfigurationError, TransientError
from runtime.values import Delivery
from schemas.reasons import DeadLetterReason
from sinks.postgres.migrate import migrate
from tests.support.enriched_records import delivery, webhook
from tests.support.postgres import owner, query

WORLD = ("08006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57P01", "57P03", "58030")
RECORD = ("22003", "22021", "22P02", "23502", "23514")
OPERATOR = ("28000", "3D000", "3F000", "42501", "42703", "42P01")
OURS = ("0A000", "P0001", "55006")


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    migrate(database_dsn)
    await query(
        database_dsn,
        """
        create table refusal as select ''::text as state;
        create function refuse() returns trigger language plpgsql as $$
        declare code text := (select state from refusal);
        begin
            if new.subject like '%BAD' then
                raise exception 'as requested' using errcode = code;
            end if;
            return new;
        end $$;
        create trigger refuse before insert on zcc.raw_event for each row execute function refuse();
        """,
    )
    return database_dsn


def event(team_id: str) -> Delivery:
    return delivery(webhook("team_created", {"team_id": team_id}))


async def refuse_with(dsn: str, state: str) -> None:
    await query(dsn, f"update refusal set state = '{state}'")


async def nothing_stored(dsn: str) -> bool:
    return not await query(dsn, "select 1 from zcc.raw_event")


@pytest.mark.parametrize("state", WORLD)
async def test_a_transient_error_is_retried_and_rejects_nothing(dsn: str, state: str) -> None:
    async with owner(dsn) as writer:
        await refuse_with(dsn, state)
        for _ in range(2):
            with pytest.raises(TransientError, match=state):
                await writer.store([event("BAD"), event("T")])
        assert await nothing_stored(dsn)
        await query(dsn, "drop trigger refuse on zcc.raw_event")
        assert not await writer.store([event("BAD"), event("T")])


@pytest.mark.parametrize("state", RECORD)
async def test_an_error_of_a_row_rejects_that_row_alone(dsn: str, state: str) -> None:
    async with owner(dsn) as writer:
        await refuse_with(dsn, state)
        (rejection,) = await writer.store([event("T1"), event("BAD"), event("T2")])
        assert (rejection.offset, rejection.reason) == (1, DeadLetterReason.STORE_REFUSED)
        assert rejection.detail.startswith(state)
        assert not await writer.store([event("T1"), event("T2")])


@pytest.mark.parametrize("state", OPERATOR)
async def test_an_error_of_the_operator_halts(dsn: str, state: str) -> None:
    async with owner(dsn) as writer:
        await refuse_with(dsn, state)
        with pytest.raises(ConfigurationError, match=f"{state}.*zcc migrate"):
            await writer.store([event("BAD")])
    assert await nothing_stored(dsn)


@pytest.mark.parametrize("state", OURS)
async def test_any_other_error_is_a_defect_of_ours(dsn: str, state: str) -> None:
    async with owner(dsn) as writer:
        await refuse_with(dsn, state)
        with pytest.raises(psycopg.Error) as raised:
            await writer.store([event("BAD")])
    assert raised.value.sqlstate == state
    assert await nothing_stored(dsn)
