"""Transfers: to a queue, an agent, a flow, a number or an inbox, warm or cold, and how they end.

A cold transfer ends when it is accepted: ``completed`` and ``canceled`` know warm voice transfers
alone. ``queued`` to ``timeout`` know queues and agents alone; an inbox is only ever the aim.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from simulator.company import Queue, User
from simulator.stories.engagement import other_agent, queue_of, served_by
from simulator.stories.scenario import Story, Tell
from simulator.synthetic_values import company_number, prefixed_id

Level = Literal["queue", "agent", "flow", "did", "inbox"]
End = Literal["initiated", "accepted", "completed", "rejected", "timeout", "canceled"]

target_status: Final[Mapping[str, str]] = {
    "initiated": "pending",
    "queued": "pending",
    "reserved": "reserved",
    "accepted": "assigned",
    "completed": "assigned",
    "rejected": "canceled",
    "timeout": "canceled",
    "canceled": "canceled",
}
"""``transfer_to_task_status`` after each step."""


def transfer(
    story: Story, *, level: Level, transfer_type: Literal["warm", "cold"], end: End
) -> None:
    """Tell a transfer; after ``accepted`` or ``completed`` the first agent has left the call."""
    queue = _target_queue(story, level)
    agent = other_agent(story, queue)
    task_id = prefixed_id("ZWT", story.rng)
    story.learn(
        transfer_level=level,
        transfer_type=transfer_type,
        transfer_to_task_id=task_id,
        transfer_to_task_timeout=86_400,
        **_target(story, level, queue, agent),
    )
    for step in _steps(level, end):
        story.learn(task_status="assigned", transfer_to_task_status=target_status[step])
        story.tell(f"engagement_transfer_{step}")
        story.wait(2, 15)
    if end not in ("accepted", "completed"):
        return
    if level in ("queue", "agent"):
        story.learn(**queue.facts())
        _handed_over(story, agent, task_id)
    else:
        story.tell("engagement_user_ended")


transfer_scenes: Final[tuple[Tell, ...]] = (
    partial(transfer, level="queue", transfer_type="cold", end="accepted"),
    partial(transfer, level="agent", transfer_type="cold", end="accepted"),
    partial(transfer, level="queue", transfer_type="warm", end="completed"),
    partial(transfer, level="agent", transfer_type="warm", end="completed"),
    partial(transfer, level="flow", transfer_type="warm", end="completed"),
    partial(transfer, level="did", transfer_type="warm", end="completed"),
)
"""After each of them the first agent has left."""

returned_transfer_scenes: Final[tuple[Tell, ...]] = (
    partial(transfer, level="agent", transfer_type="warm", end="rejected"),
    partial(transfer, level="queue", transfer_type="cold", end="rejected"),
    partial(transfer, level="queue", transfer_type="cold", end="timeout"),
    partial(transfer, level="agent", transfer_type="warm", end="canceled"),
    partial(transfer, level="queue", transfer_type="warm", end="canceled"),
    partial(transfer, level="flow", transfer_type="warm", end="canceled"),
    partial(transfer, level="did", transfer_type="warm", end="canceled"),
)
"""After each of them the first agent goes on."""


def _steps(level: Level, end: End) -> list[str]:
    steps = ["initiated"]
    if level == "queue":
        steps.append("queued")
    if end in ("accepted", "completed", "rejected", "timeout"):
        steps.append("reserved")
    if end == "completed":
        steps.append("accepted")
    if end != "initiated":
        steps.append(end)
    return steps


def _target_queue(story: Story, level: Level) -> Queue:
    here = queue_of(story)
    others = [q for q in story.company.queues_for(here.channel) if q is not here]
    return story.rng.choice(others) if level == "queue" and others else here


def _target(story: Story, level: Level, queue: Queue, agent: User) -> dict[str, object]:
    """Return the members that name the aim; those of other levels are None."""
    inbox = story.company.inboxes[0]
    flow = story.rng.choice(story.company.flows)
    aims: Mapping[Level, dict[str, object]] = {
        "queue": {
            "transfer_to_cc_queue_id": queue.cc_queue_id,
            "transfer_to_queue_id": queue.queue_id,
            "transfer_to_queue_name": queue.queue_name,
        },
        "agent": {
            "transfer_to_user_id": agent.user_id,
            "transfer_to_user_display_name": agent.display_name,
        },
        "flow": {"transfer_to_flow_id": flow.flow_id, "transfer_to_flow_name": flow.flow_name},
        "did": {"transfer_to_number": company_number(99)},
        "inbox": {
            "transfer_to_inbox_id": inbox.inbox_id,
            "transfer_to_inbox_name": inbox.inbox_name,
        },
    }
    names = (name for members in aims.values() for name in members)
    return {**dict.fromkeys(names), **aims[level]}


def _handed_over(story: Story, agent: User, task_id: str) -> None:
    """Let the first agent go; the second works on a task of the same engagement."""
    spoken = story.known["channel"] == "voice"
    story.tell("task_completed", task_status="completed")
    if spoken:
        story.tell("engagement_user_ended")
    served_by(story, agent)
    story.learn(
        task_id=task_id,
        task_reservation_id=prefixed_id("ZWR", story.rng),
        assigned_user_id=agent.user_id,
    )
    if spoken:
        story.tell("engagement_user_answered")
