"""The HTTP server that the webhook runs on: connections, bounds, exchanges, pages."""
