"""Figures of the tree's structure: `python -m tests.support.structure [another checkout]`.

A room is a module or folder directly inside a package; an arrow says that one room imports another.
A circle is a set of rooms of one package, at any depth, that import each other.
"""

import json
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
    sys.path.insert(0, str(root))
    first, *others = product_packages(root)
    return grimp.build_graph(first, *others, cache_dir=None)


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


def figures(root: Path) -> dict[str, object]:
    """Count everything for one checkout."""
    graph = import_graph(root)
    packages = product_packages(root)
    looked_at = sorted({*packages, *spread} - {"processors", "sinks"})
    by_package = {package: arrows(graph, package) for package in looked_at}
    shared = {name: files for name, files in public_classes(root).items() if len(files) > 1}
    words = sum(dialect_by_file(root).values(), Counter[str]())
    return {
        "rooms": {package: len(rooms) for package, rooms in by_package.items()},
        "arrows": {
            package: sum(len(imported) for imported in rooms.values())
            for package, rooms in by_package.items()
        },
        "circles": [sorted(c) for package in packages for c in circles(graph, package)],
        "class_names_with_several_meanings": {n: len(f) for n, f in sorted(shared.items())},
        "dialect_words": {"sum": words.total(), **dict(words.most_common())},
    }


if __name__ == "__main__":
    checkout = Path(sys.argv[1]).resolve() if sys.argv[1:] else here
    print(json.dumps(figures(checkout), indent=1))  # noqa: T201 - the answer
