"""Requests that the library lacks, or has only in another version.

Source: Kafka protocol guide.
"""

import base64
from collections.abc import Mapping
from io import BytesIO
from typing import ClassVar

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

_uuid_bytes = 16
_text, _tags = CompactString("utf-8"), ("tags", TaggedFields)
_no_tags: Mapping[int, bytes] = {}


class Uuid(AbstractType[str]):  # type: ignore[misc]  # the library has no types
    """An id in the form of Kafka's tools, URL-safe base64 without padding; "" for the null id."""

    @classmethod
    def encode(cls, value: str) -> bytes:
        """Return its 16 bytes."""
        return base64.urlsafe_b64decode(f"{value}==") if value else bytes(_uuid_bytes)

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        """Read 16 bytes."""
        value = data.read(_uuid_bytes)
        return base64.urlsafe_b64encode(value).decode().rstrip("=") if any(value) else ""


class _HeartbeatResponse(Response):  # type: ignore[misc]  # as above
    API_KEY = 12
    API_VERSION = 3
    SCHEMA: ClassVar = Schema(("throttle_time_ms", Int32), ("error_code", Int16))


class _Heartbeat(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _HeartbeatResponse
    SCHEMA: ClassVar = Schema(
        ("group", String("utf-8")),
        ("generation", Int32),
        ("member_id", String("utf-8")),
        ("instance_id", String("utf-8")),
    )


class StaticHeartbeatRequest(Request[_Heartbeat]):  # type: ignore[misc]  # as above
    """A heartbeat of a member with a static id (KIP-345).

    With the id in the request, the broker answers that the member is fenced where another member
    has taken the id. Without it, the answer would be "unknown member", the same as after an expired
    session.
    """

    API_KEY = 12

    def __init__(self, group: str, generation: int, member_id: str, *, instance_id: str) -> None:
        self._fields = (group, generation, member_id, instance_id)

    def build(self, request_struct_class: type[_Heartbeat]) -> _Heartbeat:
        """Return the request in this version."""
        return request_struct_class(*self._fields)


class _MetadataResponse(Response):  # type: ignore[misc]  # as above
    API_KEY = 3
    API_VERSION = 10
    SCHEMA: ClassVar = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _text), ("port", Int32), ("rack", _text), _tags
            ),
        ),
        ("cluster_id", _text),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _text),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _tags,
                    ),
                ),
                ("authorized_operations", Int32),
                _tags,
            ),
        ),
        ("cluster_authorized_operations", Int32),
        _tags,
    )


class _Metadata(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA: ClassVar = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("topic", _text), _tags)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _tags,
    )


class TopicsRequest(Request[MetadataRequest_v5 | _Metadata]):  # type: ignore[misc]  # as above
    """Topics by name, with their ids where the broker has ids (Metadata version 10, Kafka 2.8).

    Older brokers get version 5. The request creates no topic.
    """

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(
        self, request_struct_class: type[MetadataRequest_v5 | _Metadata]
    ) -> MetadataRequest_v5 | _Metadata:
        """Return the request in this version."""
        if request_struct_class is _Metadata:
            named = [("", topic, _no_tags) for topic in self._topics]
            return request_struct_class(named, False, False, False, _no_tags)  # noqa: FBT003 - as on the wire
        return request_struct_class(self._topics, False)  # noqa: FBT003 - as on the wire


_assignment = Schema(
    (
        "topic_partitions",
        CompactArray(
            ("topic_id", Uuid), ("topic", _text), ("partitions", CompactArray(Int32)), _tags
        ),
    ),
    _tags,
)


class _GroupDescription(Response):  # type: ignore[misc]  # as above
    API_KEY = 69
    API_VERSION = 1
    SCHEMA: ClassVar = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            CompactArray(
                ("error_code", Int16),
                ("error_message", _text),
                ("group", _text),
                ("state", _text),
                ("group_epoch", Int32),
                ("assignment_epoch", Int32),
                ("assignor", _text),
                (
                    "members",
                    CompactArray(
                        ("member_id", _text),
                        ("instance_id", _text),
                        ("rack_id", _text),
                        ("member_epoch", Int32),
                        ("client_id", _text),
                        ("client_host", _text),
                        ("topics", CompactArray(_text)),
                        ("topic_regex", _text),
                        ("assignment", _assignment),
                        ("target_assignment", _assignment),
                        ("member_type", Int8),
                        _tags,
                    ),
                ),
                ("authorized_operations", Int32),
                _tags,
            ),
        ),
        _tags,
    )


class _DescribeGroup(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 69
    API_VERSION = 1
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _GroupDescription
    SCHEMA: ClassVar = Schema(
        ("groups", CompactArray(_text)), ("include_authorized_operations", Boolean), _tags
    )


class DescribeConsumerGroupRequest(Request[_DescribeGroup]):  # type: ignore[misc]  # as above
    """A group of the consumer protocol (KIP-848) and the protocol of each of its members.

    Version 1, Kafka 4.0. This request does not know a group with classic members alone.
    """

    API_KEY = 69

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_DescribeGroup]) -> _DescribeGroup:
        """Return the request in this version."""
        return request_struct_class([self._group], False, _no_tags)  # noqa: FBT003 - as on the wire
