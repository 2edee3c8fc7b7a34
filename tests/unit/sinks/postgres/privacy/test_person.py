"""What is left of documents and rows when one person is erased."""

from typing import Any

import pytest

from sinks.postgres.model.families.conference import projections as conferences
from sinks.postgres.model.families.participants import participant
from sinks.postgres.model.families.recording import projections as recordings
from sinks.postgres.model.families.user import phone_number
from sinks.postgres.privacy.person import (
    Person,
    erased_cells,
    erased_document,
    erased_raw,
    sibling_ids,
)

CONSUMER = Person("consumer", {"15550107001": "token", "C1": "token", "ann@example.com": "token"})
USER = Person("user", {"U1": "token"})


@pytest.mark.parametrize("person", [CONSUMER, USER])
@pytest.mark.parametrize("about", [True, False])
def test_a_document_without_the_person_is_returned_as_it_is(*, person: Person, about: bool) -> None:
    document = {
        "event": "e",
        "list": [1, "C1", {"a": None}],
        "contact_center_number": "15550107001",
    }
    assert erased_document(document, person, about=about) is document
    assert erased_document("C1", person, about=about) == "C1"


def test_an_object_with_a_value_of_the_consumer_loses_the_consumers_other_values() -> None:
    document = {
        "attendees": [
            {"attendee_id": "A1", "phone_number": "+1 555 010 7001", "first_name": "Ann"},
            {"attendee_id": "A2", "phone_number": "+15550107002", "first_name": "Bob"},
        ],
        "note": "about nobody",
    }
    assert erased_document(document, CONSUMER, about=False) == {
        "attendees": [{"phone_number": "token"}, document["attendees"][1]],
        "note": "about nobody",
    }


def test_all_of_an_engagement_of_the_consumer_goes_but_users_and_own_numbers() -> None:
    document = {
        "consumer_id": "C1",
        "consumer_number": 15550107001,
        "user_id": "U1",
        "user_display_name": "Alex",
        "flow_number": "+15550100099",
        "note": "said",
        "note_id": "N1",
        "consumers": [{"consumer_id": "C2", "consumer_display_name": "Bob"}],
        "users": [{"user_id": "U2", "display_name": "Sam", "user_email": "sam@example.com"}],
        "emails": ["Ann@example.com", "bob@example.com"],
        "consumer_display_name": None,
        "user_ids": ["U1"],
    }
    assert erased_document(document, CONSUMER, about=True) == {
        "consumer_id": "token",
        "consumer_number": "token",
        "user_id": "U1",
        "user_display_name": "Alex",
        "flow_number": "+15550100099",
        "note_id": "N1",
        "consumers": [{}],
        "users": [{"user_id": "U2", "display_name": "Sam", "user_email": "sam@example.com"}],
        "emails": ["token"],
        "consumer_display_name": None,
        "user_ids": ["U1"],
    }


def test_a_list_with_a_value_of_the_consumer_tells_about_the_consumer() -> None:
    document = {"consumer_numbers": ["15550107001"], "content": "said", "count": 1}
    assert erased_document(document, CONSUMER, about=False) == {
        "consumer_numbers": ["token"],
        "count": 1,
    }


def test_a_user_loses_the_members_next_to_the_id_and_below_it() -> None:
    document = {
        "user_id": "U1",
        "display_name": "Alex",
        "updates": {"country_iso_code": "CH", "external_url": {"external_launch_url": "u"}},
        "phone_numbers": [{"phone_number_id": "P1", "phone_number": "+15550109001"}],
        "note": "stays",
        "transfer_to_user_id": "U2",
        "transfer_to_user_display_name": "Sam",
        "agents": [{"user_id": "U2", "display_name": "Sam"}],
    }
    assert erased_document(document, USER, about=False) == {
        "user_id": "token",
        "updates": {"external_url": {}},
        "phone_numbers": [{"phone_number_id": "P1"}],
        "note": "stays",
        "transfer_to_user_id": "U2",
        "transfer_to_user_display_name": "Sam",
        "agents": [{"user_id": "U2", "display_name": "Sam"}],
    }


def test_a_user_in_another_part_loses_the_name_of_that_part_only() -> None:
    document = {
        "user_id": "U2",
        "display_name": "Sam",
        "monitoring_user_id": "U1",
        "monitoring_user_display_name": "Alex",
        "modified_by": "U1",
        "participant": {"participant_user_id": "U1", "participant_display_name": "Alex"},
    }
    assert erased_document(document, USER, about=False) == {
        "user_id": "U2",
        "display_name": "Sam",
        "monitoring_user_id": "token",
        "modified_by": "token",
        "participant": {"participant_user_id": "token"},
    }


def test_users_by_id_are_found_by_their_names() -> None:
    document = {"users": {"U1": {"user_id": "U1", "display_name": "Alex"}, "U2": {}}}
    assert erased_document(document, USER, about=False) == {
        "users": {"token": {"user_id": "token"}, "U2": {}}
    }
    assert erased_document(document, CONSUMER, about=True) is document


