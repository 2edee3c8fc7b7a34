"""Pure: the parameters of an operation in the vendor's document.

The document does not always say what it means. Some parameters are lists only in their prose, or by
an example (``voice, sms``). Some have the values of the items on the list itself, where no list
could equal one of them. Two have a mask in place of a regular expression, which `windows` reads.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Literal

from schemas.generation.document import JsonPointer, SchemaSourceError
from zoom.catalogue import Parameter
from zoom.generation.names import snake
from zoom.generation.optional_members import flag, items, number, optional, refuse_unless, text

_keywords: Final = frozenset(
    {"type", "format", "enum", "items", "default", "deprecated", "description", "example"}
    | {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"}
    | {"pattern"}
)
_types: Final[Mapping[str, Literal["string", "integer", "boolean", "array"]]] = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "array": "array",
}
_commas: Final = re.compile(r"\bcommas?\b", re.IGNORECASE)


def parameters(operation: JsonPointer, path: str, paths: Collection[str]) -> tuple[Parameter, ...]:
    """Return the parameters, those in the path first, in its order.

    Args:
        operation: of the document.
        path: its template.
        paths: the templates of all operations.

    Raises:
        SchemaSourceError: one cannot be read, or the path names other parameters.
    """
    declared = [_parameter(each) for each in items(optional(operation, "parameters"))]
    in_path = {each.name: each for each in declared if each.location == "path"}
    names = [snake(name) for name in re.findall(r"{(\w+)}", path)]
    if sorted(names) != sorted(in_path):
        raise SchemaSourceError(operation.pointer, "the path and 'parameters' name different ones")
    reserved = _reserved(path, paths)
    ordered = [replace(in_path[name], reserved=reserved.get(name, ())) for name in names]
    return (*ordered, *(each for each in declared if each.location == "query"))


def _parameter(node: JsonPointer) -> Parameter:
    schema = node.member("schema")
    refuse_unless(_keywords, schema)
    in_path = node.member("in").as_text() == "path"
    name = node.member("name").as_text()
    kind = _type(schema)
    commas = _commas_of(node, schema)
    return Parameter(
        name=snake(name) if in_path else name,
        location="path" if in_path else "query",
        type="array" if commas else kind,
        format=None if text(schema, "format") in {"", "string"} else text(schema, "format"),
        values=_values(schema),
        minimum=number(schema, "minimum"),
        maximum=number(schema, "maximum"),
        min_length=number(schema, "minLength"),
        # On a list that is typed as a text, the bound applies to the joined text.
        max_length=None if commas and kind == "string" else number(schema, "maxLength"),
        min_items=number(schema, "minItems"),
        max_items=number(schema, "maxItems"),
        unique=flag(schema, "uniqueItems"),
        commas=commas,
        default=_default(schema),
        required=flag(node, "required"),
        deprecated=flag(node, "deprecated") or flag(schema, "deprecated"),
    )


def _type(schema: JsonPointer) -> Literal["string", "integer", "boolean", "array"]:
    declared = schema.member("type")
    if declared.as_text() not in _types:
        raise SchemaSourceError(declared.pointer, f"no type of a parameter: {declared.as_text()!r}")
    if declared.as_text() == "array":
        each = schema.member("items")
        refuse_unless(frozenset({"type", "enum", "example", "description"}), each)
        if each.member("type").as_text() != "string":
            raise SchemaSourceError(each.pointer, "expected an array of strings")
    return _types[declared.as_text()]


def _commas_of(node: JsonPointer, schema: JsonPointer) -> Literal["stated", "assumed"] | None:
    """Return whether the vendor says, or shows, that commas separate several values."""
    each = optional(schema, "items")
    shown = (optional(schema, "example"), optional(each, "example") if each else None)
    if _commas.search(text(node, "description")) or any(
        example is not None and isinstance(example.value, str) and "," in example.value
        for example in shown
    ):
        return "stated"
    return "assumed" if each else None


def _values(schema: JsonPointer) -> tuple[str | bool, ...]:
    each = optional(schema, "items")
    enum = optional(schema, "enum") or (optional(each, "enum") if each else None)
    return tuple(_value(item) for item in items(enum))


def _value(item: JsonPointer) -> str | bool:
    return item.value if isinstance(item.value, bool) else item.as_text()


def _default(schema: JsonPointer) -> str | int | bool | None:
    default = optional(schema, "default")
    if default is None:
        return None
    return default.value if isinstance(default.value, int) else default.as_text()


def _reserved(path: str, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the values that a path parameter must not have: they would address another path.

    Where two paths fit, the first segment in which they differ decides: a literal precedes a
    parameter.
    """
    words_of: dict[str, set[str]] = {}
    for other in paths:
        if other.count("/") == path.count("/"):
            pairs = list(zip(path.split("/"), other.split("/"), strict=True))
            differ = [pair for pair in pairs if pair[0] != pair[1]]
            words = [(own, word) for own, word in differ if _is_name(own) and not _is_name(word)]
            fits = all(_is_name(own) or _is_name(theirs) for own, theirs in differ)
            if fits and len(words) == 1 and words == differ[:1]:
                words_of.setdefault(snake(words[0][0].strip("{}")), set()).add(words[0][1])
    return {name: tuple(sorted(words)) for name, words in words_of.items()}


def _is_name(segment: str) -> bool:
    return segment.startswith("{")
