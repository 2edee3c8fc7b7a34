"""What the generator makes of small REST documents."""

from typing import Any

import orjson

from tests.support.vendor_rest_document import Document, document, in_path, operation
from zoom.catalogue import Operation, operations_adapter
from zoom.generation import artefacts

NO_MASTER = document()
FORMS = "in `yyyy-MM-dd'T'HH:mm:ss'Z'` format"


def generated(rest: Document, master: Document = NO_MASTER) -> dict[str, Any]:
    """Operations by name, and what is in each file of schemas."""
    files = dict(artefacts(rest, master))
    operations = operations_adapter.validate_json(files.pop("operations.json"))
    return {each.name: each for each in operations} | {
        name: orjson.loads(content) for name, content in files.items() if name.endswith(".json")
    }


def only(rest: Document) -> Operation:
    (operation,) = operations_adapter.validate_json(
        dict(artefacts(rest, NO_MASTER))["operations.json"]
    )
    return operation


def thing_deleted() -> Document:
    return operation(status="204", parameters=(in_path("thingId"),))
