"""One test over a table of cases: it runs them all and lists those that fail."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

MOST_LISTED = 40

Case = TypeVar("Case")
Test = Callable[..., Any]


class CasesFailedError(AssertionError):
    """Some cases of a table failed; the message lists them, the cause is the first failure."""

    def __init__(self, failures: Mapping[str, Exception], count: int) -> None:
        lines = [f"{name}: {_first_line(error)}" for name, error in failures.items()]
        hidden = len(lines) - MOST_LISTED
        more = [f"and {hidden} more"] if hidden > 0 else []
        head = f"{len(failures)} of {count} cases failed:"
        super().__init__("\n  ".join([head, *lines[:MOST_LISTED], *more]))


def each_case(
    argument: str, cases: Iterable[Case], *, name: Callable[[Case], str] = str
) -> Callable[[Test], Test]:
    """Run the decorated test with every case, as one test that lists all failures at its end.

    Cases share the fixtures of the test, `tmp_path` included. A skip skips the whole test.
    """
    table = {name(case): case for case in cases}
    if not table:
        raise ValueError("there is no case: the test could not fail")

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)
        fixtures = [each for each in signature.parameters.values() if each.name != argument]

        @wraps(test)
        def run_all(**given: Any) -> None:
            failures: dict[str, Exception] = {}
            for label, case in table.items():
                try:
                    test(**given, **{argument: case})
                except Exception as error:  # noqa: BLE001 - each case may fail in its own way
                    failures[label] = error
            _raise_listed(failures, len(table))

        @wraps(test)
        async def run_all_async(**given: Any) -> None:
            failures: dict[str, Exception] = {}
            for label, case in table.items():
                try:
                    await test(**given, **{argument: case})
                except Exception as error:  # noqa: BLE001 - each case may fail in its own way
                    failures[label] = error
            _raise_listed(failures, len(table))

        runner = run_all_async if inspect.iscoroutinefunction(test) else run_all
        del runner.__wrapped__  # type: ignore[attr-defined] # pytest would see its signature
        runner.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined] # read by pytest
        return runner

    return decorate


def _raise_listed(failures: Mapping[str, Exception], count: int) -> None:
    if failures:
        raise CasesFailedError(failures, count) from next(iter(failures.values()))


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
