"""Pure: writes the bodies and replies of a resource's operations as ``TypedDict`` classes.

Equal objects within one body or reply share a class. Inner classes precede outer ones, so that
annotations can be read at run time too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Final, cast

from schemas.generation.python_text import (
    Expression,
    Subscript,
    class_lines,
    flat,
    import_lines,
    line_length,
    member,
)
from zoom.catalogue import Operation, Parameter, Schema
from zoom.generation.layout import docstring_lines, generated, literal, pascal, wrapped
from zoom.generation.names import singular
from zoom.generation.type_names import SchemaPosition, body_name, reply_name, widest

_scalars: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_standard: Final = frozenset({"Literal", "Required", "TypedDict"})

Described = tuple[Operation, Mapping[str, Schema]]
"""An operation and its schemas, by ``body`` and ``reply``."""

Members = Mapping[str, Expression]
Values = tuple[str | bool, ...]

_max_list_length: Final = 50
"""A longer list of values gets a name, because a signature should be readable at a glance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeNames:
    """The types of an operation, None where it has none.

    ``item`` is the type of a list's items.
    """

    body: str | None = None
    reply: str | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class TypesModule:
    """A written module of types.

    ``names`` go by operation. ``lists`` maps closed lists of values that are too long for a
    parameter to their names. ``defined`` are all names in the module.
    """

    source: str
    names: Mapping[str, TypeNames]
    lists: Mapping[Values, str]
    defined: frozenset[str]


def types_module(resource: str, described: Sequence[Described]) -> TypesModule:
    """Write the module of a resource's types."""
    module = _Module()
    for operation, _ in described:
        module.reserve(body_name(operation), reply_name(operation))
    lists: dict[Values, str] = {}
    for operation, _ in described:
        for parameter in operation.parameters:
            values = parameter.values
            if values not in lists and len(flat(literal(values))) > _max_list_length:
                lists[values] = module.add_list(operation, parameter)
    names = {operation.name: module.add(operation, schemas) for operation, schemas in described}
    title = f'"""What ``client.{resource}`` takes and answers with."""'
    source = "\n".join((generated, title, "", *module.source(), ""))
    return TypesModule(source, names, lists, frozenset(module.classes))


