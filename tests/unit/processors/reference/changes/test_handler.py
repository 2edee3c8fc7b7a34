"""What a webhook says reaches the topic at once, and nothing older replaces it."""

from datetime import datetime
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from processors.reference.asking import Asking
from processors.reference.changes.handler import ChangesHandler
from processors.reference.news import Account
from runtime.values import Delivery, Record
from schemas.headers import ce_type
from schemas.reference_record import as_of_ms
from tests.support.fakes.zoom import VirtualClock
from tests.support.reference_account import (
    AccountInMemory,
    KnownInMemory,
    account_id,
    ids_in,
    topic,
    users,
)
from zoom.errors import ForbiddenError, UnavailableError, ZoomFault, error_of
from zoom.messages import Caller


class _Rig:
    def __init__(self, *entities: str) -> None:
        self.clock = VirtualClock()
        self.zoom = AccountInMemory(self.clock)
        self.known = KnownInMemory()
        self.expected: list[datetime] = []
        asking = Asking(self.zoom, Account(account_id, self.known), self.clock)
        self.handler = ChangesHandler(
            asking, self._expecting, topic=topic, entities=entities or ("user", "queue", "asset")
        )

    def _expecting(self, since: datetime) -> Caller:
        self.expected.append(since)
        return self.zoom

    def now_ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)

    async def happens(
        self, event: str, entity: dict[str, Any], *, at_ms: int | None = None, account: str = ""
    ) -> list[Record]:
        """Handle an event; its records reach the topic."""
        body = {
            "event": f"contact_center.{event}",
            "event_ts": self.now_ms() if at_ms is None else at_ms,
            "payload": {"account_id": account or account_id, "object": entity},
        }
        records = list(await self.handler(_delivery(orjson.dumps(body), body["event"])))
        self.known.take(records)
        return records


def _delivery(value: bytes | None, event: object) -> Delivery:
    headers = ((ce_type, str(event).encode()),)
    return Delivery("zcc.user.v1", 0, 0, b"key", value, headers, 0)


async def test_an_updated_entity_is_looked_up_and_published_as_of_the_question() -> None:
    rig = _Rig()
    rig.zoom.lists["list_users"] = users("ann")
    before_ms = rig.now_ms()

    (record,) = await rig.happens("user_updated", {"user_id": "ANN", "updates": {"x": 1}})

    assert record.topic == topic
    assert orjson.loads(record.value or b"")["state"] == {"user_id": "ANN", "display_name": "ann"}
    assert as_of_ms(record.headers, timestamp_ms=0) == before_ms


async def test_deleted_users_are_gone_as_of_the_event() -> None:
    rig = _Rig()
    at_ms = rig.now_ms() - 5000

    records = await rig.happens(
        "user_deleted", {"users": [{"user_id": "A"}, {"user_id": "B"}]}, at_ms=at_ms
    )

    assert ids_in(records, gone=True) == ["A", "B"]
    assert as_of_ms(records[0].headers, timestamp_ms=0) == at_ms
    assert rig.zoom.calls == []


async def test_a_deletion_between_question_and_answer_wins() -> None:
    rig = _Rig()
    rig.zoom.lists["list_users"] = users("ann")
    deletion = await _Rig().happens("user_deleted", {"users": [{"user_id": "ANN"}]}, at_ms=0)
    later = [
        Record(each.topic, each.key, None, (("zcc-as-of", b"2026-01-01T00:00:00.100Z"),))
        for each in deletion
    ]
    rig.zoom.during = lambda: rig.known.take(later)

    assert await rig.happens("user_updated", {"user_id": "ANN"}) == []


async def test_a_deletion_that_comes_late_does_not_remove_what_was_created_again() -> None:
    rig = _Rig()
    rig.zoom.lists["list_users"] = users("ann")
    rig.clock.elapsed_s += 60
    await rig.happens("user_created", {"user_id": "ANN"})

    late = await rig.happens(
        "user_deleted", {"users": [{"user_id": "ANN"}]}, at_ms=rig.now_ms() - 30_000
    )

    assert late == []
    assert rig.known.ids(account_id, "user") == ["ANN"]


