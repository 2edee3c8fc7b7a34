"""Kafka: the only place that knows the client library."""

from runtime.kafka.admin import Lag, TopicAdmin
from runtime.kafka.consumer import KafkaConsumer
from runtime.kafka.producer import KafkaPublisher
from runtime.kafka.topic_reader import latest, made_at_ms, require_topics, scan
from runtime.topic_settings import TopicChanges

__all__ = [
    "KafkaConsumer",
    "KafkaPublisher",
    "Lag",
    "TopicAdmin",
    "TopicChanges",
    "latest",
    "made_at_ms",
    "require_topics",
    "scan",
]
