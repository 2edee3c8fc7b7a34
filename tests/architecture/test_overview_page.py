"""The pictures of the packages are those of the code: every arrow is an import."""

import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.support.structure import import_graph
from tests.support.words import product_packages

root = Path(__file__).parents[2]
page = (root / "docs" / "explanation" / "overview.md").read_text()
packages = product_packages(root)

section = re.compile(
    r"^###? (?P<package>[a-z_/]+)\n(?P<text>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL
)
picture = re.compile(r"```mermaid\nflowchart TD\n(.*?)```", re.DOTALL)
drawn = {
    match["package"].replace("/", "."): diagram[1]
    for match in section.finditer(page)
    if (diagram := picture.search(match["text"]))
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return import_graph(root)


def arrows(text: str) -> Iterator[tuple[str, str]]:
    """Yield the arrows of a picture; ``a --> b & c`` is two."""
    for line in filter(None, map(str.strip, text.splitlines())):
        start, _, ends = line.partition(" --> ")
        for end in ends.split(" & "):
            yield start, end


def wrong(graph: grimp.ImportGraph, package: str, text: str) -> list[str]:
    """Return the arrows of a picture that are no imports between folders of the package."""
    wrong_arrows = []
    for start, end in arrows(text):
        importer, imported = f"{package}.{start}", f"{package}.{end}"
        if not {importer, imported} <= graph.modules or not graph.direct_import_exists(
            importer=importer, imported=imported, as_packages=True
        ):
            wrong_arrows.append(f"{start} --> {end}")
    return wrong_arrows


def folders(package: str) -> set[str]:
    """Return the folders inside the package that hold code."""
    inside = root.joinpath(*package.split("."))
    return {path.parent.name for path in inside.glob("*/__init__.py")}


def test_every_package_has_a_picture() -> None:
    assert set(drawn) == {
        *(set(packages) - {"processors", "sinks"}),
        *(f"{spread}.{name}" for spread in ("processors", "sinks") for name in folders(spread)),
    }


@pytest.mark.parametrize("package", sorted(drawn))
def test_every_arrow_is_an_import(graph: grimp.ImportGraph, package: str) -> None:
    assert wrong(graph, package, drawn[package]) == []


@pytest.mark.parametrize("package", sorted(drawn))
def test_every_folder_is_in_the_picture_of_its_package(package: str) -> None:
    rooms = {room for arrow in arrows(drawn[package]) for room in arrow}
    assert folders(package) - rooms == set()


def test_the_first_picture_is_that_of_the_packages(graph: grimp.ImportGraph) -> None:
    first = picture.search(page)
    assert first
    shown = set(arrows(first[1]))
    assert {package for arrow in shown for package in arrow} == set(packages)
    assert [
        arrow
        for arrow in shown
        if not graph.direct_import_exists(importer=arrow[0], imported=arrow[1], as_packages=True)
    ] == []


def test_an_arrow_against_the_imports_is_found(graph: grimp.ImportGraph) -> None:
    planted = "  http --> webhook\n  webhook --> http & cellar\n"
    assert wrong(graph, "ingest", planted) == ["http --> webhook", "webhook --> cellar"]
