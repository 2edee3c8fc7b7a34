"""Pure: what follows from the vendor's documents of the REST API: operations and their schemas.

    documents ─ read_document ─> artefacts: ``operations.json`` and ``schemas/`` below ``zoom/``

Sources: Zoom Contact Center REST API, OpenAPI 3.0; the same for master accounts.
"""

from zoom.generation.artefacts import artefacts

__all__ = ["artefacts"]