def test_what_the_enrichment_missed_is_found_by_its_entity() -> None:
    missing = [
        {"entity": "user", "id": "U1", "reason": "absent"},
        {"entity": "queue", "id": "U1", "reason": "absent"},
    ]
    assert erased_document(missing, USER, about=False) == [
        {**missing[0], "id": "token"},
        missing[1],
    ]


def row(**cells: Any) -> dict[str, Any]:
    return {"account_id": "ACCOUNT", "engagement_id": "E1", **cells}


def test_rows_of_one_person_each_change_for_that_person_only() -> None:
    own = row(kind="consumer", participant_id="C1", display_name="Ann", phone_number=None)
    other = row(kind="consumer", participant_id="C2", display_name="Bob", phone_number="+1555")
    agent = row(kind="user", participant_id="U1", display_name="Alex", phone_number=None)
    assert erased_cells(participant.table, own, CONSUMER, about=True) == {
        "participant_id": "token",
        "display_name": None,
    }
    assert erased_cells(participant.table, other, CONSUMER, about=True) == {}
    assert erased_cells(participant.table, agent, CONSUMER, about=True) == {}
    assert erased_cells(participant.table, agent, USER, about=False) == {
        "participant_id": "token",
        "display_name": None,
    }
    unknown = row(kind="consumer", participant_id="C9", phone_number="+15550107001")
    assert erased_cells(participant.table, unknown, CONSUMER, about=False) == {
        "phone_number": "token"
    }


def test_numbers_of_users_are_none_of_consumers() -> None:
    cells = {"user_id": "U1", "phone_number": "+15550107001"}
    assert erased_cells(phone_number.table, cells, CONSUMER, about=False) == {}
    assert erased_cells(phone_number.table, cells, USER, about=False) == {
        "user_id": "token",
        "phone_number": None,
    }


def test_documents_and_lists_in_rows_change_as_well() -> None:
    (recording,) = recordings
    users = [{"user_id": "U2", "user_display_name": "Sam"}]
    cells = row(
        consumer_ids=["C1", "C2"],
        consumer_numbers=["+15550107001"],
        consumers=[{"consumer_id": "C1", "consumer_display_name": "Ann"}],
        users=users,
        user_ids=["U1"],
        transcript_url="https://example.com/t",
    )
    assert erased_cells(recording.table, cells, CONSUMER, about=False) == {
        "consumer_ids": ["token"],
        "consumer_numbers": ["token"],
        "consumers": [{"consumer_id": "token"}],
        "transcript_url": None,
    }
    assert erased_cells(recording.table, cells, USER, about=False) == {"user_ids": ["token"]}


def test_a_conference_keeps_who_is_not_the_person() -> None:
    (conference,) = conferences
    cells = row(participant_user_id="U2", participant_phone_number="+15550107001")
    assert erased_cells(conference.table, cells, USER, about=False) == {}
    assert erased_cells(conference.table, cells, CONSUMER, about=False) == {
        "participant_user_id": None,
        "participant_phone_number": "token",
    }


def raw(payload: Any, **cells: Any) -> dict[str, Any]:
    plain = {"enrichment": None, "body": None, "subject": None, "partition_key": None}
    return {"payload": payload, **plain, **cells}


def test_a_raw_event_changes_with_its_names_and_its_verbatim_body() -> None:
    event = raw(
        {"user_id": "U1"},
        enrichment={
            "enriched_at": "2026",
            "entities": {
                "user": {"U1": {"display_name": "Ann", "user_email": "a", "role_name": "Agent"}},
                "flow": {"U1": {}},
                "x": 1,
            },
            "users": {"U1": {}},
        },
        body=b"U1",
        subject="user/U1",
        partition_key="ACCOUNT:U1",
    )
    assert erased_raw(event, USER, about=False) == {
        "payload": {"user_id": "token"},
        "enrichment": {
            "enriched_at": "2026",
            "entities": {
                "user": {"token": {"role_name": "Agent"}},
                "flow": {"U1": {}},
                "x": 1,
            },
            "users": {"token": {}},
        },
        "subject": "user/token",
        "partition_key": "ACCOUNT:token",
        "body": None,
    }
    assert erased_raw(event, CONSUMER, about=False) == {}


def test_a_consumer_is_no_longer_the_subject_of_a_raw_event() -> None:
    consent = {"sms": {"consumer_number": "+15550107001"}}
    event = raw(consent, subject="consumer/0ab1", partition_key="ACCOUNT:0ab1")
    assert erased_raw(event, CONSUMER, about=False) == {
        "payload": {"sms": {"consumer_number": "token"}},
        "subject": None,
        "partition_key": None,
    }
    of_engagement = raw(consent, subject="engagement/E1", partition_key="ACCOUNT:E1")
    assert erased_raw(of_engagement, CONSUMER, about=False).keys() == {"payload"}


def test_ids_next_to_a_value_are_those_of_its_own_object() -> None:
    document = {
        "consumers": [
            {"consumer_id": "C1", "consumer_number": "+15550107001"},
            {"consumer_id": "C2", "consumer_number": "+15550107002"},
        ],
        "attendees": [{"attendee_id": "A1", "email": "ANN@example.com"}],
    }
    assert list(sibling_ids(document, CONSUMER)) == ["C1", "A1"]
