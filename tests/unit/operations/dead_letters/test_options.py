"""What a person may say about dead letters, and what is refused."""

import pytest
import typer
from typer.testing import CliRunner

from operations.components import workers
from operations.dead_letters.executor import Operator
from operations.dead_letters.options import Limit, filtered, letter_filter, operator
from operations.dead_letters.reading import DeadLetterFilter
from operations.dead_letters.selection import Selection
from runtime.errors import ConfigurationError


def test_without_options_all_letters_of_all_workers_are_selected() -> None:
    assert letter_filter() == DeadLetterFilter(frozenset(workers), Selection())


def test_a_command_takes_these_options_along_with_its_own() -> None:
    app, given = typer.Typer(), []

    @app.command()
    @filtered
    def command(wanted: DeadLetterFilter, *, limit: Limit = None) -> None:
        given.append((wanted, limit))

    for arguments in ([], ["--worker", "postgres", "--event", "a", "--event", "b", "--limit", "2"]):
        assert CliRunner().invoke(app, arguments).exit_code == 0
    assert given == [
        (letter_filter(), None),
        (letter_filter(worker=["postgres"], event=["a", "b"]), 2),
    ]


def test_each_option_is_a_bound_of_its_own() -> None:
    assert letter_filter(
        worker=["postgres"],
        failure_reason=["defect", "parked"],
        event=["e"],
        key=["\u00e9"],
        origin_topic=["t"],
        fingerprint=["f"],
        from_="1970-01-01T00:00:01Z",
        to="1970-01-01T01:00:02+01:00",
    ) == DeadLetterFilter(
        frozenset({"postgres"}),
        Selection(
            reasons=frozenset({"defect", "parked"}),
            events=frozenset({"e"}),
            keys=frozenset({b"\xc3\xa9"}),
            origin_topics=frozenset({"t"}),
            fingerprints=frozenset({"f"}),
            from_ms=1000,
            to_ms=2000,
        ),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"worker": ["nobody"]}, "--worker nobody: expected one of enrichment, "),
        ({"failure_reason": ["fun"]}, "--failure-reason fun: expected one of defect, "),
        ({"from_": "yesterday"}, "--from yesterday: expected a time such as "),
        ({"to": "1900-01-01"}, "--to 1900-01-01: expected a time such as "),
    ],
)
def test_what_does_not_exist_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        letter_filter(**options)


def test_who_acts_is_who_says_so_or_the_user_of_the_system() -> None:
    assert operator("ann ", " mended ") == Operator("ann", "mended")
    assert operator(None, "", user=lambda: "bob") == Operator("bob", "")


def test_who_is_nobody_must_say_who_acts() -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    with pytest.raises(ConfigurationError, match="--by"):
        operator(None, "", user=nobody)


def test_a_reason_is_no_novel() -> None:
    assert operator("ann", "x" * 1000).reason == "x" * 1000
    with pytest.raises(ConfigurationError, match="at most 1000 characters"):
        operator("ann", "x" * 1001)
