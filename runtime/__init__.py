"""Runs a Handler or a Sink over Kafka; knows nothing of Zoom."""
