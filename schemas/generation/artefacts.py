"""Pure: all files that are generated from the vendor's document."""

import json
from collections.abc import Iterator, Mapping

from schemas.catalogue import EventType
from schemas.titles import titled

from .document import JsonPointer, SchemaSourceError
from .example import example
from .json_schema import Schema, json_schemas
from .model_source import model_sources


def artefacts(
    document: Mapping[str, object], events: Mapping[str, EventType]
) -> Iterator[tuple[str, bytes]]:
    """Yield (path below ``schemas/``, content) of each file.

    Args:
        document: as `read_document` returns it.
        events: the routing table; exactly the events of the document.

    Raises:
        SchemaSourceError: the document cannot be used, or has other events than the table.
    """
    published = dict(json_schemas(document))
    _require_same_events(published, events, JsonPointer(document).member("webhooks"))
    ordered = [(kind, published[name]) for name, kind in events.items()]
    for kind, schema in ordered:
        path = f"{kind.family}/{kind.short_name}"
        yield f"webhooks/{path}.schema.json", _json(titled(schema, kind.name))
        yield f"examples/{path}.json", _json(example(schema))
    for module, source in model_sources(ordered).items():
        yield f"models/{module}.py", source.encode()


def _require_same_events(
    published: Mapping[str, Schema], events: Mapping[str, EventType], webhooks: JsonPointer
) -> None:
    for name in published.keys() - events.keys():
        cause = "a new event: give it a row in schemas/events.json first"
        raise SchemaSourceError(webhooks.member(name).pointer, cause)
    for name in events.keys() - published.keys():
        cause = f"{name} is missing: if the vendor withdrew it, take its row out of"
        raise SchemaSourceError(webhooks.pointer, f"{cause} schemas/events.json")


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
