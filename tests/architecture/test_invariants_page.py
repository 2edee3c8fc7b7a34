"""Each invariant on the page names a module and a test that exist."""

import re
from pathlib import Path

root = Path(__file__).parents[2]
page = (root / "docs" / "explanation" / "invariants.md").read_text()
row = re.compile(
    r"^\| (?P<invariant>.+?) \| `(?P<held>[^`]+)` \| `(?P<test>[^`]+)` \|$", re.MULTILINE
)
rows = [match.groupdict() for match in row.finditer(page)]


def exists(test: str) -> bool:
    """Whether a test named ``file::name`` is there."""
    path, _, name = test.partition("::")
    file = root / path
    definition = rf"^ *(?:async )?def {name}\(|^{name} = .*\bTestCase\)?$"
    return file.is_file() and re.search(definition, file.read_text(), re.MULTILINE) is not None


def test_every_row_of_the_tables_is_read() -> None:
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    headings = [line for line in lines if line.startswith("| invariant |")]
    assert len(rows) == len(lines) - len(headings) > 40


def test_every_module_that_holds_an_invariant_exists() -> None:
    assert [each["held"] for each in rows if not (root / each["held"]).is_file()] == []


def test_every_test_that_holds_an_invariant_exists() -> None:
    assert [each["test"] for each in rows if not exists(each["test"])] == []


def test_a_test_that_does_not_exist_is_found_out() -> None:
    assert not exists("tests/architecture/test_invariants_page.py::test_a_test")
    assert not exists("tests/architecture/test_missing.py::test_a_test_that_does_not_exist")
