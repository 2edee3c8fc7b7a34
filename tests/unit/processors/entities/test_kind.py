"""A state and its ids are the same, whichever answer they are read from."""

import pytest

from processors.entities.kind import UnidentifiedError, aliases, project
from processors.entities.kinds import kinds

user, queue, contact = kinds["user"], kinds["queue"], kinds["address_book_contact"]


def test_a_state_has_the_kept_members_only() -> None:
    item = {"user_id": "U1", "display_name": "Jo", "status_id": "s", "last_modified_time": "now"}

    assert project(user, item) == ("U1", {"user_id": "U1", "display_name": "Jo"})


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_text_are_as_if_the_member_were_missing(nothing: str | None) -> None:
    assert project(user, {"user_id": "U1", "display_name": nothing}) == ("U1", {"user_id": "U1"})


def test_false_and_zero_are_values() -> None:
    _, state = project(queue, {"cc_queue_id": "Q", "wrap_up_time": 0, "teams": []})

    assert state == {"cc_queue_id": "Q", "wrap_up_time": 0, "teams": []}


@pytest.mark.parametrize(
    "document", [{}, {"user_id": ""}, {"user_id": None}, {"user_id": 7}, {"cc_user_id": "U"}]
)
def test_a_document_without_an_id_is_refused_and_the_error_names_the_member(
    document: dict[str, object],
) -> None:
    with pytest.raises(UnidentifiedError, match=r"user\.user_id"):
        project(user, document)


def test_members_of_a_lookup_with_other_names_become_those_of_the_list() -> None:
    template = kinds["queue_template"]

    listed = project(template, {"template_id": "T", "template_name": "N", "channel": "voice"})

    assert listed == project(
        template, {"queue_template_id": "T", "queue_template_name": "N", "channel": "voice"}
    )


def test_a_user_is_also_named_in_lower_case_and_by_its_second_id() -> None:
    assert aliases(user, "aBc", {"user_id": "aBc", "cc_user_id": "C"}) == ("abc", "C")


def test_a_queue_is_also_named_by_its_deprecated_id() -> None:
    assert aliases(queue, "Q", {"cc_queue_id": "Q", "queue_id": "old"}) == ("old",)


def test_a_contact_is_also_named_by_its_consumer_ids() -> None:
    assert aliases(contact, "c", {"contact_id": "c", "consumer_ids": ["1", "2", "1"]}) == ("1", "2")


def test_an_alias_that_is_the_id_itself_or_no_text_is_none() -> None:
    assert aliases(user, "u", {"user_id": "u", "cc_user_id": "u"}) == ()
    assert aliases(queue, "Q", {"cc_queue_id": "Q", "queue_id": 7}) == ()
