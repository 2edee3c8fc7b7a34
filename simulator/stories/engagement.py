"""The common parts of all engagements: consumer, queue, agent, and the work after the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.company import CompanyQueue, CompanyUser
from simulator.stories.scenario import Scenario, Scene
from simulator.synthetic_values import (
    consumer_number,
    notes,
    opaque_id,
    person_name,
    prefixed_id,
    to_the_millisecond,
    to_the_second,
)

refusals: Final = ("timeout", "rejected", "canceled")

refusal_share: Final = 0.2

returning_share: Final = 0.2
"""Of the stories, so many are about a consumer who was in touch before."""

disposition_age_ms: Final = 30 * 86_400_000
"""``last_modified_time`` of a disposition is when its definition was edited, not when chosen."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel in the four ways that events name it; None where they have no word."""

    channel: str
    channel_source: str | None = None
    channel_type: str | None = None
    channel_name: str | None = None

    def facts(self) -> dict[str, object]:
        """Return the four members."""
        return {
            "channel": self.channel,
            "channel_source": self.channel_source,
            "channel_type": self.channel_type,
            "channel_name": self.channel_name,
        }


voice: Final = Channel("voice", None, "voice", "voice")
video: Final = Channel("video", "web_video", "video", "video")
web_chat: Final = Channel("messaging", "web_chat", "chat", "chat")
in_app_chat: Final = Channel("messaging", "in_app_chat", "in_app_chat", "in_app_chat")
sms: Final = Channel("messaging", "sms", "sms", "sms")
whatsapp: Final = Channel("messaging", "whatsapp", "messaging")
email: Final = Channel("email", "email_address")
work_item: Final = Channel("work_item")


def begin(
    scenario: Scenario, queue: CompanyQueue, channel: Channel, *, direction: str = "inbound"
) -> None:
    """Set the facts of consumer, queue and channel."""
    scenario.set_facts(
        **queue.flow.facts(),
        **channel.facts(),
        engagement_id=opaque_id(scenario.rng),
        engagement_direction=direction,
        channel_id=prefixed_id("ZTC", scenario.rng),
        start_time=to_the_millisecond(scenario.now_ms),
    )
    meet_consumer(scenario)
    if channel in (email, work_item):
        scenario.set_facts(consumer_number=None, flow_number=None)
        return
    ends = [scenario.known["consumer_number"], queue.flow.flow_number]
    caller, callee = ends if direction == "inbound" else reversed(ends)
    scenario.set_facts(caller_number=caller, callee_number=callee)


def meet_consumer(scenario: Scenario) -> None:
    """Set the facts of a consumer, a new one or at times one of an earlier scenario."""
    ordinal = scenario.number
    if ordinal and scenario.rng.random() < returning_share:
        ordinal = scenario.rng.randrange(ordinal)
    person = Random(f"consumer {scenario.company.account_id} {ordinal}")
    consumer = {
        "consumer_id": opaque_id(person),
        "consumer_number": consumer_number(ordinal),
        "consumer_display_name": person_name(person),
    }
    address = f"consumer.{ordinal}@example.com"
    scenario.set_facts(
        **consumer,
        consumers=[consumer],
        consumer_email=address,
        consumer_invite_email=address,
        consumer_invite_number=consumer["consumer_number"],
    )


def task_created(scenario: Scenario, queue: CompanyQueue) -> None:
    """Begin a task for a queue's agents."""
    scenario.set_facts(
        **queue.facts(),
        task_id=prefixed_id("ZWT", scenario.rng),
        task_priority=scenario.rng.randint(0, 10),
        task_timeout=86_400,
        auto_assign=scenario.rng.choice((True, False)),
        created_time_ms=to_the_millisecond(scenario.now_ms),
        created_time=to_the_second(scenario.now_ms),
    )
    scenario.emit("task_created", task_status="pending")


def queued(scenario: Scenario, queue: CompanyQueue) -> None:
    """Let a new task wait in a queue."""
    task_created(scenario, queue)
    scenario.emit("task_entered_queue")


def some_refusals(scenario: Scenario) -> Sequence[str]:
    """Choose how the first agent who is asked refuses; mostly nobody does."""
    return [scenario.rng.choice(refusals)] if scenario.rng.random() < refusal_share else []


