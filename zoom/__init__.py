"""Signatures, OAuth, the REST API, budgets; knows nothing of Kafka."""
