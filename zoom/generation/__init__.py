"""Pure: what follows from the vendor's documents of the REST API: operations, schemas, types.

    documents ─ read_document ─> artefacts: below ``zoom/``, ``operations.json``, ``schemas/``,
                                 and ``resources/``, which follow from these two alone

Sources: Zoom Contact Center REST API, OpenAPI 3.0; the same for master accounts.
"""

from zoom.generation.artefacts import artefacts

__all__ = ["artefacts"]
