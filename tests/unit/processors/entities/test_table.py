"""The reference topic in memory: what counts, how it is looked up, what leaves."""

import orjson
import pytest

from processors.entities.entity_set import Entry
from processors.entities.fields import Fragment
from processors.entities.table import ReferenceTable
from runtime.values import Delivery
from schemas.enriched_record import UnreadableRecordError
from schemas.envelope import JsonObject
from tests.support.reference_records import delivery_of, raw, snapshot


def aliases(entity: str, id_: str, state: JsonObject) -> list[str]:
    if entity == "user":
        return [id_.lower()]
    queue_id = state.get("queue_id")
    return [queue_id] if isinstance(queue_id, str) else []


def table(limit_bytes: int = 1_000_000) -> ReferenceTable:
    return ReferenceTable(limit_bytes, kinds=["user", "queue"], aliases=aliases)


def holding(*deliveries: Delivery, limit_bytes: int = 1_000_000) -> ReferenceTable:
    each = table(limit_bytes)
    for delivery in deliveries:
        each.take(delivery)
    settle(each)
    return each


def settle(each: ReferenceTable) -> None:
    while not each.settle():
        pass


def whole(state: JsonObject) -> Fragment:
    return Fragment(orjson.dumps(state), b"")


def state_of(entry: Entry | None) -> JsonObject | None:
    assert entry is not None
    return entry.state


def test_the_newest_state_is_found_by_its_id() -> None:
    held = holding(
        delivery_of(snapshot("U1", 10, {"name": "new"})),
        delivery_of(snapshot("U1", 9, {"name": "old"})),
    )
    entry = held.get("a", "user", "U1")
    assert state_of(entry) == {"name": "new"}
    assert entry is not None
    assert entry.as_of_ms == 10
    assert len(held) == 1


def test_what_is_not_known_is_none() -> None:
    held = holding(delivery_of(snapshot("U1", 10, {})))
    assert held.get("a", "user", "U2") is None
    assert held.get("b", "user", "U1") is None
    assert held.get("a", "queue", "U1") is None


def test_ids_with_slashes_pluses_and_colons_are_kept_whole() -> None:
    held = holding(delivery_of(snapshot("a/b+c:d==", 10, {"name": "x"})))
    assert state_of(held.get("a", "user", "a/b+c:d==")) == {"name": "x"}


def test_until_it_settles_lookups_find_the_state_before() -> None:
    held = holding(delivery_of(snapshot("U1", 10, {"name": "old"})))
    held.take(delivery_of(snapshot("U1", 11, {"name": "new"})))
    assert state_of(held.get("a", "user", "U1")) == {"name": "old"}
    settle(held)
    assert state_of(held.get("a", "user", "U1")) == {"name": "new"}


def test_a_deletion_is_remembered_and_an_older_state_does_not_undo_it() -> None:
    held = holding(delivery_of(snapshot("U1", 10, {})), delivery_of(snapshot("U1", 12, None)))
    held.take(delivery_of(snapshot("U1", 11, {"name": "older"})))
    settle(held)
    entry = held.get("a", "user", "U1")
    assert entry is not None
    assert entry.is_gone
    assert entry.state is None
    assert entry.fragment(whole) is None
    assert held.ids("a", "user") == ()
    held.take(delivery_of(snapshot("U1", 13, {"name": "again"})))
    settle(held)
    assert state_of(held.get("a", "user", "U1")) == {"name": "again"}


def test_a_user_is_found_in_any_letter_case_and_a_queue_by_both_ids() -> None:
    held = holding(
        delivery_of(snapshot("AbC", 1, {"name": "u"})),
        delivery_of(snapshot("CcQ", 1, {"queue_id": "Q1"}, entity="queue")),
    )
    assert state_of(held.get("a", "user", "abc")) == {"name": "u"}
    assert state_of(held.get("a", "user", "aBc")) == {"name": "u"}
    assert state_of(held.get("a", "queue", "Q1")) == {"queue_id": "Q1"}
    assert held.get("a", "queue", "q1") is None
    assert held.get("a", "queue", "ccq") is None


