"""The HTTP server that the webhook runs on: connections, their bounds, requests, pages."""
