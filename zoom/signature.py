"""Pure: signatures of webhooks."""
