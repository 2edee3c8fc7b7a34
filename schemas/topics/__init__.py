"""Pure: all topics: their names, their records, and their configuration.

Each topic has a record next to this module (``engagement.yaml``): owner, purpose, key, settings and
promises. A deployment's topics (`topic_specs`) and the consumers' documentation (the pages in
``docs/reference/topics``, ``schemas/asyncapi.yaml``) are generated from the records.
"""

from .names import (
    Workers,
    all_families,
    dead_letter_audit_topic,
    dead_letter_topic,
    enriched_topic,
    enriched_topics,
    outcome_topic,
    quarantine_topic,
    raw_topic,
    raw_topics,
    reference_topic,
    retry_topic,
    watermark_topic,
)
from .specs import TopicPlan, TopicSpec, topic_specs

__all__ = [
    "TopicPlan",
    "TopicSpec",
    "Workers",
    "all_families",
    "dead_letter_audit_topic",
    "dead_letter_topic",
    "enriched_topic",
    "enriched_topics",
    "outcome_topic",
    "quarantine_topic",
    "raw_topic",
    "raw_topics",
    "reference_topic",
    "retry_topic",
    "topic_specs",
    "watermark_topic",
]
