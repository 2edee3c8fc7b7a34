"""Pure: the AsyncAPI 3 document of all topics, from their records and the schemas of events.

Schemas and examples stay in their own files, which the document refers to: it is read beside them.
Partitions, copies and retention are those of the plan that is handed in.

Source: AsyncAPI 3.0.0; Kafka bindings 0.5.0.
"""

from collections.abc import Sequence
from typing import Final

import yaml

from .topics import TopicPlan
from .topics.records import topic_records
from .topics.specs import topic_names
from .topics.terms import header_sets

_binding: Final = {"bindingVersion": "0.5.0"}
_reference_entities: Final = ("user", "queue", "team")

Node = dict[str, object]


def asyncapi_text(plan: TopicPlan, workers: Sequence[str]) -> str:
    """Return the document as YAML; the same for the same records, schemas, plan and workers."""
    return yaml.dump(
        asyncapi(plan, workers),
        Dumper=_PlainDumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def asyncapi(plan: TopicPlan, workers: Sequence[str]) -> Node:
    """Return the document for a deployment with these workers."""
    topics = [
        (record, topic)
        for record in topic_records()
        for topic in topic_names(record, prefix=plan.prefix, workers=workers)
    ]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:zcc:events",
        "info": {
            "title": "Zoom Contact Center events",
            "version": "1.0.0",
            "description": (
                "Every event of a Zoom Contact Center account, once or more often, in order per "
                "key: verbatim and enriched. Remove repeats by the header `zcc-event-id`."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "The cluster of the deployment (ZCC_KAFKA_BOOTSTRAP_SERVERS).",
                "variables": {"brokers": {"default": "127.0.0.1:9092"}},
            }
        },
        "channels": {
            _channel_name(topic, plan): _channel(record, topic, plan) for record, topic in topics
        },
        "operations": {
            f"send.{_channel_name(topic, plan)}": _operation(record, _channel_name(topic, plan))
            for record, topic in topics
        },
        "components": {
            "messages": dict(_messages()),
            "messageTraits": {name: _trait(name) for name in ("event",)},
            "schemas": {
                f"headers.{name}": _headers_schema(headers)
                for name, headers in header_sets.items()
                if headers
            },
        },
    }
