"""The page of the layout is that of the tree."""

import re
from pathlib import Path

from tests.support.words import product_packages

root = Path(__file__).parents[2]
page = (root / "docs" / "layout.md").read_text()
tasks, tree = page.split("\n## The tree\n")
named = re.findall(r"`([a-z_]+(?:/[A-Za-z0-9_.-]*)+)`", page)
files = re.findall(r"`([a-z_.]+\.(?:toml|lock))`", page)


def folders_of_code() -> set[str]:
    """Return every folder of the packages that holds Python, with a slash at its end."""
    return {
        f"{path.parent.relative_to(root).as_posix()}/"
        for package in product_packages(root)
        for path in (root / package).rglob("*.py")
    }


def test_every_path_on_the_page_exists() -> None:
    missing = [path for path in (*named, *files) if not (root / path).exists()]
    assert missing == []


def test_a_folder_is_written_with_a_slash_and_a_file_without() -> None:
    assert [path for path in named if path.endswith("/") != (root / path).is_dir()] == []


def test_every_folder_of_the_packages_stands_in_the_tree() -> None:
    first_cells = set(re.findall(r"^\| `([^`]+/)` \|", tree, re.MULTILINE))
    assert folders_of_code() - first_cells == set()


def test_no_path_stands_in_the_tree_twice() -> None:
    first_cells = re.findall(r"^\| `([^`]+)` \|", tree, re.MULTILINE)
    assert sorted(first_cells) == sorted(set(first_cells))


def test_the_page_answers_forty_tasks() -> None:
    rows = [line for line in tasks.splitlines() if line.startswith("| ")]
    assert len(rows) - tasks.count("| to change |") >= 40
