"""One person is erased from all tables, and nobody else."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from runtime.errors import ConfigurationError
from runtime.values import TopicPartition
from sinks.postgres.model.rows import tables
from sinks.postgres.privacy.erasure import Erased, erase, users_of_email
from sinks.postgres.privacy.person_search import ErasureRequest
from sinks.postgres.privacy.pseudonyms import pseudonym
from tests.support.enriched_records import START_MS, delivery, webhook
from tests.support.participants import Participants
from tests.support.postgres import owner, query
from tests.support.projections import REFERENCE_TOPIC, snapshot

KEY = b"a key of sixteen characters"
ANN = Participants("ann", "+15550107001")
BOB = Participants("bob", "+15550107002")


async def erased(dsn: str, erasure: ErasureRequest, *, apply: bool = True) -> Erased:
    numbers = itertools.count(1)
    return await asyncio.to_thread(
        erase, dsn, erasure, key=KEY, token=lambda: f"erased-{next(numbers)}", apply=apply
    )


async def contents(dsn: str) -> dict[str, set[str]]:
    """All rows of all tables as text."""
    return {
        table.name: {
            row["text"]
            for row in await query(dsn, f"select t::text as text from zcc.{table.name} t")
        }
        for table in tables
    }


def traces(rows: dict[str, set[str]], values: tuple[str, ...]) -> dict[str, set[str]]:
    matches = {
        name: {row for row in some if any(value in row for value in values)}
        for name, some in rows.items()
    }
    return {name: some for name, some in matches.items() if some}


def others(rows: dict[str, set[str]], values: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    own = traces(rows, values)
    for name, some in rows.items():
        yield from ((name, row) for row in some - own.get(name, set()))


@pytest.mark.parametrize(
    "erasure",
    [
        ErasureRequest("consumer", numbers=("001 (555) 010-7001",)),
        ErasureRequest("consumer", ids=(ANN.consumer_id,)),
        ErasureRequest("consumer", emails=("ANN@consumers.example.com",)),
    ],
)
async def test_a_consumer_is_gone_from_every_column_and_nobody_else(
    dsn: str, erasure: ErasureRequest
) -> None:
    async with owner(dsn) as sink:
        await sink.store([*ANN.deliveries(), *BOB.deliveries()])
    before = await contents(dsn)
    assert len(traces(before, ANN.consumer_traces)) > 10
    result = await erased(dsn, erasure)
    after = await contents(dsn)
    assert traces(after, ANN.consumer_traces) == {}
    untouched = set(others(before, (*ANN.consumer_traces, *ANN.user_traces, "-ann")))
    assert untouched <= set(others(after, ()))
    assert traces(after, BOB.consumer_traces) == traces(before, BOB.consumer_traces)
    assert traces(after, BOB.user_traces) == traces(before, BOB.user_traces)
    assert result.rows == {
        name: len(some - after[name]) for name, some in before.items() if some - after[name]
    }
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }


async def test_agents_stay_in_the_engagements_of_an_erased_consumer(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    await erased(dsn, ErasureRequest("consumer", ids=(ANN.consumer_id,)))
    rows = await query(
        dsn,
        "select user_display_name from zcc.engagement_timeline where user_display_name is not null",
    )
    assert {row["user_display_name"] for row in rows} == {
        "known of ann",
        "user_display_name known of ann",
    }
    people = await query(
        dsn,
        "select distinct kind, display_name from zcc.engagement_participant "
        "where kind <> 'supervisor'",
    )
    assert {row["kind"] for row in people if row["display_name"]} == {"user"}
    assert {row["kind"] for row in people} == {"user", "consumer"}


async def test_a_user_is_gone_from_every_column_and_nobody_else(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store([*ANN.deliveries(), *BOB.deliveries()])
    before = await contents(dsn)
    assert len(traces(before, ANN.user_traces)) > 10
    await erased(dsn, ErasureRequest("user", ids=(ANN.user_id,)))
    after = await contents(dsn)
    assert traces(after, ANN.user_traces) == {}
    untouched = set(others(before, ANN.user_traces))
    assert untouched <= set(others(after, ()))
    for name, rows in traces(before, ANN.consumer_traces).items():
        assert len(traces(after, ANN.consumer_traces)[name]) == len(rows)


async def test_a_dry_run_counts_the_same_and_changes_nothing(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    before = await contents(dsn)
    erasure = ErasureRequest("consumer", numbers=(ANN.number,))
    result = await erased(dsn, erasure, apply=False)
    assert await contents(dsn) == before
    assert await query(dsn, "select 1 as one from zcc.audit") == []
    assert await erased(dsn, erasure) == result
    assert (await erased(dsn, erasure)).rows == {}


async def test_the_audit_says_who_and_how_many_and_no_value(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(ANN.deliveries())
    erasure = ErasureRequest("consumer", numbers=(ANN.number,), emails=(ANN.email,))
    result = await erased(dsn, erasure)
    (row,) = await query(dsn, "select *, session_user as me from zcc.audit")
    assert row["act"] == "erase"
    assert row["login"] == row["me"]
    assert row["asked"] == {"kind": "consumer", "numbers": 1, "emails": 1}
    assert row["counts"] == result.rows
    assert row["finished_at"] >= row["started_at"]
    assert len(row["digest"]) == 64
    assert traces({"audit": {str(row)}}, ANN.consumer_traces) == {}


async def test_pseudonyms_of_the_person_are_found(dsn: str) -> None:
    treatments = {"phone": "pseudonymise", "pseudonymous_id": "pseudonymise", "email": "drop"}
    async with owner(dsn, personal_data=treatments, pseudonym_key=KEY.decode()) as sink:
        await sink.store(ANN.deliveries())
    before = await contents(dsn)
    assert traces(before, (ANN.number, ANN.consumer_id)) == {}
    pseudonyms = (
        pseudonym("phone", ANN.number, key=KEY),
        pseudonym("pseudonymous_id", ANN.consumer_id, key=KEY),
    )
    assert len(traces(before, pseudonyms)) > 5
    await erased(dsn, ErasureRequest("consumer", numbers=(ANN.number,)))
    assert traces(await contents(dsn), (*pseudonyms, "said by ann")) == {}


async def test_a_number_that_only_shares_the_consumer_id_is_erased_as_well(dsn: str) -> None:
    def call(engagement_id: str, consumer_id: str, number: str) -> dict[str, str]:
        return {
            "engagement_id": engagement_id,
            "consumer_id": consumer_id,
            "consumer_number": number,
        }

    status = {"message_id": "M1", "channel": "sms", "from": "+15550107777", "to": "+15550100099"}
    bodies = [
        webhook("engagement_started", call("E1", "C1", "+15550107001")),
        webhook("engagement_started", call("E2", "C1", "+15550107777")),
        webhook("engagement_started", call("E3", "C2", "+15550107002")),
        webhook("message_status", status, at_ms=START_MS + 1000),
    ]
    async with owner(dsn) as sink:
        await sink.store([delivery(body) for body in bodies])
    await erased(dsn, ErasureRequest("consumer", numbers=("+15550107001",)))
    after = await contents(dsn)
    assert traces(after, ("15550107001", "15550107777", "C1")) == {}
    assert len(traces(after, ("15550107002",))) > 1


async def test_a_number_of_the_contact_center_is_refused(dsn: str) -> None:
    call = {"engagement_id": "E1", "contact_center_number": "+15550100099", "channel": "sms"}
    async with owner(dsn) as sink:
        await sink.store([delivery(webhook("engagement_started", call))])
    with pytest.raises(ConfigurationError, match="number of the contact center itself"):
        await erased(dsn, ErasureRequest("consumer", numbers=("1 555 010 0099",)))


async def test_a_user_is_found_by_email(dsn: str) -> None:
    profile = {"user_id": "U1", "display_name": "Alex", "user_email": "Alex@example.com"}
    async with owner(dsn) as sink:
        await sink.store([delivery(webhook("user_created", profile))])
    assert await asyncio.to_thread(users_of_email, dsn, "alex@EXAMPLE.com") == ("U1",)
    assert await asyncio.to_thread(users_of_email, dsn, "nobody@example.com") == ()


async def test_numbers_in_the_document_of_an_erased_person_stay_exact(dsn: str) -> None:
    call = {"engagement_id": "E1", "consumer_id": "C1", "big": 1, "exact": 0.1}
    body = webhook("engagement_started", call).replace(b'"big":1', b'"big":' + b"9" * 30)
    async with owner(dsn) as sink:
        await sink.store([delivery(body)])
    await erased(dsn, ErasureRequest("consumer", ids=("C1",)))
    (row,) = await query(dsn, "select payload #>> '{payload,object}' as text from zcc.raw_event")
    assert f'"big": {"9" * 30}' in row["text"]
    assert '"exact": 0.1' in row["text"]
    assert '"C1"' not in row["text"]


async def test_rows_that_would_become_the_same_are_one(dsn: str) -> None:
    def opt_in(engagement_id: str, number: str, at_ms: int) -> bytes:
        terms = {"consumer_number": number, "contact_center_number": "+15550100099"}
        entity = {"engagement_id": engagement_id, "sms": terms}
        return webhook("consumer_messaging_opt_in", entity, at_ms=at_ms)

    written = ("+15550107001", "15550107001", "+1 (555) 010-7001", "+15550107002")
    bodies = [opt_in(f"E{index}", each, START_MS + index) for index, each in enumerate(written)]
    treatments = {"phone": "pseudonymise"}
    async with owner(dsn) as sink:
        await sink.store([delivery(body) for body in bodies])
    async with owner(dsn, personal_data=treatments, pseudonym_key=KEY.decode()) as sink:
        await sink.store([delivery(opt_in("E4", "+15550107001", START_MS + 4))])
    result = await erased(dsn, ErasureRequest("consumer", numbers=("+15550107001",)))
    assert result.rows["consent"] == result.rows["consent_history"] == 4
    after = await contents(dsn)
    assert traces(after, ("5550107001", "010-7001", "pseudonym-")) == {}
    assert len(after["consent"]) == 2
    assert len(after["consent_history"]) == 5


async def test_what_is_looked_up_of_a_person_without_a_table_goes_too(dsn: str) -> None:
    references = TopicPartition(REFERENCE_TOPIC, 0)
    snapshots = [
        snapshot("contact", "C1", {"display_name": "Ann", "phone_number": "+15550107001"}),
        snapshot("contact", "C2", {"display_name": "Bob", "phone_number": "+15550107002"}),
        snapshot("flow", "F1", {"flow_name": "Main"}),
    ]
    async with owner(dsn, source=references) as sink:
        await sink.store(snapshots)
    await erased(dsn, ErasureRequest("consumer", ids=("C1",)))
    rows = await query(dsn, 'select id, state from zcc.reference_entity order by id collate "C"')
    assert rows == [
        {"id": "C2", "state": {"display_name": "Bob", "phone_number": "+15550107002"}},
        {"id": "F1", "state": {"flow_name": "Main"}},
        {"id": "erased-1", "state": {}},
    ]
