"""Kafka: the only place that knows the client library."""

from runtime.topics import TopicChanges

from .admin import Lag, TopicAdmin
from .consumer import KafkaConsumer
from .publisher import KafkaPublisher
from .reading import scan

__all__ = ["KafkaConsumer", "KafkaPublisher", "Lag", "TopicAdmin", "TopicChanges", "scan"]