def test_an_alias_follows_the_state() -> None:
    held = holding(delivery_of(snapshot("CcQ", 1, {"queue_id": "Q1"}, entity="queue")))
    held.take(delivery_of(snapshot("CcQ", 2, {"queue_id": "Q2"}, entity="queue")))
    settle(held)
    assert held.get("a", "queue", "Q1") is None
    assert state_of(held.get("a", "queue", "Q2")) == {"queue_id": "Q2"}
    held.take(delivery_of(snapshot("CcQ", 3, None, entity="queue")))
    settle(held)
    assert held.get("a", "queue", "Q2") is None


def test_of_two_entities_with_one_alias_the_newer_is_found() -> None:
    held = holding(
        delivery_of(snapshot("C1", 2, {"queue_id": "Q"}, entity="queue")),
        delivery_of(snapshot("C2", 1, {"queue_id": "Q", "older": True}, entity="queue")),
    )
    assert state_of(held.get("a", "queue", "Q")) == {"queue_id": "Q"}
    held.take(delivery_of(snapshot("C1", 3, None, entity="queue")))
    settle(held)
    assert state_of(held.get("a", "queue", "Q")) == {"queue_id": "Q", "older": True}


def test_a_deleted_id_that_is_the_alias_of_another_leads_to_the_other() -> None:
    held = holding(
        delivery_of(snapshot("Q1", 1, None, entity="queue")),
        delivery_of(snapshot("CcQ", 1, {"queue_id": "Q1"}, entity="queue")),
    )
    assert state_of(held.get("a", "queue", "Q1")) == {"queue_id": "Q1"}


def test_without_a_function_for_them_there_are_no_aliases() -> None:
    held = ReferenceTable(1000, kinds=["user"])
    held.take(delivery_of(snapshot("U1", 1, {})))
    settle(held)
    assert held.get("a", "user", "U1") is not None
    assert held.get("a", "user", "u1") is None


def test_records_of_other_kinds_are_ignored() -> None:
    held = table()
    held.take(delivery_of(snapshot("x", 1, {}, entity="sms_log")))
    held.take(delivery_of(snapshot("x", 1, {}, entity="api_budget")))
    assert held.settle()
    assert (len(held), held.size_bytes) == (0, 0)


