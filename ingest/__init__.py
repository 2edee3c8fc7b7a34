"""Webhook in, record out; answers 2xx only after the broker has acknowledged."""
