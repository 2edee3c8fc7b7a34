"""Kafka: the only package that knows the client library."""

from runtime.kafka.admin import Lag, TopicAdmin
from runtime.kafka.consumer import KafkaConsumer
from runtime.kafka.log_reader import KafkaLogReader
from runtime.kafka.producer import KafkaPublisher
from runtime.kafka.topic_reader import latest, read_all, require_topics, timestamps_at
from runtime.kafka.transactions import transactions
from runtime.topic_settings import TopicChanges

__all__ = [
    "KafkaConsumer",
    "KafkaLogReader",
    "KafkaPublisher",
    "Lag",
    "TopicAdmin",
    "TopicChanges",
    "latest",
    "read_all",
    "require_topics",
    "timestamps_at",
    "transactions",
]