def refused(scenario: Scenario, agent: CompanyUser, *, how: str) -> None:
    """Offer the task to an agent who does not take it; ``how`` is one of `refusals`."""
    _reserved(scenario, agent)
    scenario.wait(2, 15)
    scenario.emit(f"task_reservation_{how}")


def assigned(scenario: Scenario, agent: CompanyUser) -> None:
    """Offer the task to an agent who takes it."""
    _reserved(scenario, agent)
    scenario.wait(1, 10)
    scenario.emit("task_reservation_accepted")
    served_by(scenario, agent)
    scenario.emit("task_updated", task_status="assigned")


def served_by(scenario: Scenario, agent: CompanyUser) -> None:
    """Set the facts of the agent who is in charge now."""
    facts = agent.facts()
    members = ("user_id", "user_display_name", "teams")
    scenario.set_facts(**facts, users=[{name: facts[name] for name in members}])


def queue_of(scenario: Scenario) -> CompanyQueue:
    """Return the queue that the engagement is in."""
    here = scenario.known["cc_queue_id"]
    return next(queue for queue in scenario.company.queues if queue.cc_queue_id == here)


def other_agent(scenario: Scenario, queue: CompanyQueue) -> CompanyUser:
    """Choose an agent of a queue who is not in charge now."""
    candidates = [agent for agent in queue.agents if agent.user_id != scenario.known["user_id"]]
    return scenario.rng.choice(candidates)


def completed(scenario: Scenario) -> None:
    """Close the task that an agent had reserved."""
    scenario.emit("task_reservation_completed")
    scenario.emit("task_completed", task_status="completed")


def wrapped_up(scenario: Scenario, scenes: Sequence[Scene]) -> None:
    """Let the agent finish the paper work."""
    scenario.emit("engagement_wrap_up_started")
    scenario.emit("task_updated", task_status="wrapping")
    for scene in scenes:
        scenario.wait(2, 15)
        scene(scenario)
    scenario.emit("engagement_wrap_up_ended")
    completed(scenario)


def dispositioned(scenario: Scenario) -> None:
    """Let the agent say how it ended."""
    disposition = scenario.rng.choice(scenario.company.dispositions)
    scenario.emit(
        "engagement_disposition_added",
        disposition_id=disposition.disposition_id,
        disposition_name=disposition.disposition_name,
        disposition_description=disposition.disposition_description,
        status="active",
        modified_by=scenario.rng.choice(scenario.company.supervisors).user_id,
        last_modified_time=to_the_second(scenario.now_ms - disposition_age_ms),
    )


def note_added(scenario: Scenario) -> None:
    """Let the agent write a note."""
    scenario.emit("engagement_note_added", note=scenario.rng.choice(notes))


def followed_up(scenario: Scenario) -> None:
    """Let the agent plan what is left to do; its ``task_id`` is no routing task's."""
    task_id = opaque_id(scenario.rng)
    scenario.emit(
        "engagement_follow_up_task_created", task_id=task_id, content="Send the invoice 📄"
    )
    scenario.wait(1, 5)
    scenario.emit("engagement_follow_up_task_updated", task_id=task_id, content="Invoice sent ✅")


def surveyed(scenario: Scenario, *, end: str = "completed") -> None:
    """Ask the consumer how it was; ``end`` is ``completed`` or ``cancelled``."""
    scenario.set_facts(survey_id=opaque_id(scenario.rng), survey_trigger_from="queue")
    scenario.emit("engagement_survey_status", survey_status="sent")
    scenario.wait(5, 30)
    if scenario.known["channel"] == "voice":
        scenario.emit(
            "engagement_survey_status",
            survey_status="question_submitted",
            survey_question_id=opaque_id(scenario.rng),
        )
    scenario.emit("engagement_survey_status", survey_status=end)


def reported(scenario: Scenario) -> None:
    """Say that the reports have the engagement; the older one has no work items."""
    scenario.wait(5, 40)
    if scenario.known["channel"] != "work_item":
        scenario.emit("legacy_engagement_end_data_ready")
    scenario.emit("cx_engagement_end_data_ready")


after_work: Final[tuple[Scene, ...]] = (dispositioned, note_added, followed_up)


def _reserved(scenario: Scenario, agent: CompanyUser) -> None:
    scenario.wait(1, 8)
    scenario.set_facts(
        task_reservation_id=prefixed_id("ZWR", scenario.rng),
        assigned_user_id=agent.user_id,
        teams=agent.facts()["teams"],
    )
    scenario.emit("task_reservation_created")
