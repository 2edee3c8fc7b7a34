"""The page of failures names tests that there are."""

import re
from pathlib import Path

root = Path(__file__).parents[2]
page = (root / "docs" / "explanation" / "failures.md").read_text()
named = re.findall(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`", page)


def test_the_page_names_tests() -> None:
    assert len(named) > 80


def test_every_test_that_the_page_names_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (root / path).exists() or f"def {name}" not in (root / path).read_text()
    ]
    assert missing == []
