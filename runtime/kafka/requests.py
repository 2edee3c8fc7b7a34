"""Requests that the library does not have. Source: Kafka protocol guide."""

from typing import ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Int16, Int32, Schema, String


class _HeartbeatResponse(Response):  # type: ignore[misc]  # the library has no types
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
    """A sign of life of a member with a static id (KIP-345).

    Where another member has the id by now, the answer is that this one is fenced; without the id it
    would be that it is unknown, as after a lapse of its session.
    """

    API_KEY = 12

    def __init__(self, group: str, generation: int, member_id: str, *, instance_id: str) -> None:
        self._fields = (group, generation, member_id, instance_id)

    def build(self, request_struct_class: type[_Heartbeat]) -> _Heartbeat:
        """Return it as it goes out."""
        return request_struct_class(*self._fields)
