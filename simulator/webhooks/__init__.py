"""Webhooks as Zoom sends them: bodies, signatures, delivery, retries, a ledger."""
