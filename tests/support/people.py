"""Every event told of one agent and one consumer, whose values can be told from all others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from runtime.values import Delivery
from schemas import catalogue
from tests.support.enriched_records import complete, delivery

NUMBERS = {"consumer_number", "consumer_invite_number", "caller_number", "caller_id", "from"}
CONSUMER_IDS = {"consumer_id", "attendee_id"}
EMAILS = {"consumer_email", "consumer_invite_email", "email"}
CONSUMER_WORDS = {
    "consumer_display_name",
    "first_name",
    "last_name",
    "message_text",
    "note",
    "content",
    "dtmf_input",
    "file_name",
    "download_url",
    "transcript_url",
    "error_detail",
    "country_name",
}
USER_IDS = {
    "user_id",
    "user_ids",
    "owner_id",
    "modified_by",
    "assigned_user_id",
    "monitoring_user_id",
    "previous_user_id",
    "takeover_user_id",
    "transfer_to_user_id",
    "participant_user_id",
    "cc_user_id",
}
USER_WORDS = {
    "user_display_name",
    "display_name",
    "owner_name",
    "monitoring_user_display_name",
    "previous_user_display_name",
    "takeover_user_display_name",
    "transfer_to_user_display_name",
    "participant_display_name",
    "user_email",
    "region_name",
    "external_launch_url",
}
SHARED = {"account_id", "cc_queue_id", "queue_id"}


@dataclass(frozen=True)
class People:
    """A consumer and the agent who serves them; ``number`` as Zoom writes it."""

    name: str
    number: str

    @property
    def consumer_id(self) -> str:
        return f"consumer-{self.name}"

    @property
    def email(self) -> str:
        return f"{self.name}@consumers.example.com"

    @property
    def user_id(self) -> str:
        return f"agent-{self.name}"

    @property
    def consumer_traces(self) -> tuple[str, ...]:
        """What every value of the consumer contains."""
        return self.number[1:], self.consumer_id, self.email, f"said by {self.name}"

    @property
    def user_traces(self) -> tuple[str, ...]:
        """What every value of the agent contains."""
        return self.user_id, f"known of {self.name}"

    def told(self) -> Iterator[Delivery]:
        """Yield one delivery of each event, with all members that it can have."""
        users = {self.user_id: {"user_id": self.user_id, "display_name": f"known of {self.name}"}}
        missing = [{"entity": "user", "id": self.user_id, "reason": "absent"}]
        enrichment = {**complete, "users": users, "missing": missing}
        for event in catalogue.events:
            body = orjson.loads(catalogue.example(event))
            body["payload"]["object"] = self._own(body["payload"]["object"])
            yield delivery(orjson.dumps(body), enrichment=enrichment)

    def _own(self, node: Any, name: str = "", beside: Mapping[str, Any] | None = None) -> Any:
        if isinstance(node, dict):
            return {member: self._own(value, member, node) for member, value in node.items()}
        if isinstance(node, list):
            return [self._own(item, name, beside) for item in node[:1]]
        return self._value(name, node, beside or {}) if isinstance(node, str) else node

    def _value(self, name: str, value: str, beside: Mapping[str, Any]) -> str:
        numbers = NUMBERS | ({"phone_number"} if "attendee_id" in beside else set())
        words = USER_WORDS | ({"phone_number"} if "phone_number_id" in beside else set())
        for names, own in (
            (numbers, self.number),
            (CONSUMER_IDS, self.consumer_id),
            (EMAILS, self.email),
            (CONSUMER_WORDS, f"{name} said by {self.name}"),
            (USER_IDS, self.user_id),
            (words, f"{name} known of {self.name}"),
            (SHARED, value),
        ):
            if name in names:
                return own
        return f"{value}-{self.name}" if name.endswith("_id") else value
