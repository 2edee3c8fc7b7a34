"""What all engagements share: the consumer, the queue, the agent, and what follows the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.company import Queue, User
from simulator.stories.scenario import Story, Tell
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


def begin(story: Story, queue: Queue, channel: Channel, *, direction: str = "inbound") -> None:
    """Know who writes or calls whom, about which queue's subject."""
    story.learn(
        **queue.flow.facts(),
        **channel.facts(),
        engagement_id=opaque_id(story.rng),
        engagement_direction=direction,
        channel_id=prefixed_id("ZTC", story.rng),
        start_time=to_the_millisecond(story.now_ms),
    )
    meet_consumer(story)
    if channel in (email, work_item):
        story.learn(consumer_number=None, flow_number=None)
        return
    ends = [story.known["consumer_number"], queue.flow.flow_number]
    caller, callee = ends if direction == "inbound" else reversed(ends)
    story.learn(caller_number=caller, callee_number=callee)


def meet_consumer(story: Story) -> None:
    """Know a consumer: a new one, or now and then one of an earlier story."""
    ordinal = story.number
    if ordinal and story.rng.random() < returning_share:
        ordinal = story.rng.randrange(ordinal)
    person = Random(f"consumer {story.company.account_id} {ordinal}")
    consumer = {
        "consumer_id": opaque_id(person),
        "consumer_number": consumer_number(ordinal),
        "consumer_display_name": person_name(person),
    }
    address = f"consumer.{ordinal}@example.com"
    story.learn(
        **consumer,
        consumers=[consumer],
        consumer_email=address,
        consumer_invite_email=address,
        consumer_invite_number=consumer["consumer_number"],
    )


def task_created(story: Story, queue: Queue) -> None:
    """Begin a task for a queue's agents."""
    story.learn(
        **queue.facts(),
        task_id=prefixed_id("ZWT", story.rng),
        task_priority=story.rng.randint(0, 10),
        task_timeout=86_400,
        auto_assign=story.rng.choice((True, False)),
        created_time_ms=to_the_millisecond(story.now_ms),
        created_time=to_the_second(story.now_ms),
    )
    story.tell("task_created", task_status="pending")


def queued(story: Story, queue: Queue) -> None:
    """Let a new task wait in a queue."""
    task_created(story, queue)
    story.tell("task_entered_queue")


def some_refusals(story: Story) -> Sequence[str]:
    """Choose how the first agent who is asked refuses; mostly nobody does."""
    return [story.rng.choice(refusals)] if story.rng.random() < refusal_share else []


def refused(story: Story, agent: User, *, how: str) -> None:
    """Offer the task to an agent who does not take it; ``how`` is one of `refusals`."""
    _reserved(story, agent)
    story.wait(2, 15)
    story.tell(f"task_reservation_{how}")


def assigned(story: Story, agent: User) -> None:
    """Offer the task to an agent who takes it."""
    _reserved(story, agent)
    story.wait(1, 10)
    story.tell("task_reservation_accepted")
    served_by(story, agent)
    story.tell("task_updated", task_status="assigned")


def served_by(story: Story, agent: User) -> None:
    """Know the agent who is in charge now."""
    facts = agent.facts()
    members = ("user_id", "user_display_name", "teams")
    story.learn(**facts, users=[{name: facts[name] for name in members}])


def queue_of(story: Story) -> Queue:
    """Return the queue that the engagement is in."""
    here = story.known["cc_queue_id"]
    return next(queue for queue in story.company.queues if queue.cc_queue_id == here)


def other_agent(story: Story, queue: Queue) -> User:
    """Choose an agent of a queue who is not in charge now."""
    candidates = [agent for agent in queue.agents if agent.user_id != story.known["user_id"]]
    return story.rng.choice(candidates)


def completed(story: Story) -> None:
    """Close the task that an agent had reserved."""
    story.tell("task_reservation_completed")
    story.tell("task_completed", task_status="completed")


def wrapped_up(story: Story, scenes: Sequence[Tell]) -> None:
    """Let the agent finish the paper work."""
    story.tell("engagement_wrap_up_started")
    story.tell("task_updated", task_status="wrapping")
    for scene in scenes:
        story.wait(2, 15)
        scene(story)
    story.tell("engagement_wrap_up_ended")
    completed(story)


def dispositioned(story: Story) -> None:
    """Let the agent say how it ended."""
    disposition = story.rng.choice(story.company.dispositions)
    story.tell(
        "engagement_disposition_added",
        disposition_id=disposition.disposition_id,
        disposition_name=disposition.disposition_name,
        disposition_description=disposition.disposition_description,
        status="active",
        modified_by=story.rng.choice(story.company.supervisors).user_id,
        last_modified_time=to_the_second(story.now_ms - disposition_age_ms),
    )


def noted(story: Story) -> None:
    """Let the agent write a note."""
    story.tell("engagement_note_added", note=story.rng.choice(notes))


def followed_up(story: Story) -> None:
    """Let the agent plan what is left to do; its ``task_id`` is no routing task's."""
    task_id = opaque_id(story.rng)
    story.tell("engagement_follow_up_task_created", task_id=task_id, content="Send the invoice 📄")
    story.wait(1, 5)
    story.tell("engagement_follow_up_task_updated", task_id=task_id, content="Invoice sent ✅")


def surveyed(story: Story, *, end: str = "completed") -> None:
    """Ask the consumer how it was; ``end`` is ``completed`` or ``cancelled``."""
    story.learn(survey_id=opaque_id(story.rng), survey_trigger_from="queue")
    story.tell("engagement_survey_status", survey_status="sent")
    story.wait(5, 30)
    if story.known["channel"] == "voice":
        story.tell(
            "engagement_survey_status",
            survey_status="question_submitted",
            survey_question_id=opaque_id(story.rng),
        )
    story.tell("engagement_survey_status", survey_status=end)


def reported(story: Story) -> None:
    """Say that the reports have the engagement; the older one has no work items."""
    story.wait(5, 40)
    if story.known["channel"] != "work_item":
        story.tell("legacy_engagement_end_data_ready")
    story.tell("cx_engagement_end_data_ready")


after_work: Final[tuple[Tell, ...]] = (dispositioned, noted, followed_up)


def _reserved(story: Story, agent: User) -> None:
    story.wait(1, 8)
    story.learn(
        task_reservation_id=prefixed_id("ZWR", story.rng),
        assigned_user_id=agent.user_id,
        teams=agent.facts()["teams"],
    )
    story.tell("task_reservation_created")
