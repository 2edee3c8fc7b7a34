"""Transfers: to a queue, an agent, a flow, a number or an inbox, warm or cold, and how they end.

A cold transfer ends when it is accepted: ``completed`` and ``canceled`` know warm voice transfers
alone. ``queued`` to ``timeout`` know queues and agents alone; an inbox is only ever the aim.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from simulator.company import CompanyQueue, CompanyUser
from simulator.stories.engagement import other_agent, queue_of, served_by
from simulator.stories.scenario import Scenario, Scene
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
    scenario: Scenario, *, level: Level, transfer_type: Literal["warm", "cold"], end: End
) -> None:
    """Emit a transfer; after ``accepted`` or ``completed`` the first agent has left the call."""
    queue = _target_queue(scenario, level)
    agent = other_agent(scenario, queue)
    task_id = prefixed_id("ZWT", scenario.rng)
    scenario.set_facts(
        transfer_level=level,
        transfer_type=transfer_type,
        transfer_to_task_id=task_id,
        transfer_to_task_timeout=86_400,
        **_target(scenario, level, queue, agent),
    )
    for step in _steps(level, end):
        scenario.set_facts(task_status="assigned", transfer_to_task_status=target_status[step])
        scenario.emit(f"engagement_transfer_{step}")
        scenario.wait(2, 15)
    if end not in ("accepted", "completed"):
        return
    if level in ("queue", "agent"):
        scenario.set_facts(**queue.facts())
        _handed_over(scenario, agent, task_id)
    else:
        scenario.emit("engagement_user_ended")


transfer_scenes: Final[tuple[Scene, ...]] = (
    partial(transfer, level="queue", transfer_type="cold", end="accepted"),
    partial(transfer, level="agent", transfer_type="cold", end="accepted"),
    partial(transfer, level="queue", transfer_type="warm", end="completed"),
    partial(transfer, level="agent", transfer_type="warm", end="completed"),
    partial(transfer, level="flow", transfer_type="warm", end="completed"),
    partial(transfer, level="did", transfer_type="warm", end="completed"),
)
"""After each of them the first agent has left."""

returned_transfer_scenes: Final[tuple[Scene, ...]] = (
    partial(transfer, level="agent", transfer_type="warm", end="rejected"),
    partial(transfer, level="queue", transfer_type="cold", end="rejected"),
    partial(transfer, level="queue", transfer_type="cold", end="timeout"),
    partial(transfer, level="agent", transfer_type="warm", end="canceled"),
    partial(transfer, level="queue", transfer_type="warm", end="canceled"),
    partial(transfer, level="flow", transfer_type="warm", end="canceled"),
    partial(transfer, level="did", transfer_type="warm", end="canceled"),
)
"""After each of them the first agent continues."""


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


def _target_queue(scenario: Scenario, level: Level) -> CompanyQueue:
    here = queue_of(scenario)
    others = [q for q in scenario.company.queues_for(here.channel) if q is not here]
    return scenario.rng.choice(others) if level == "queue" and others else here


def _target(
    scenario: Scenario, level: Level, queue: CompanyQueue, agent: CompanyUser
) -> dict[str, object]:
    """Return the members that name the aim; those of other levels are None."""
    inbox = scenario.company.inboxes[0]
    flow = scenario.rng.choice(scenario.company.flows)
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


def _handed_over(scenario: Scenario, agent: CompanyUser, task_id: str) -> None:
    """Let the first agent go; the second works on a task of the same engagement."""
    spoken = scenario.known["channel"] == "voice"
    scenario.emit("task_completed", task_status="completed")
    if spoken:
        scenario.emit("engagement_user_ended")
    served_by(scenario, agent)
    scenario.set_facts(
        task_id=task_id,
        task_reservation_id=prefixed_id("ZWR", scenario.rng),
        assigned_user_id=agent.user_id,
    )
    if spoken:
        scenario.emit("engagement_user_answered")
