"""A simulator of Zoom: signed webhooks, the REST API, faults on request."""