@dataclass(slots=True)
class _Module:
    """A module under construction: its classes, inner before outer, and the names they use."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    schemas: dict[str, Schema] = field(default_factory=dict)
    """By the name of their class, which is taken."""

    def reserve(self, *names: str) -> None:
        """Keep names for the bodies and replies themselves."""
        for name in names:
            self.schemas[name] = {}

    def add(self, operation: Operation, schemas: Mapping[str, Schema]) -> TypeNames:
        """Add the classes of an operation."""
        body, reply = schemas.get("body"), schemas.get("reply")
        if body is not None:
            self._add_whole(body, SchemaPosition(body_name(operation), "body", operation))
        listed: Expression | None = None
        if reply is not None:
            members = self._add_whole(
                reply, SchemaPosition(reply_name(operation), "reply", operation)
            )
            listed = members.get(operation.reply.items or "")
        return TypeNames(
            body=None if body is None else body_name(operation),
            reply=None if reply is None else reply_name(operation),
            item=flat(listed.arguments[0]) if isinstance(listed, Subscript) else None,
        )

    def add_list(self, operation: Operation, parameter: Parameter) -> str:
        """Add a closed list of values of a parameter; return its name."""
        schema: Schema = {"enum": list(parameter.values)}
        word = pascal(singular(parameter.name) if parameter.type == "array" else parameter.name)
        name = word if word not in self.schemas else f"{pascal(operation.name)}{word}"
        self.used.add("Literal")
        self.schemas[name] = schema
        self.classes[name] = list(_alias(name, literal(parameter.values), blank_lines=1))
        return name

    def source(self) -> Iterator[str]:
        """Yield the lines that follow the title."""
        yield from import_lines("typing", self.used & _standard)
        if "File" in self.used:
            yield from ("", "from zoom.requests.bodies import File")
        for lines in self.classes.values():
            yield from lines

    def _add_whole(self, schema: Schema, position: SchemaPosition) -> Members:
        """Add a body or a reply; return the members of an object."""
        if schema.get("type") != "array":
            return self._add_class(position.root, schema, position)
        self.classes[position.root] = list(
            _alias(position.root, self._type(schema, position), blank_lines=2)
        )
        return {}

    def _add_class(self, name: str, schema: Schema, position: SchemaPosition) -> Members:
        """Add the class of an object after its inner classes; return its members."""
        inner = cast("Mapping[str, Schema]", schema.get("properties", {}))
        members = {
            each: self._type(member, position.member(each, member))
            for each, member in inner.items()
        }
        required = frozenset(cast("Sequence[str]", schema.get("required", ())))
        written = {
            each: Subscript("Required", (annotation,)) if each in required else annotation
            for each, annotation in members.items()
        }
        docstring = [*position.declarations(), *_deprecated(inner)]
        write = _by_call if any(map(iskeyword, written)) else _by_class
        self.used |= {"TypedDict", *(["Required"] if required else [])}
        self.classes[name] = list(write(name, docstring, written))
        return members

    def _type(self, schema: Schema, position: SchemaPosition) -> Expression:
        kind = schema.get("type")
        if isinstance(kind, list):
            (other,) = (each for each in kind if each != "null")
            return f"{flat(self._type({**schema, 'type': other}, position))} | None"
        if "oneOf" in schema:
            return self._choice(schema, position)
        if kind == "array":
            each = cast("Schema", schema.get("items", {}))
            return Subscript("list", (self._type(each, position.each()),))
        if kind == "object":
            return self._object(schema, position)
        return self._scalar(schema)

    def _scalar(self, schema: Schema) -> Expression:
        if "enum" in schema:
            self.used.add("Literal")
            return literal(cast("Sequence[object]", schema["enum"]))
        if schema.get("format") == "binary":
            self.used.add("File")
            return "File"
        return _scalars.get(cast("str", schema.get("type", "")), "object")

    def _choice(self, schema: Schema, position: SchemaPosition) -> str:
        choices = cast("Sequence[Schema]", schema["oneOf"])
        types = [flat(self._type(each, position.choice(n))) for n, each in enumerate(choices, 1)]
        name = self._free(schema, position)
        self.schemas[name] = schema
        self.classes[name] = list(_union(name, types))
        return name

    def _object(self, schema: Schema, position: SchemaPosition) -> str:
        name = self._free(schema, position)
        if name not in self.schemas:
            self.schemas[name] = schema
            self._add_class(name, schema, position)
        return name

    def _free(self, schema: Schema, position: SchemaPosition) -> str:
        """Return the first good name that is free, or that of an equal class."""
        return next(each for each in position.names() if self.schemas.get(each, schema) == schema)


def _deprecated(members: Mapping[str, Schema]) -> Iterator[str]:
    names = ", ".join(f"``{name}``" for name, member in members.items() if member.get("deprecated"))
    if names:
        yield from ("", *wrapped(f"Deprecated: {names}.", widest))


def _alias(name: str, expression: Expression, *, blank_lines: int) -> Iterator[str]:
    yield from ("",) * blank_lines
    line = f"{name} = {flat(expression)}"
    if isinstance(expression, str) or len(line) <= line_length:
        yield line
    else:
        inner = (f"    {argument}," for argument in map(flat, expression.arguments))
        yield from (f"{name} = {expression.head}[", *inner, "]")


def _union(name: str, types: Sequence[str]) -> Iterator[str]:
    flat_union = f"    {' | '.join(types)}"
    first, *others = types
    below = (f"    {first}", *(f"    | {each}" for each in others))
    fits = len(flat_union) <= line_length
    yield from ("", "", f"{name} = (", *((flat_union,) if fits else below), ")")


def _by_class(name: str, docstring: Sequence[str], members: Members) -> Iterator[str]:
    *head, _ = class_lines(name, "TypedDict, total=False", "")
    yield from (*head, *docstring_lines(docstring, 4))
    yield from ("",) if members else ()
    for each, annotation in members.items():
        line = f"    {each}: {flat(annotation)}"
        if isinstance(annotation, str) and len(line) > line_length:
            yield from (f"    {each}: (", f"        {annotation}", "    )")
        else:
            yield from member(each, annotation)


def _by_call(name: str, docstring: Sequence[str], members: Members) -> Iterator[str]:
    """Write a type with a member whose name is a keyword of Python, which a class cannot have."""
    yield from ("", "", f"{name} = TypedDict(", f'    "{name}",', "    {")
    for each, annotation in members.items():
        yield f"        {json.dumps(each)}: {flat(annotation)},"
    yield from ("    },", "    total=False,", ")", *docstring_lines(docstring, 0))
