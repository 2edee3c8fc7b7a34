"""Assets and their items."""

from typing import Any

from schemas.headers import timestamp
from sinks.postgres.model.families.asset import asset, item
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of

ITEM: dict[str, Any] = {
    "asset_item_id": "I1",
    "asset_item_name": "English",
    "asset_item_language": "en-US",
    "is_default": True,
    "asset_item_file_url": "https://x",
    "asset_item_content": "Welcome!",
    "asset_item_voice": "Joanna",
}
CREATED = event(
    "asset_created",
    asset_id="A1",
    modified_by="U1",
    asset_name="Welcome",
    asset_description="Played first",
    asset_type="audio",
    asset_language_code="en-US",
    category_id="C1",
    category_name="Greetings",
    asset_items=[ITEM],
)


def updated(after_s: int, **updates: Any) -> Any:
    return event("asset_updated", after_s=after_s, asset_id="A1", modified_by="U2", updates=updates)


def test_an_asset_is_what_its_newest_events_say() -> None:
    (row,) = rows_of(asset, updated(1, asset_name="Hello", category_id="C2"), CREATED)
    assert row == {
        "asset_id": "A1",
        "asset_name": "Hello",
        "asset_description": "Played first",
        "asset_type": "audio",
        "asset_language_code": "en-US",
        "category_id": "C2",
        "category_name": "Greetings",
        "modified_by": "U2",
        "archived": False,
        "created_at": START_MS,
        "modified_at": START_MS + 1000,
    }


def test_an_archived_asset_can_be_restored_and_deleted_for_good() -> None:
    gone = {"asset_id": "A1", "asset_name": "Welcome", "modified_by": "U1"}
    archived = event(
        "asset_deleted", after_s=2, **gone, archived=True, archived_time=timestamp(START_MS + 1500)
    )
    (row,) = rows_of(asset, archived, CREATED)
    assert (row["archived"], row["archived_at"]) == (True, START_MS + 1500)
    assert "deleted_at" not in row
    restored = updated(3, restore=True)
    (row,) = rows_of(asset, restored, archived, CREATED)
    assert (row["archived"], row.get("archived_at")) == (False, None)
    deleted = event("asset_deleted", after_s=4, **gone, archived=False)
    (row,) = rows_of(asset, deleted, restored, archived, CREATED)
    assert row["deleted_at"] == START_MS + 4000
    (row,) = rows_of(asset, deleted, updated(5, restore=True))
    assert "deleted_at" not in row


def test_an_archive_without_a_time_of_its_own_begins_with_the_event() -> None:
    (row,) = rows_of(asset, event("asset_deleted", asset_id="A1", archived=True))
    assert row["archived_at"] == START_MS


def test_items_are_added_changed_and_taken_away() -> None:
    (row,) = rows_of(item, CREATED)
    assert row == {
        "asset_id": "A1",
        "asset_item_id": "I1",
        "name": "English",
        "language_code": "en-US",
        "is_default": True,
        "file_url": "https://x",
        "content": "Welcome!",
        "voice": "Joanna",
    }
    events = [
        CREATED,
        updated(1, asset_item_added=[{"asset_item_id": "I2", "is_default": False}]),
        updated(2, asset_item_updated=[{"asset_item_id": "I1", "asset_item_content": "Hi"}, {}]),
        updated(3, asset_item_deleted=[{"asset_item_id": "I2", "asset_item_name": "Spanish"}]),
    ]
    first, second = rows_of(item, *reversed(events))
    assert (first["content"], first["voice"]) == ("Hi", "Joanna")
    assert (second["name"], second["deleted_at"]) == ("Spanish", START_MS + 3000)


def test_an_item_that_one_event_adds_and_deletes_is_gone() -> None:
    both = updated(
        1, asset_item_added=[ITEM], asset_item_deleted=[{"asset_item_id": "I1"}], restore=False
    )
    (row,) = rows_of(item, both)
    assert row["deleted_at"] == START_MS + 1000


def test_an_event_without_the_id_of_its_asset_makes_no_row() -> None:
    nameless = [event(f"asset_{change}") for change in ("created", "updated", "deleted")]
    assert rows_of(asset, *nameless) == []
