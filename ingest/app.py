"""HTTP side of ingest."""
