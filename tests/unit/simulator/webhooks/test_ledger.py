from pathlib import Path

import pytest
from pydantic import ValidationError

from simulator.webhooks.ledger import LedgerEntry, LedgerWriter, Tally, Totals, read_ledger
from simulator.webhooks.retry_schedule import Answer, Outcome


def entry(
    event_id: str, *statuses: Answer, outcome: Outcome = Outcome.ACCEPTED, duplicate: bool = False
) -> LedgerEntry:
    return LedgerEntry(
        event="contact_center.user_login",
        event_id=event_id,
        request_id=f"{event_id}-{duplicate}",
        duplicate=duplicate,
        attempts=len(statuses),
        statuses=statuses,
        outcome=outcome,
        first_sent_at="2025-01-01T00:00:00+00:00",
        accepted_at="2025-01-01T00:00:01+00:00" if outcome is Outcome.ACCEPTED else None,
    )


def record(ledger: LedgerWriter, *entries: LedgerEntry) -> None:
    ledger.opened("contact_center.user_login", entries[0].event_id, notifications=len(entries))
    for each in entries:
        for attempt in range(1, each.attempts + 1):
            ledger.attempted(attempt=attempt)
        ledger.closed(each)


def test_what_was_written_is_read_back_with_the_same_totals(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    entries = (
        entry("a", 503, "timeout", 204),
        entry("b", "network_error", 500, 502, 503, outcome=Outcome.GIVEN_UP),
        entry("c", 301, outcome=Outcome.LOST),
    )
    with LedgerWriter(path) as ledger:
        for each in entries:
            record(ledger, each)
        totals = ledger.totals
    read = read_ledger(path)
    assert read.entries == entries
    assert read.accepted_ids == {"a"}
    assert read.totals == totals
    assert totals == Totals(
        events=3,
        deliveries=8,
        duplicates_sent=0,
        retries=5,
        accepted=1,
        given_up=1,
        lost=1,
        by_event={"contact_center.user_login": 3},
    )


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        (Outcome.LOST, Outcome.ACCEPTED, "accepted"),
        (Outcome.ACCEPTED, Outcome.GIVEN_UP, "accepted"),
        (Outcome.LOST, Outcome.GIVEN_UP, "given_up"),
        (Outcome.LOST, Outcome.LOST, "lost"),
    ],
)
def test_an_event_recorded_twice_counts_once_by_its_better_outcome(
    tmp_path: Path, first: Outcome, second: Outcome, counted: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    with LedgerWriter(path) as ledger:
        record(ledger, entry("a", 1, outcome=first), entry("a", 1, outcome=second, duplicate=True))
        totals = ledger.totals
    assert (totals.events, totals.duplicates_sent) == (1, 1)
    assert {counted: 1} == {
        name: count for name in ("accepted", "given_up", "lost") if (count := getattr(totals, name))
    }
    assert read_ledger(path).totals == totals


def test_an_event_on_its_way_has_no_outcome_yet() -> None:
    with LedgerWriter() as ledger:
        ledger.opened("contact_center.user_login", "a", notifications=2)
        ledger.attempted(attempt=1)
        ledger.closed(entry("a", 204))
        totals = ledger.totals
    assert (totals.events, totals.accepted) == (1, 0)


def test_each_outcome_is_in_the_file_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with LedgerWriter(path) as ledger:
        record(ledger, entry("a", 204))
        assert len(read_ledger(path).entries) == 1
        record(ledger, entry("b", 204))
        assert len(read_ledger(path).entries) == 2


def test_a_second_run_appends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for event_id in ("a", "b"):
        with LedgerWriter(path) as ledger:
            record(ledger, entry(event_id, 204))
    assert read_ledger(path).accepted_ids == {"a", "b"}


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "x"}\n')
    with pytest.raises(ValidationError):
        read_ledger(path)


def test_events_that_came_to_their_end_are_forgotten() -> None:
    tally = Tally()
    for number in range(100):
        tally.opened("contact_center.user_login", str(number), notifications=1)
        tally.closed(str(number), Outcome.ACCEPTED)
    assert tally._on_their_way == {}
    assert tally.totals.accepted == 100