async def test_a_change_that_changes_nothing_publishes_nothing() -> None:
    rig = _Rig()
    rig.zoom.lists["list_users"] = users("ann")
    await rig.happens("user_updated", {"user_id": "ANN"})
    rig.clock.elapsed_s += 60

    assert await rig.happens("user_updated", {"user_id": "ANN"}) == []


async def test_an_entity_that_zoom_no_longer_has_is_gone_as_of_the_question() -> None:
    rig = _Rig()

    records = await rig.happens("user_updated", {"user_id": "ANN"})

    assert ids_in(records, gone=True) == ["ANN"]


async def test_a_new_entity_that_zoom_does_not_know_yet_is_looked_up_with_its_time() -> None:
    rig = _Rig()
    rig.zoom.errors["get_user"] = error_of(ZoomFault.NOT_READY, "too new")

    with pytest.raises(UnavailableError):
        await rig.happens("user_created", {"user_id": "ANN"})

    assert rig.expected == [rig.clock.now()]


async def test_a_queue_that_is_deleted_by_its_old_id_is_gone_by_its_own() -> None:
    rig = _Rig()
    rig.zoom.lists["list_queues"] = [{"cc_queue_id": "Q", "queue_id": "old"}]
    rig.clock.elapsed_s += 1
    await rig.happens("queue_created", {"cc_queue_id": "Q"})
    rig.known.held[account_id, "queue", "old"] = rig.known.held[account_id, "queue", "Q"]
    rig.clock.elapsed_s += 1

    assert ids_in(await rig.happens("queue_deleted", {"queue_id": "old"}), gone=True) == ["Q"]


async def test_an_archived_asset_is_published_with_its_state() -> None:
    rig = _Rig()
    rig.zoom.lists["list_assets"] = [{"asset_id": "A", "archived": True}]

    await rig.happens("asset_deleted", {"asset_id": "A", "archived": True})

    assert rig.known.states("asset") == {"A": {"asset_id": "A", "archived": True}}


async def test_the_outage_of_zoom_is_for_the_runtime_to_retry() -> None:
    rig = _Rig()
    rig.zoom.errors["get_user"] = error_of(ZoomFault.OUTAGE, "down")

    with pytest.raises(UnavailableError):
        await rig.happens("user_updated", {"user_id": "ANN"})


async def test_what_zoom_forbids_is_left_to_the_walk() -> None:
    rig = _Rig()
    rig.zoom.errors["get_user"] = error_of(ZoomFault.MISSING_SCOPE, "get_user")

    with capture_logs() as logs:
        for user_id in ("ANN", "BOB"):
            assert await rig.happens("user_updated", {"user_id": user_id}) == []

    assert [(entry["log_level"], entry["entity"]) for entry in logs] == [("warning", "user")]


async def test_credentials_that_zoom_refuses_halt_the_worker() -> None:
    rig = _Rig()
    rig.zoom.errors["get_user"] = error_of(ZoomFault.CREDENTIALS, "get_user")

    with pytest.raises(ForbiddenError):
        await rig.happens("user_updated", {"user_id": "ANN"})


@pytest.mark.parametrize("id_", ["me", "a@b", "..", "x" * 300])
async def test_a_text_that_is_no_id_is_not_looked_up(id_: str) -> None:
    rig = _Rig()

    assert await rig.happens("user_updated", {"user_id": id_}) == []
    assert rig.zoom.calls == []


async def test_of_another_account_only_deletions_are_published() -> None:
    rig = _Rig()

    assert await rig.happens("user_updated", {"user_id": "A"}, account="other") == []
    gone = await rig.happens("user_deleted", {"users": [{"user_id": "A"}]}, account="other")
    assert [record.key for record in gone] == [b"other:user:A"]
    assert rig.zoom.calls == []


async def test_entities_that_are_not_configured_are_ignored() -> None:
    assert await _Rig("queue").happens("user_deleted", {"users": [{"user_id": "A"}]}) == []


@pytest.mark.parametrize("value", [None, b"{", b"[]"])
async def test_a_record_that_is_no_event_is_left_to_enrichment(value: bytes | None) -> None:
    assert await _Rig().handler(_delivery(value, "contact_center.user_deleted")) == ()


async def test_other_events_are_ignored_unread() -> None:
    assert await _Rig().handler(_delivery(b"{", "contact_center.user_login")) == ()
