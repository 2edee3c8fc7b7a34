"""A table of cases as one test: all run, the failures are listed, fixtures come as ever."""

from pathlib import Path

import pytest

from tests.support.each_case import MOST_LISTED, CasesFailedError, each_case


def test_every_case_runs_and_each_failure_is_listed() -> None:
    seen = []

    @each_case("number", range(6))
    def even(number: int) -> None:
        seen.append(number)
        assert number % 2 == 0, f"{number} is odd"

    with pytest.raises(CasesFailedError) as caught:
        even()
    assert seen == [0, 1, 2, 3, 4, 5]
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[0] == "3 of 6 cases failed:"
    assert [line.partition(": AssertionError: ")[::2] for line in lines[1:]] == [
        (f"{number}", f"{number} is odd") for number in (1, 3, 5)
    ]
    assert str(caught.value.__cause__).startswith("1 is odd")


async def test_cases_of_a_coroutine_are_awaited() -> None:
    @each_case("number", range(2))
    async def none_is_one(number: int) -> None:
        assert number != 1

    with pytest.raises(CasesFailedError, match="1 of 2 cases failed"):
        await none_is_one()


def test_a_long_list_of_failures_is_cut_and_says_so() -> None:
    @each_case("number", range(MOST_LISTED + 2))
    def never(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(CasesFailedError, match="and 2 more"):
        never()


def test_a_table_without_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no case"):
        each_case("number", ())


def test_a_skip_skips_the_whole_test() -> None:
    @each_case("number", range(2))
    def skipped(number: int) -> None:
        pytest.skip("nothing to check")

    with pytest.raises(pytest.skip.Exception):
        skipped()


@each_case("number", range(2))
def test_fixtures_and_the_case_are_handed_in(tmp_path: Path, number: int) -> None:
    assert tmp_path.is_dir()
    assert number in (0, 1)
