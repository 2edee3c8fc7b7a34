"""Pure: everything that follows from the vendor's document: schemas, models, examples, changes."""

from .document import SchemaSourceError, read_document
from .json_schema import json_schemas, schema_id, strict

__all__ = ["SchemaSourceError", "json_schemas", "read_document", "schema_id", "strict"]
