"""A newer state that an older one follows in the topic is published again, until it is last."""

import orjson
import pytest

from processors.entities.table import ReferenceTable
from processors.reference.overwritten import WatchedTable
from runtime.values import Delivery
from schemas.enriched_record import UnreadableRecordError
from schemas.envelope import JsonObject
from schemas.reference_record import ReferenceKey, Snapshot


def _previous_id(_entity: str, _id: str, state: JsonObject) -> list[str]:
    return [str(state["previous_id"])] if "previous_id" in state else []


class _Topic:
    """A topic whose records a table takes."""

    def __init__(self, *, limit_bytes: int = 10**6) -> None:
        table = ReferenceTable(limit_bytes, kinds=("user",), aliases=_previous_id)
        self.watched = WatchedTable(table, ("user",))

    def write(
        self, as_of_ms: int, name: str | None, *, id_: str = "A", entity: str = "user", **more: str
    ) -> None:
        key = ReferenceKey("acc", entity, id_)
        state = None if name is None else {"user_id": id_, "display_name": name, **more}
        snapshot = Snapshot(key, as_of_ms, state)
        self.watched.take(
            Delivery("t", 0, 0, key.encode(), snapshot.value, snapshot.headers, 9_999)
        )

    def corrections(self) -> list[tuple[int, object]]:
        while not self.watched.settle():
            pass
        states = [(each.as_of_ms, each.state) for each in self.watched.corrections(10)]
        return [(ms, state and state["display_name"]) for ms, state in states]


def test_states_in_the_order_of_their_times_need_no_correction() -> None:
    topic = _Topic()
    for as_of_ms, name in ((1000, "old"), (2000, "new"), (2000, "new"), (3000, None)):
        topic.write(as_of_ms, name)

    assert topic.corrections() == []
    assert topic.watched.overwritten_count == 0


def test_the_newer_state_is_published_again_when_an_older_one_follows() -> None:
    topic = _Topic()
    topic.write(2000, "new")
    topic.write(1000, "old")

    assert topic.corrections() == [(2000, "new")]


def test_so_is_a_deletion() -> None:
    topic = _Topic()
    topic.write(2000, None)
    topic.write(1000, "old")

    assert topic.corrections() == [(2000, None)]


def test_a_correction_is_needed_until_the_topic_has_it() -> None:
    topic = _Topic()
    topic.write(2000, "new")
    topic.write(1000, "old")
    assert topic.corrections() == topic.corrections()

    topic.write(2000, "new")

    assert topic.corrections() == []


def test_a_state_that_has_left_the_table_cannot_be_corrected() -> None:
    topic = _Topic(limit_bytes=1)
    topic.write(2000, "new")
    topic.write(1000, "old")

    assert topic.corrections() == []
    assert topic.watched.overwritten_count == 0


def test_the_state_of_another_entity_with_this_id_as_alias_is_not_published_under_it() -> None:
    topic = _Topic()
    topic.write(2000, None)
    topic.write(1000, "old")
    topic.write(2000, "other", id_="B", previous_id="A")

    assert topic.corrections() == []


def test_records_of_other_kinds_are_not_watched() -> None:
    topic = _Topic()
    topic.write(2000, "new", entity="sms_log")
    topic.write(1000, "old", entity="sms_log")

    assert topic.watched.overwritten_count == 0
    assert len(topic.watched) == 0


def test_a_recreated_topic_begins_with_nothing() -> None:
    topic = _Topic()
    topic.write(2000, "new")
    topic.write(1000, "old")

    topic.watched.clear()

    assert topic.watched.overwritten_count == len(topic.watched) == 0


def test_a_key_that_violates_the_contract_is_refused() -> None:
    watched = _Topic().watched

    with pytest.raises(UnreadableRecordError):
        watched.take(Delivery("t", 0, 0, b"nonsense", orjson.dumps({}), (), 0))
