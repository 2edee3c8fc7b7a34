"""Figures of the tree's structure: `python -m tests.support.structure [another checkout]`.

A room is a module or folder directly inside a package; an arrow says that one room imports another.
A circle is a set of rooms of one package, at any depth, that import each other.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

from tests.support.words import dialect_by_file, product_packages, public_classes

here = Path(__file__).parents[2]
spread = ("processors.enrichment", "sinks.object_storage", "sinks.postgres")
"""Packages one level down: `processors` and `sinks` hold nothing but such."""


def import_graph(root: Path) -> grimp.ImportGraph:
    """Build the graph of the product's packages below ``root``."""
    first, *others = product_packages(root)
    sys.path.insert(0, str(root))
    try:
        return grimp.build_graph(first, *others, cache_dir=None)
    finally:
        sys.path.remove(str(root))


def arrows(graph: grimp.ImportGraph, package: str) -> dict[str, set[str]]:
    """Return for each room of the package the rooms of it that it imports."""
    rooms = sorted(graph.find_children(package))
    return {
        room: {
            other
            for other in rooms
            if other != room
            and graph.direct_import_exists(importer=room, imported=other, as_packages=True)
        }
        for room in rooms
    }


def circles(graph: grimp.ImportGraph, package: str) -> Iterator[frozenset[str]]:
    """Yield the circles among the rooms of the package and of every folder in it."""
    direct = arrows(graph, package)
    reached = {room: _reached(direct, room) for room in direct}
    yield from {
        frozenset({room, *(other for other in reached[room] if room in reached[other])})
        for room in direct
        if room in reached[room]
    }
    for room in direct:
        yield from circles(graph, room)


def _reached(direct: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = direct[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def figures(root: Path) -> dict[str, int]:
    """Count everything for one checkout; the keys are the rows of the table."""
    graph = import_graph(root)
    packages = product_packages(root)
    counted: dict[str, int] = {}
    for package in sorted({*packages, *spread} - {"processors", "sinks"}):
        direct = arrows(graph, package)
        counted[f"`{package}`: rooms"] = len(direct)
        counted[f"`{package}`: arrows"] = sum(map(len, direct.values()))
    counted["circles"] = sum(1 for package in packages for _ in circles(graph, package))
    shared = [files for files in public_classes(root).values() if len(files) > 1]
    counted["class names with several meanings"] = len(shared)
    counted["classes under such names"] = sum(map(len, shared))
    words = sum(dialect_by_file(root).values(), Counter[str]())
    counted["identifiers with dialect words"] = words.total()
    counted["different dialect words"] = len(words)
    return counted


def table(columns: Mapping[str, Mapping[str, int]]) -> str:
    """Write figures of several checkouts beside each other, as Markdown."""
    rows = next(iter(columns.values()))
    return "\n".join(
        (
            f"| | {' | '.join(columns)} |",
            f"|---|{'---|' * len(columns)}",
            *(f"| {row} | {' | '.join(str(c[row]) for c in columns.values())} |" for row in rows),
        )
    )


if __name__ == "__main__":
    checkouts = {name: Path(name).resolve() for name in sys.argv[1:]} | {"now": here}
    print(table({name: figures(path) for name, path in checkouts.items()}))  # noqa: T201 - the answer
