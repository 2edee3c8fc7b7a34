"""Pure: writes the package of typed resources from the catalogue: classes, and their types.

``resources/__init__.py``          ``Resources``: all of them, each created at first use
``resources/queues.py``            its class: a method for each operation
``resources/types/queues.py``      bodies and replies; only editors and mypy read it
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from zoom.generation.layout import generated, pascal
from zoom.generation.methods_source import resource_module
from zoom.generation.types_source import Described, types_module

_reason: Final = "importing a client loads no resource before it is used"


def resource_files(described: Sequence[Described]) -> Iterator[tuple[str, bytes]]:
    """Yield (path below ``zoom/``, content) of each file.

    Args:
        described: all operations, those of a resource together.
    """
    names = []
    for resource, group in groupby(described, key=lambda each: each[0].resource):
        of_resource = list(group)
        types = types_module(resource, of_resource)
        source = resource_module(resource, [operation for operation, _ in of_resource], types)
        yield f"resources/{resource}.py", source.encode()
        yield f"resources/types/{resource}.py", types.source.encode()
        names.append(resource)
    yield "resources/__init__.py", _package(names).encode()
    title = '"""What operations take and answer with, a module per resource; for annotations."""'
    yield "resources/types/__init__.py", f"{generated}\n{title}\n".encode()


def _package(resources: Sequence[str]) -> str:
    module = "zoom.resources"
    lines = [
        generated,
        '"""All operations as typed methods, by resource: ``client.queues.get(...)``."""',
        "",
        f"# ruff: noqa: PLC0415 - {_reason}",
        "",
        "from __future__ import annotations",
        "",
        "from functools import cached_property",
        "from typing import TYPE_CHECKING",
        "",
        "from zoom.messages import Caller",
        "",
        "if TYPE_CHECKING:",
        *(f"    from {module}.{each} import {pascal(each)}" for each in resources),
        "",
        "",
        "class Resources(Caller):",
        '    """Has all resources; whoever inherits says how to call.',
        "",
        "    Methods are named as operations are, and raise what `Caller.call` raises.",
        '    """',
    ]
    for each in resources:
        lines += [
            "",
            "    @cached_property",
            f"    def {each}(self) -> {pascal(each)}:",
            f'        """The operations of `{pascal(each)}`."""',
            f"        from {module}.{each} import {pascal(each)}",
            "",
            f"        return {pascal(each)}(self)",
        ]
    return "\n".join((*lines, ""))