@pytest.mark.parametrize("key", [None, b"", b"a:user"])
def test_a_key_without_its_parts_is_refused_at_once(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecordError):
        table().take(raw(key, b"{}"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"a:user:", b'{"state":{}}'),
        (b":user:1", b'{"state":{}}'),
        (b"a:user:\xff", b'{"state":{}}'),
        (b"a:user:1", b""),
        (b"a:user:1", b"{"),
        (b"a:user:1", b"[]"),
        (b"a:user:1", b"{}"),
        (b"a:user:1", b'{"state":null}'),
        (b"a:user:1", b'{"state":[]}'),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_when_it_settles(key: bytes, value: bytes) -> None:
    held = table()
    held.take(raw(key, value))
    with pytest.raises(UnreadableRecordError):
        held.settle()
    assert held.settle()
    assert (len(held), held.size_bytes) == (0, 0)


def test_a_record_that_cannot_be_read_leaves_the_state_before() -> None:
    held = holding(delivery_of(snapshot("U1", 1, {"name": "old"})))
    held.take(raw(b"a:user:U1", b'{"version":2}'))
    with pytest.raises(UnreadableRecordError):
        held.settle()
    assert state_of(held.get("a", "user", "U1")) == {"name": "old"}


def test_a_record_without_a_header_holds_as_of_its_timestamp() -> None:
    held = holding(raw(b"a:user:U1", b'{"state":{"name":"x"}}'))
    entry = held.get("a", "user", "U1")
    assert entry is not None
    assert entry.as_of_ms == 5


def test_a_fragment_is_made_once_for_a_projection_and_counts() -> None:
    calls = []

    def name_of(state: JsonObject) -> Fragment:
        calls.append(state)
        return Fragment(orjson.dumps(state["name"]), b"")

    held = holding(delivery_of(snapshot("U1", 1, {"name": "x"})))
    before_bytes = held.size_bytes
    entry = held.get("a", "user", "U1")
    assert entry is not None
    assert [entry.fragment(name_of), entry.fragment(name_of)] == [Fragment(b'"x"', b"")] * 2
    assert len(calls) == 1
    assert held.size_bytes == before_bytes + 3
    assert entry.fragment(whole) == Fragment(b'{"name":"x"}', b"")
    held.take(delivery_of(snapshot("U1", 2, {"name": "x"})))
    settle(held)
    entry.fragment(name_of)  # of an entry that has left
    assert held.size_bytes == before_bytes


def test_the_ids_of_a_kind_are_those_that_exist() -> None:
    held = holding(
        delivery_of(snapshot("U1", 1, {})),
        delivery_of(snapshot("U2", 1, None)),
        delivery_of(snapshot("U3", 1, {})),
        delivery_of(snapshot("Q1", 1, {}, entity="queue")),
    )
    assert sorted(held.ids("a", "user")) == ["U1", "U3"]
    assert held.ids("b", "user") == ()


def test_the_age_of_a_kind_is_that_of_its_oldest_and_newest_state() -> None:
    minute_ms = 60_000
    held = holding(
        delivery_of(snapshot("U1", 3 * minute_ms + 1, {})),
        delivery_of(snapshot("U2", 9 * minute_ms, {}, account_id="b")),
        delivery_of(snapshot("U3", 9 * minute_ms, {}, account_id="b")),
        delivery_of(snapshot("U4", 1, None)),
        delivery_of(snapshot("Q1", 2, {}, entity="queue")),
    )
    assert held.as_of_range("user") == (3 * minute_ms, 9 * minute_ms)
    assert held.as_of_range("team") is None
    held.take(delivery_of(snapshot("U1", 10 * minute_ms, {})))
    settle(held)
    assert held.as_of_range("user") == (9 * minute_ms, 10 * minute_ms)


def test_above_the_bound_the_least_used_leave() -> None:
    names = [f"U{number}" for number in range(10)]
    held = holding(*(delivery_of(snapshot(name, 1, {})) for name in names))
    for name in names[:5]:
        held.get("a", "user", name)
    small = holding(
        *(delivery_of(snapshot(name, 1, {})) for name in names), limit_bytes=held.size_bytes
    )
    for name in names[:5]:
        small.get("a", "user", name)
    for number in range(5):
        small.take(delivery_of(snapshot(f"V{number}", 1, {})))
        settle(small)
    assert small.evicted_count == 5
    assert all(small.get("a", "user", name) for name in names[:5])
    assert len(small) == 10


def test_a_new_state_of_an_entity_that_is_looked_up_does_not_leave_first() -> None:
    held = holding(delivery_of(snapshot("U1", 1, {})), delivery_of(snapshot("U2", 1, {})))
    small = holding(delivery_of(snapshot("U1", 1, {})), limit_bytes=held.size_bytes)
    small.get("a", "user", "U1")
    for delivery in (snapshot("U1", 2, {}), snapshot("U2", 1, {}), snapshot("U3", 1, {})):
        small.take(delivery_of(delivery))
        settle(small)
    assert (small.evicted_count, len(small)) == (1, 2)
    assert small.get("a", "user", "U1") is not None


def test_a_table_without_room_holds_nothing_and_goes_on() -> None:
    held = holding(*(delivery_of(snapshot(f"U{n}", 1, {})) for n in range(3)), limit_bytes=0)
    assert (len(held), held.size_bytes, held.evicted_count) == (0, 0, 3)
    assert held.ids("a", "user") == ()


def test_clearing_forgets_everything_but_the_count() -> None:
    held = holding(delivery_of(snapshot("U1", 1, {})), limit_bytes=10)
    held.take(delivery_of(snapshot("U1", 1, {})))
    held.clear()
    assert (len(held), held.size_bytes, held.evicted_count) == (0, 0, 2)
    assert held.get("a", "user", "U1") is None
