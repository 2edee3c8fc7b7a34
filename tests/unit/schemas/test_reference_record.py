"""Keys, values and order of the reference topic's records."""

import orjson
import pytest

from schemas.enriched_record import UnreadableRecordError
from schemas.reference_record import ReferenceKey, Snapshot, as_of_ms, is_newer, read_key

KEY = ReferenceKey("account", "user", "id/with:colons+and=signs")


def test_a_key_is_read_as_it_was_written() -> None:
    assert read_key(KEY.encode()) == KEY


@pytest.mark.parametrize("key", [None, b"", b"account", b"account:user", b"a::id", b"a:b:\xff"])
def test_another_key_is_refused(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecordError, match="account_id:entity:id"):
        read_key(key)


def test_a_snapshot_says_its_time_in_value_and_header() -> None:
    snapshot = Snapshot(KEY, 1_700_000_000_123, {"display_name": "D"})

    assert orjson.loads(snapshot.value or b"") == {
        "entity": "user",
        "account_id": "account",
        "id": "id/with:colons+and=signs",
        "as_of": "2023-11-14T22:13:20.123Z",
        "state": {"display_name": "D"},
    }
    assert as_of_ms(snapshot.headers, timestamp_ms=5) == 1_700_000_000_123


def test_a_tombstone_has_a_time_and_no_value() -> None:
    gone = Snapshot(KEY, 1_700_000_000_123, None)

    assert gone.value is None
    assert as_of_ms(gone.headers, timestamp_ms=5) == 1_700_000_000_123


@pytest.mark.parametrize(
    "value", [b"", b"yesterday", b"2023-11-14T22:13:20", b"0001-01-01T00:00+14:00"]
)
def test_a_record_without_a_readable_time_holds_from_when_it_was_sent(value: bytes) -> None:
    assert as_of_ms((("zcc-as-of", value),), timestamp_ms=5) == 5
    assert as_of_ms((), timestamp_ms=5) == 5


def test_the_newer_state_stays_and_of_one_millisecond_the_deletion() -> None:
    assert is_newer(2, 1, this_gone=False)
    assert not is_newer(1, 2, this_gone=True)
    assert is_newer(1, 1, this_gone=True)
    assert not is_newer(1, 1, this_gone=False)
