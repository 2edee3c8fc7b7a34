"""One test over a table of cases: it runs them all and lists those that fail."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

MOST_LISTED = 40


class CasesFailedError(AssertionError):
    """Some cases of a table failed; the message lists them, the cause is the first failure."""

    def __init__(self, failures: dict[str, Exception], count: int) -> None:
        lines = [f"{name}: {_first_line(error)}" for name, error in failures.items()]
        left_out = len(lines) - MOST_LISTED
        rest = [f"and {left_out} more"] if left_out > 0 else []
        said = [f"{len(failures)} of {count} cases failed:", *lines[:MOST_LISTED], *rest]
        super().__init__("\n  ".join(said))


def each_case[T](
    argument: str, cases: Iterable[T], *, name: Callable[[T], str] = str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run the decorated test once per case, as one test that fails with a list of all failures.

    The fixtures are those of one test: cases share them, also `tmp_path`. A skip skips the test.
    """
    table = {name(case): case for case in cases}
