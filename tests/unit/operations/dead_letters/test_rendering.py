"""Dead letters as people and programs are shown them."""

from dataclasses import replace

import pytest

from operations.dead_letters import views
from operations.dead_letters.actions import Act, ActionRefused
from operations.dead_letters.audit import Handling
from operations.dead_letters.letter import letter_of
from runtime.values import Delivery, Record

read = Delivery("dead", 0, 5, None, b"body", (("zcc-error", b"\x1b]0;[bold]\x07"),), 9)
letter = letter_of(read, worker="w")
HANDLED = Handling("discarded", "ann", "2026-01-15T09:30:00.000Z", "")


@pytest.mark.parametrize(
    ("body", "expected", "lines"),
    [
        (b'{"a": "\xc3\xa9"}', {"body": '{"a": "é"}'}, ["body:", '{"a": "é"}']),
        (b"\xff\x00", {"body_base64": "/wA="}, ["body:", "\\xff\\x00"]),
        (b"a\nb", {"body": "a\nb"}, ["body:", "a", "b"]),
        (b"", {"body": ""}, ["body:"]),
        (None, {"body": None}, ["body: none"]),
    ],
)
def test_a_body_is_shown_whatever_it_is(
    body: bytes | None, expected: dict[str, object], lines: list[str]
) -> None:
    assert views.body_object(body) == expected
    assert list(views.body_lines(body)) == lines


def test_nothing_from_elsewhere_reaches_a_terminal_as_it_is() -> None:
    assert views.printable("\x1b]0;x\x07 é \u202e\n") == "\\x1b]0;x\\x07 é \\u202e\\n"
    lines = list(views.whole_letter_lines(read, letter, None))
    assert "  zcc-error: \\x1b]0;[bold]\\x07" in lines
    assert "key: none" in lines
    assert "handled: no" in lines
    assert views.outcome_line(letter, ActionRefused("\x1b")) == "refused dead/0/5: \\x1b"


def test_a_handled_letter_shows_how_and_the_reason_if_there_is_one() -> None:
    for handling, expected in (
        (HANDLED, "discarded by ann at 2026-01-15T09:30:00.000Z"),
        (HANDLED._replace(reason="ours"), "discarded by ann at 2026-01-15T09:30:00.000Z: ours"),
    ):
        assert f"handled: {expected}" in list(views.whole_letter_lines(read, letter, handling))


def test_the_table_has_a_column_for_the_handling_only_where_one_is_handled() -> None:
    assert len(views.letters_table([(letter, None)]).columns) == 7
    table = views.letters_table([(letter, None), (replace(letter, replays=1), HANDLED)])
    assert len(table.columns) == 8
    assert table.row_count == 2


def test_outcomes_tell_what_was_done_and_where_it_went() -> None:
    replayed, discarded = Act("replayed", Record("t", None, b""), 2), Act("discarded", None, 0)
    fixed = {"letter": "dead/0/5", "fingerprint": letter.fingerprint}
    assert views.outcome_object(letter, replayed) == fixed | {
        "outcome": "replayed",
        "to": "t",
        "replays": 2,
    }
    assert views.outcome_object(letter, discarded)["to"] is None
    assert views.outcome_object(letter, ActionRefused("no")) == fixed | {
        "outcome": "refused",
        "why": "no",
    }
    assert views.outcome_line(letter, replayed) == "replayed dead/0/5 to t"
    assert views.outcome_line(letter, discarded) == "discarded dead/0/5"
