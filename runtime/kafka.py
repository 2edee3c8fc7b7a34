"""Kafka client, the only module that knows it."""
