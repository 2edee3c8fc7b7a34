"""What the database is given of a batch."""

from collections.abc import Iterable, Sequence

from runtime.values import Delivery
from schemas.reasons import DeadLetterReason
from sinks.postgres.model.registry import Message
from sinks.postgres.model.rows import raw_table, tables
from sinks.postgres.write.batch_preparation import Preparation, least_copied_rows
from tests.support.enriched_records import START_MS, delivery, webhook, with_fields
from tests.support.projections import snapshot

by_name = {table.name: table for table in tables}


def kept(messages: Iterable[Message]) -> Sequence[Message]:
    return list(messages)


usual = Preparation(kept, projections=True, staged=True)


def calls(count: int, **members: object) -> list[Delivery]:
    return [
        delivery(
            webhook("engagement_started", {"engagement_id": "E", **members}, at_ms=START_MS + n)
        )
        for n in range(count)
    ]


def test_many_rows_are_copied_and_few_are_passed() -> None:
    prepared = usual.of(calls(least_copied_rows))
    assert {each.table.name for each in prepared.copied} == {"raw_event", "engagement_timeline"}
    assert [each.table.name for each in prepared.passed] == ["engagement"]
    assert usual.of(calls(least_copied_rows - 1)).copied == []


def test_without_staging_tables_all_rows_are_passed() -> None:
    prepared = usual._replace(staged=False).of(calls(least_copied_rows))
    assert prepared.copied == []
    assert {each.table.name for each in prepared.passed} > {"raw_event", "engagement_timeline"}


def test_without_projections_there_are_raw_rows_only() -> None:
    prepared = usual._replace(projections=False).of([*calls(2), *calls(1, user_id="u" * 300)])
    assert [each.table for each in prepared.passed] == [raw_table]
    assert prepared.omissions == ()


def test_what_is_counted_is_kept() -> None:
    prepared = usual.of([*calls(2), *calls(1, note="a\0b")])
    assert prepared.times_ms == [START_MS, START_MS + 1, START_MS]
    assert (prepared.accepted_ms, prepared.sanitised) == (START_MS + 200, 1)


def test_references_are_no_events_and_tables_without_rows_are_left_out() -> None:
    prepared = usual.of([snapshot("user", "U1", {"user_id": "U1"})])
    assert (prepared.times_ms, prepared.accepted_ms) == ([], None)
    assert [each.table.name for each in prepared.passed] == ["app_user"]


def test_an_unreadable_record_is_the_only_result_of_its_batch() -> None:
    good = calls(1)[0]
    prepared = usual.of([good, with_fields(good, value=b"{", offset=7)])
    (rejection,) = prepared.rejections
    assert (rejection.offset, rejection.reason) == (7, DeadLetterReason.UNREADABLE)
    assert (prepared.copied, prepared.passed) == ((), ())


def test_what_may_not_be_stored_is_treated_before_rows_are_made() -> None:
    nothing = usual._replace(treat=lambda _: [])
    assert nothing.of(calls(2)).passed == []
    assert nothing.messages(calls(2)) == []


def test_the_rows_of_one_table_can_be_requested() -> None:
    messages = usual.messages(calls(3))
    assert len(usual.rows(messages, raw_table)) == 3
    assert usual.rows(messages, by_name["task"]) == ()
