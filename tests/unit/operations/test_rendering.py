"""What people see: the live view and the accounting as text."""

import json
from io import StringIO

from rich.console import Console

from operations.local.live_view import LiveView, Stage, stages
from operations.reconcile.accounting import Accounting
from operations.reconcile.command import _json, _lines

before = {
    "ingest": b'zcc_ingest_accepted_total{family="task"} 10.0\n',
    "postgres": b'zcc_worker_records_total{worker="postgres"} 4.0\n',
}
now = {
    "ingest": b'zcc_ingest_accepted_total{family="task"} 30.0\n'
    b'zcc_ingest_accepted_total{family="user"} 5.0\n'
    b'zcc_ingest_refused_total{app="default",reason="signature"} 1.0\n',
    "postgres": b'zcc_worker_records_total{worker="postgres"} 24.0\n'
    b'zcc_worker_lag_records{worker="postgres",topic="a"} 3.0\n'
    b'zcc_worker_lag_records{worker="postgres",topic="b"} 4.0\n'
    b'zcc_worker_errors_total{worker="postgres",stage="write",kind="transient"} 2.0\n',
}


def test_stages_show_what_was_done_between_two_readings() -> None:
    assert stages(now, before, 2.0) == [
        Stage("ingest", done=35, rate_per_s=12.5, lag=0, errors=1),
        Stage("postgres", done=24, rate_per_s=10.0, lag=7, errors=2),
    ]


def test_what_a_poller_published_is_done() -> None:
    exposition = b'zcc_poller_records_total{worker="reference",feed="user"} 7.0\n'
    assert stages({"reference": exposition}, {}, 0.0) == [
        Stage("reference", done=7, rate_per_s=0.0, lag=0, errors=0)
    ]


def test_a_part_that_was_restarted_has_no_negative_rate() -> None:
    (row, _) = stages(before, now, 1.0)
    assert row.rate_per_s == 0.0


def test_the_first_reading_has_no_rate() -> None:
    assert {row.rate_per_s for row in stages(now, {}, 0.0)} == {0.0}


def test_a_terminal_gets_a_table_and_a_file_gets_lines() -> None:
    rows = stages(now, before, 2.0)
    terminal, file = StringIO(), StringIO()
    with LiveView(Console(file=terminal, force_terminal=True, width=80)) as view:
        view.show(rows, sent=40)
    with LiveView(Console(file=file, width=80)) as view:
        view.show(rows, sent=40)
    assert "40 events sent" in terminal.getvalue()
    assert "per second" in terminal.getvalue()
    (line,) = file.getvalue().splitlines()
    assert line.startswith("sent=40 | ingest done=35 rate=12/s lag=0 errors=1 | postgres")


def test_missing_events_are_listed_by_store_and_cut_for_people_only() -> None:
    ids = tuple(f"id{number:02d}" for number in range(25))
    result = Accounting(30, ids, {"topics": (), "postgres": ids})
    aside = {"enrichment": 1, "postgres": 0}
    text = _lines(result, aside, 4)
    assert "unaccounted   25" in text
    assert "dead letters  1 (enrichment 1)" in text
    assert "quarantined   4" in text
    assert "missing in topics: 0" in text
    assert "id19" in text
    assert "id20" not in text
    assert "and 5 more (--json shows all)" in text
    assert json.loads(_json(result, aside, 4)) == {
        "accepted": 30,
        "unaccounted": list(ids),
        "missing": {"topics": [], "postgres": list(ids)},
        "dead_letters": aside,
        "quarantined": 4,
    }
