"""Pure: all topics: their names, their records, and how each is set up.

One record per topic stands beside this module (``engagement.yaml``): owner, purpose, key, settings
and promises. What a deployment needs (`topic_specs`) and what consumers read (the pages in
``docs/reference/topics``, ``schemas/asyncapi.yaml``) follows from the records.
"""

from .names import (
    all_families,
    dead_letter_audit_topic,
    dead_letter_topic,
    enriched_topic,
    enriched_topics,
    pollers,
    quarantine_topic,
    raw_topic,
    raw_topics,
    reference_topic,
    retry_delays_s,
    retry_topic,
    watermark_topic,
)
from .specs import TopicPlan, TopicSpec, topic_specs

__all__ = [
    "TopicPlan",
    "TopicSpec",
    "all_families",
    "dead_letter_audit_topic",
    "dead_letter_topic",
    "enriched_topic",
    "enriched_topics",
    "pollers",
    "quarantine_topic",
    "raw_topic",
    "raw_topics",
    "reference_topic",
    "retry_delays_s",
    "retry_topic",
    "topic_specs",
    "watermark_topic",
]
