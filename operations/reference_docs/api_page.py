"""Pure: the reference page of Zoom's REST API, from the catalogue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from operations.api import descriptions as words
from zoom.catalogue import Operation
from zoom.limits import Label


def zoom_api_page(operations: Mapping[str, Operation]) -> str:
    """Return the page of all operations."""
    return "\n".join(_lines(tuple(operations.values()))) + "\n"


def _lines(operations: tuple[Operation, ...]) -> Iterator[str]:
    yield from (
        "# Zoom's REST API",
        "",
        f"All {len(operations)} operations of Zoom Contact Center, from `zoom/operations.json`.",
        "`zcc api list` searches them, `zcc api describe OPERATION` shows parameters, bodies and",
        "replies. The names are ours. A token needs any one of the scopes. Labels are rate limits,",
        "which all apps of an account share. A window is a span of time: both parameters, or none.",
        "",
        "| label | operations | of these write |",
        "|---|---|---|",
    )
    for label in Label:
        labelled = [each for each in operations if each.label is label]
        yield f"| {label} | {len(labelled)} | {sum(each.writes for each in labelled)} |"
    yield from ("", "| pages | operations |", "|---|---|")
    styles = Counter(each.paging.style for each in operations if each.paging)
    yield from (f"| {style} | {count} |" for style, count in styles.items())
    for tag, group in groupby(operations, key=lambda each: each.tag):
        yield from _section(tag, group)


def _section(tag: str, operations: Iterable[Operation]) -> Iterator[str]:
    yield from ("", f"## {tag}", "")
    yield "| operation | request | label | scopes | notes |"
    yield "|---|---|---|---|---|"
    for each in operations:
        request = f"`{each.method} {each.path}`"
        scopes = _lined(f"`{scope}`" for scope in each.scopes.all)
        notes = _lined(_notes(each))
        yield f"| `{each.name}` | {request} | {each.label} | {scopes} | {notes} |"


def _notes(operation: Operation) -> Iterator[str]:
    if operation.deprecated:
        yield "deprecated"
    if operation.paging:
        yield f"pages: {words.paging(operation.paging)}"
    for window in operation.windows:
        if not window.deprecated:
            yield f"window: {'; '.join(words.window(window))}"
    if named := [f"`{each.name}`" for each in operation.parameters if each.deprecated]:
        yield f"deprecated: {', '.join(named)}"


def _lined(texts: Iterable[str]) -> str:
    return "<br>".join(texts)
