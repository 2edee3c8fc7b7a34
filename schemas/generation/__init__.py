"""Pure: everything that follows from the vendor's document: schemas, models, examples, changes.

    document ─ read_document ─> json_schemas ─> artefacts: the files below ``schemas/``
                                            └─> differences: what a newer document changes

Sources: OpenAPI 3.1; JSON Schema draft 2020-12.
"""

from .artefacts import artefacts
from .comparison import Difference, SchemaChange, differences
from .document import SchemaSourceError, read_document
from .json_schema import Schema, json_schemas, schema_id, strict

__all__ = [
    "Difference",
    "Schema",
    "SchemaChange",
    "SchemaSourceError",
    "artefacts",
    "differences",
    "json_schemas",
    "read_document",
    "schema_id",
    "strict",
]
