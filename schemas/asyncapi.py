"""Pure: the AsyncAPI 3 document of all topics, from their records and the schemas of events.

Schemas and examples stay in their own files, to which the document refers by relative paths.
Partitions, replicas and retention come from the given plan.

Source: AsyncAPI 3.0.0; Kafka bindings 0.5.0.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, assert_never

import yaml

from .catalogue import events, unknown_family
from .titles import titled
from .topics import TopicPlan, Workers
from .topics.records import TopicRecord, topic_records
from .topics.specs import partition_count, retention_ms, topic_names
from .topics.terms import Header, header_sets, promises

Node = dict[str, object]

reference_entities: Final = (
    "user", "queue", "team", "flow", "flow_entry_point", "queue_template",
    "disposition", "disposition_set", "skill", "skill_category", "role", "system_status", "inbox",
    "business_hour", "closure_set", "asset", "asset_category", "region",
    "address_book", "address_book_contact", "outbound_campaign", "variable_group",
    "agent_routing_profile", "consumer_routing_profile", "storage_location",
    "sms_log", "voice_call_log", "api_budget",
)  # fmt: skip

_kafka_bindings: Final = "0.5.0"

_info: Final[Node] = {
    "title": "Zoom Contact Center events",
    "version": "1.0.0",
    "description": (
        "Every event of a Zoom Contact Center account, at least once and in order per key: as Zoom "
        "sent it, and enriched. Consumers remove repeats by the header zcc-event-id."
    ),
}

_server: Final[Node] = {
    "host": "{brokers}",
    "protocol": "kafka",
    "description": "The cluster of the deployment.",
    "variables": {
        "brokers": {"default": "127.0.0.1:9092", "description": "Brokers for the first connection."}
    },
}

_any_event: Final[Node] = {
    "type": "object",
    "properties": {
        "event": {"type": "string"},
        "event_ts": {"type": "integer", "format": "int64"},
        "payload": {
            "type": "object",
            "properties": {"account_id": {"type": "string"}, "object": {"type": "object"}},
            "required": ["account_id"],
        },
    },
    "required": ["event", "event_ts", "payload"],
}
"""The members of every event, an unknown one included; others are in quarantine."""

_text: Final[Node] = {"type": "string"}

_audit_line: Final[Node] = {
    "type": "object",
    "properties": {
        "letter": {**_text, "description": "topic/partition/offset of the dead letter"},
        "failed_at": {
            **_text,
            "format": "date-time",
            "description": "when it became a dead letter",
        },
        "worker": {**_text, "description": "which worker"},
        "origin": {**_text, "description": "topic/partition/offset that the worker read"},
        "fingerprint": {**_text, "description": "the same for letters that failed alike"},
        "action": {**_text, "x-known-values": ["replayed", "discarded"]},
        "to": {**_text, "description": "the topic that a replay went to, else empty"},
        "replays": {"type": "integer", "description": "how often it has been replayed by now"},
        "by": {**_text, "description": "the person's name, as given"},
        "at": {**_text, "format": "date-time", "description": "when"},
        "reason": {**_text, "description": "why, in the person's words; may be empty"},
    },
    "required": ["letter", "failed_at", "action", "by", "at"],
}


_watermark: Final[Node] = {
    "type": "object",
    "properties": {
        "watermark": {**_text, "description": "the poller's own; absent in the claim"},
        "generation": {
            "type": "integer",
            "description": "of the member that wrote it; each that becomes active has the next",
        },
        "at": {**_text, "format": "date-time", "description": "when it was written"},
    },
    "required": ["generation", "at"],
}


def asyncapi_text(plan: TopicPlan, workers: Workers, *, pollers: Collection[str] = ()) -> str:
    """Return the document as YAML; the same for the same records, schemas and arguments."""
    return yaml.safe_dump(asyncapi(plan, workers, pollers=pollers), sort_keys=False, width=100)


def asyncapi(plan: TopicPlan, workers: Workers, *, pollers: Collection[str] = ()) -> Node:
    """Return the document for a deployment with these workers and pollers."""
    channels: Node = {}
    operations: Node = {}
    used: set[str] = set()
    for record in topic_records():
        names = topic_names(record, prefix=plan.prefix, workers=workers, pollers=pollers)
        for topic in names:
            name = topic.removeprefix(f"{plan.prefix}.").removesuffix(".v1")
            channels[name] = _channel(record, topic, plan)
            used.update(_message_names(record))
            operations[f"send.{name}"] = {
                "action": "send",
                "channel": _reference("channels", name),
                "summary": f"Fill {topic}.",
            }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:zcc:events",
        "info": _info,
        "defaultContentType": "application/json",
        "servers": {"kafka": _server},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {name: message for name, message in _messages() if name in used},
            "messageTraits": {
                "event": {
                    "headers": _reference("components", "schemas", "headers.event"),
                    "bindings": _key("The entity whose events stay in order."),
                }
            },
            "schemas": {
                "event": titled(_any_event, "event"),
                **{
                    f"headers.{name}": titled(_headers(document), f"headers.{name}")
                    for name, document in header_sets.items()
                    if document
                },
            },
        },
    }


def _channel(record: TopicRecord, topic: str, plan: TopicPlan) -> Node:
    names = _message_names(record)
    return {
        "address": topic,
        "title": topic,
        "description": f"{record.purpose}\n\n{promises[record.compatibility]}",
        "messages": {name: _reference("components", "messages", name) for name in names},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": partition_count(record, plan),
                "replicas": plan.replication,
                "topicConfiguration": {
                    "cleanup.policy": record.cleanup.split(","),
                    "retention.ms": retention_ms(record, plan),
                    "max.message.bytes": record.max_message_bytes,
                },
                "bindingVersion": _kafka_bindings,
            }
        },
        "x-owner": record.owner,
        "x-key": record.key,
    }


def _message_names(record: TopicRecord) -> Sequence[str]:
    match record.kind:
        case "raw":
            return _event_names(record)
        case "enriched":
            return [f"enriched.{name}" for name in _event_names(record)]
        case "reference":
            return [f"reference.{entity}" for entity in reference_entities]
        case "quarantine" | "retry" | "dead-letter" | "audit" | "outcome" | "watermarks":
            return [record.kind]
        case _:
            assert_never(record.kind)


def _event_names(record: TopicRecord) -> Sequence[str]:
    known = [event.short_name for event in events.values() if event.family == record.family]
    return known or [unknown_family]


def _messages() -> Iterator[tuple[str, Node]]:
    for event in events.values():
        path = f"{event.family}/{event.short_name}"
        yield (
            event.short_name,
            {
                **_event_message(event.name, _file(f"webhooks/{path}.schema.json")),
                "examples": [{"payload": _file(f"examples/{path}.json")}],
            },
        )
        yield (
            f"enriched.{event.short_name}",
            _event_message(
                event.name, _enriched(event.name, _file(f"webhooks/{path}.schema.json"))
            ),
        )
    yield (
        unknown_family,
        {
            **_event_message(unknown_family, _reference("components", "schemas", "event")),
            "examples": [{"payload": _file("topics/examples/unknown.json")}],
        },
    )
    yield (
        f"enriched.{unknown_family}",
        _event_message(
            unknown_family, _enriched("event", _reference("components", "schemas", "event"))
        ),
    )
    yield "quarantine", _opaque_message("quarantine", "Zoom's id of the request.")
    yield "retry", _opaque_message("retry", "As it was read.")
    yield "dead-letter", _opaque_message("dead-letter", "As it was read.")
    yield "audit", _audit_message()
    yield "watermarks", _watermark_message()
    yield "outcome", _outcome_message()
    for entity in reference_entities:
        yield f"reference.{entity}", _reference_message(entity)


def _event_message(name: str, payload: Node) -> Node:
    return {
        "name": name,
        "traits": [_reference("components", "messageTraits", "event")],
        "payload": payload,
    }


def _enriched(name: str, schema: Node) -> Node:
    return {"title": f"enriched.{name}", "allOf": [schema, _file("enriched/event.schema.json")]}


def _opaque_message(name: str, key: str) -> Node:
    return {
        "name": name,
        "contentType": "application/octet-stream",
        "headers": _reference("components", "schemas", f"headers.{name}"),
        "bindings": _key(key),
    }


def _audit_message() -> Node:
    return {
        "name": "audit",
        "payload": titled(_audit_line, "audit"),
        "bindings": _key("topic/partition/offset of the dead letter"),
        "examples": [{"payload": _file("topics/examples/dead-letter-audit.json")}],
    }


def _watermark_message() -> Node:
    return {
        "name": "watermarks",
        "payload": titled(_watermark, "watermarks"),
        "bindings": _key("feed:<name> of a watermark, active of the claim"),
        "examples": [{"payload": _file("topics/examples/watermarks.json")}],
    }


def _reference_message(entity: str) -> Node:
    return {
        "name": f"reference.{entity}",
        "headers": _reference("components", "schemas", "headers.reference"),
        "payload": _file(f"reference/{entity}.schema.json"),
        "bindings": _key("account_id:entity:id"),
        "examples": [{"payload": _file(f"examples/reference/{entity}.json")}],
    }


def _outcome_message() -> Node:
    return {
        "name": "outcome",
        "headers": _reference("components", "schemas", "headers.snapshot"),
        "payload": _file("outcome/engagement_outcome.schema.json"),
        "bindings": _key("account_id:engagement_id"),
        "examples": [
            {"payload": _file(f"examples/outcome/{status}.json")}
            for status in ("complete", "partial", "unavailable")
        ],
    }


def _key(meaning: str) -> Node:
    key = {"type": "string", "description": meaning}
    return {"kafka": {"key": key, "bindingVersion": _kafka_bindings}}


def _headers(headers: Sequence[Header]) -> Node:
    return {
        "type": "object",
        "properties": {
            each.name: {"type": "string", "description": each.meaning} for each in headers
        },
        "required": [each.name for each in headers if each.always],
    }


def _reference(*steps: str) -> Node:
    return {"$ref": f"#/{'/'.join(steps)}"}


def _file(path: str) -> Node:
    return {"$ref": f"./{path}"}
