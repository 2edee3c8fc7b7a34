"""A stand-in for Zoom: signed webhooks, the REST API, misbehaviour on request."""
