"""Pure: which operations of Zoom's API the features of the product ask, so which scopes they need.

A token needs one scope of each operation.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from operations.components import ProcessorName
from zoom.catalogue import Operation, find

asked_by: Final[Mapping[ProcessorName, Sequence[str]]] = {
    ProcessorName.ENRICHMENT: ("get_user", "get_queue", "list_users", "list_queues"),
}
"""Names of operations, by the processor that asks them; nothing else asks Zoom by itself."""


@dataclass(frozen=True, slots=True)
class Need:
    """One operation that a feature asks; the token needs any one of ``operation.scopes``."""

    feature: ProcessorName
    operation: Operation

    def held(self, scopes: Collection[str]) -> tuple[str, ...]:
        """Return those of its scopes that are among these."""
        return tuple(each for each in self.operation.scopes.all if each in scopes)


def needs() -> Iterator[Need]:
    """Yield what all features need."""
    for feature, names in asked_by.items():
        for name in names:
            yield Need(feature, find(name))


def scopes_page() -> str:
    """Return the page of the scopes that the app needs."""
    lines = [
        "# Scopes of the app",
        "",
        "What the features of the pipeline ask of Zoom's REST API. For each operation the app",
        "needs any one of its scopes: a granular one, or a classic one where the app has those.",
        "`zcc doctor` compares them with what the token has. The scopes of all other operations,",
        "which only `zcc api call` asks, stand in [the table of operations](zoom-api.md).",
        "",
        "| feature | operation | granular | classic |",
        "|---|---|---|---|",
    ]
    for need in needs():
        scopes = need.operation.scopes
        kinds = (_lined(kind) for kind in (scopes.granular, scopes.classic))
        lines.append(f"| {need.feature} | `{need.operation.name}` | {' | '.join(kinds)} |")
    return "\n".join(lines) + "\n"


def _lined(scopes: Sequence[str]) -> str:
    return "<br>".join(f"`{scope}`" for scope in scopes)
