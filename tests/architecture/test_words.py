"""Names are the field's terms, and the name of a class has one meaning."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.words import (
    dialect_by_file,
    dialect_of_tests,
    dialect_words,
    lower_case,
    public_classes,
    whole,
)

root = Path(__file__).parents[2]

test_folders = (
    "support",
    "unit",
)


@pytest.fixture(scope="module")
def standing() -> Mapping[str, Counter[str]]:
    return dialect_by_file(root)


@pytest.fixture(scope="module")
def classes() -> Mapping[str, list[str]]:
    return public_classes(root)


@pytest.mark.parametrize("word", sorted({*lower_case, *whole}))
def test_a_word_of_the_old_dialect_is_in_no_identifier(
    standing: Mapping[str, Counter[str]], word: str
) -> None:
    assert {path: count[word] for path, count in standing.items() if count[word]} == {}


@pytest.mark.parametrize("folder", test_folders)
def test_tests_have_no_word_of_the_old_dialect_either(folder: str) -> None:
    assert dialect_of_tests(root, folder) == {}


def test_a_planted_word_is_found_in_every_kind_of_identifier() -> None:
    planted = """
class _Seat:
    def told_at(self, around: int) -> None:
        self.isTold = around


def stand_up(heed: str = "seat") -> None: ...  # whoever sits beside
"""
    assert dialect_words(planted) == {
        "Seat": 1,
        "seat": 1,
        "told": 2,
        "around": 2,
        "stand_up": 1,
        "heed": 1,
    }


def test_words_that_only_look_alike_are_not_found() -> None:
    assert dialect_words("sitemap = position + folder.TaskGroup + besides.PartName") == {}


def test_a_class_name_has_one_meaning(classes: Mapping[str, list[str]]) -> None:
    assert {name: files for name, files in classes.items() if len(files) > 1} == {}


def test_classes_of_all_packages_are_read(classes: Mapping[str, list[str]]) -> None:
    assert len(classes) > 300
