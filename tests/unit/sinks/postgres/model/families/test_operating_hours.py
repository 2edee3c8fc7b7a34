"""Business hours and closures."""

from typing import Any

import orjson

from schemas.headers import timestamp
from sinks.postgres.model.families.operating_hours import business_hour, closure, closure_set
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of

DAYS = [{"day_of_week": 2, "custom_hour_type": 2}]


def test_business_hours_are_what_their_newest_events_say() -> None:
    events = [
        event(
            "business_hours_created",
            business_hour_id="B1",
            modified_by="U1",
            business_hour_name="Summer",
            business_hour_description="June to August",
            timezone="Europe/Paris",
            account_default=False,
            hours={"hour_type": 2, "custom_hours": DAYS},
        ),
        event(
            "business_hours_updated",
            after_s=1,
            business_hour_id="B1",
            modified_by="U2",
            updates={"account_default": True, "hours": {"hour_type": 1}},
        ),
    ]
    (row,) = rows_of(business_hour, *reversed(events))
    assert row == {
        "business_hour_id": "B1",
        "name": "Summer",
        "description": "June to August",
        "timezone": "Europe/Paris",
        "account_default": True,
        "hour_type": 1,
        "custom_hours": orjson.dumps(DAYS),
        "modified_by": "U2",
        "created_at": START_MS,
        "modified_at": START_MS + 1000,
    }
    deleted = event("business_hours_deleted", after_s=9, business_hour_id="B1", modified_by="U3")
    (row,) = rows_of(business_hour, deleted, *events)
    assert (row["deleted_at"], row["modified_by"]) == (START_MS + 9000, "U3")


def test_closures_change_one_by_one_and_member_by_member() -> None:
    yearly: dict[str, Any] = {
        "recurring_frequency": 1,
        "recurring_frequency_type": 2,
        "recurring_month": 1,
        "recurring_week_interval": 1,
        "recurring_days_of_week": [2],
    }
    first = {
        "closure_id": "C1",
        "closure_name": "New Year",
        "closure_hour_type": 1,
        "start_time": timestamp(START_MS),
        "end_time": timestamp(START_MS + 1000),
    }
    events = [
        event(
            "closure_created",
            closure_set_id="S1",
            modified_by="U1",
            closure_set_name="Holidays",
            timezone="Europe/Berlin",
            account_default=False,
            closures=[first, {"closure_id": "C2", "closure_name": "Moving"}, {}],
        ),
        event(
            "closure_updated",
            after_s=1,
            closure_set_id="S1",
            modified_by="U2",
            updates={
                "closure_set_description": "All",
                "closures": [{"closure_id": "C1", **yearly}],
            },
        ),
    ]
    (row,) = rows_of(closure_set, *reversed(events))
    assert row == {
        "closure_set_id": "S1",
        "name": "Holidays",
        "description": "All",
        "timezone": "Europe/Berlin",
        "account_default": False,
        "modified_by": "U2",
        "created_at": START_MS,
        "modified_at": START_MS + 1000,
    }
    assert rows_of(closure, *reversed(events)) == [
        {
            **yearly,
            "closure_set_id": "S1",
            "closure_id": "C1",
            "name": "New Year",
            "hour_type": 1,
            "start_time": START_MS,
            "end_time": START_MS + 1000,
            "recurring_days_of_week": b"[2]",
        },
        {"closure_set_id": "S1", "closure_id": "C2", "name": "Moving"},
    ]
    deleted = event("closure_deleted", after_s=9, closure_set_id="S1", modified_by="U1")
    (row,) = rows_of(closure_set, deleted, *events)
    assert row["deleted_at"] == START_MS + 9000


def test_an_event_without_its_id_makes_no_row() -> None:
    nameless = [event("business_hours_created"), event("closure_created", closures=[])]
    assert rows_of(business_hour, *nameless) == []
    assert rows_of(closure_set, *nameless) == []
