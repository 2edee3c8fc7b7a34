"""The Zoom apps that may send webhooks, and how their list is read again while ingest runs."""
