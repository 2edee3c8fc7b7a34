"""Pure: the operations of Zoom's API that components call, and so the scopes that they need.

A token needs one scope of each operation.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from operations.components import components
from zoom.catalogue import Operation, find


@dataclass(frozen=True, slots=True)
class Need:
    """One operation that a component calls; the token needs any one of ``operation.scopes``."""

    component: str
    operation: Operation

    def held(self, scopes: Collection[str]) -> tuple[str, ...]:
        """Return those of its scopes that are among these."""
        return tuple(each for each in self.operation.scopes.all if each in scopes)


def needs() -> Iterator[Need]:
    """Yield the needs of all components; only they call Zoom without a person."""
    for component in components:
        for name in component.zoom_operations:
            yield Need(component.name, find(name))


def scopes_page() -> str:
    """Return the page of the scopes that the app needs."""
    lines = [
        "# Scopes of the app",
        "",
        "The pipeline calls these operations of Zoom's REST API. For each of them the app needs",
        "one of its scopes: a granular one, or a classic one where the app has classic scopes.",
        "`zcc doctor` compares them with the scopes of the token. Only `zcc api call` calls other",
        "operations; [their table](zoom-api.md) has the scopes.",
        "",
        "| feature | operation | granular | classic |",
        "|---|---|---|---|",
    ]
    for need in needs():
        scopes = need.operation.scopes
        kinds = (_lined(kind) for kind in (scopes.granular, scopes.classic))
        lines.append(f"| {need.component} | `{need.operation.name}` | {' | '.join(kinds)} |")
    return "\n".join(lines) + "\n"


def _lined(scopes: Sequence[str]) -> str:
    return "<br>".join(f"`{scope}`" for scope in scopes)
