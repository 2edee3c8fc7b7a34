"""Facts that a schema has members for are kept, others left out; phases of an engagement."""

import pytest

from simulator.state.durations import Durations
from simulator.state.links import served
from simulator.state.schema_projection import fitted, fitted_item
from zoom.catalogue import find


def test_what_the_schema_does_not_name_is_left_out() -> None:
    facts = {"user_id": "U", "shoe_size": 42, "teams": [{"team_id": "T", "colour": "red"}]}
    assert fitted(find("get_user"), facts) == {"user_id": "U", "teams": [{"team_id": "T"}]}


@pytest.mark.parametrize(
    ("operation_name", "member", "value"),
    [
        ("get_user", "user_access", "sometimes"),
        ("get_user", "user_id", None),
        ("get_user", "user_id", "x" * 37),
        ("get_user", "teams", {"team_id": "T"}),
        ("get_user", "channel_settings", "none"),
        ("get_user", "emergency_calling", 1),
        ("get_queue", "max_wait_time", True),
        ("get_queue", "max_wait_time", 1.5),
        ("get_queue", "max_engagement_in_queue", 3001),
        ("get_queue", "distribution_type", 99),
        ("get_engagement_follow_up_task", "content", ""),
    ],
)
def test_a_value_that_the_schema_has_no_word_for_is_left_out(
    operation_name: str, member: str, value: object
) -> None:
    assert fitted(find(operation_name), {member: value}) == {}


def test_values_within_bounds_are_kept() -> None:
    facts = {"max_engagement_in_queue": 3000, "wrap_up_expiration": False, "queue_name": ""}
    assert fitted(find("get_queue"), facts) == facts


def test_unknown_values_are_left_out_of_an_array() -> None:
    facts = {"add_ons_plan": ["ai_expert_assist", "secret"]}
    assert fitted(find("get_user"), facts) == {"add_ons_plan": ["ai_expert_assist"]}


def test_a_number_becomes_text_where_the_schema_wants_text() -> None:
    days = {"closures": [{"recurring_days_of_week": [2, 3]}]}
    document = fitted(find("get_closure_set"), days)
    assert document == {"closures": [{"recurring_days_of_week": ["2", "3"]}]}


def test_what_has_no_body_or_no_list_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="delete_user"):
        fitted(find("delete_user"), {})
    with pytest.raises(ValueError, match="get_user"):
        fitted_item(find("get_user"), {})


@pytest.mark.parametrize(
    ("link", "place"),
    [
        (None, None),
        (
            "https://zoom.example/recording/transcripts/a",
            "o/v2/contact_center/recording/transcripts/download/a?type=voice",
        ),
        (
            "https://zoom.example/engagements/transcripts/a",
            "o/v2/contact_center/engagements/transcripts/download/a",
        ),
        ("https://zoom.example/elsewhere", "o/elsewhere"),
    ],
)
def test_a_link_of_an_event_leads_to_the_same_file(link: object, place: str | None) -> None:
    assert served(link, origin="o") == place


def apply_event(durations: Durations, event: str, at_ms: int, *, is_voice: bool = True) -> None:
    status = "assigned" if event == "task_updated" else None
    durations.apply(event, at_ms=at_ms, task_status=status, is_voice=is_voice)


def test_a_chat_is_a_conversation_from_its_assignment_on() -> None:
    for is_voice, lasted_ms in ((True, 0), (False, 40)):
        durations = Durations()
        apply_event(durations, "task_entered_queue", 0, is_voice=is_voice)
        apply_event(durations, "task_updated", 10, is_voice=is_voice)
        durations.over(50)
        assert (durations["waiting"], durations["conversation"]) == (10, lasted_ms)


def test_a_phase_that_begins_twice_began_once() -> None:
    durations = Durations()
    apply_event(durations, "engagement_consumer_answered", 0)
    apply_event(durations, "engagement_user_answered", 5)
    assert durations.in_progress("conversation")
    durations.over(20)
    assert (durations["conversation"], durations.began["conversation"]) == (20, 1)


def test_a_phase_goes_on_after_a_transfer() -> None:
    durations = Durations()
    apply_event(durations, "engagement_user_answered", 0)
    apply_event(durations, "engagement_user_ended", 10)
    apply_event(durations, "engagement_user_answered", 15)
    durations.over(25)
    assert (durations["conversation"], durations.began["conversation"]) == (20, 2)


def test_nothing_but_the_wrap_up_begins_after_the_end() -> None:
    durations = Durations()
    durations.over(0)
    apply_event(durations, "engagement_user_answered", 5)
    apply_event(durations, "task_updated", 5, is_voice=False)
    assert not durations.in_progress("conversation")
    apply_event(durations, "engagement_wrap_up_started", 10)
    apply_event(durations, "engagement_wrap_up_ended", 30)
    assert (durations["conversation"], durations["wrap_up"], durations.handling_ms) == (0, 20, 20)
