"""Zoom's webhook signatures, OAuth, REST API and rate limits; knows nothing of Kafka."""
