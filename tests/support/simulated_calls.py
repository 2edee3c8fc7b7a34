"""A call that happened to a simulated account."""

from datetime import timedelta
from typing import Any

from tests.support.simulated_account import START, SimulatedAccount

CALL = {
    "engagement_id": "call",
    "engagement_direction": "inbound",
    "channel": "voice",
    "flow_id": "F",
    "flow_name": "Flow",
}


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def add_call(account: SimulatedAccount) -> None:
    """Tell a call of 100 seconds: 10 in the flow, 20 waiting, 70 answered, 30 of these on hold."""
    queue = account.company.queues[0]
    agent = account.company.users[5]
    here = CALL | {"cc_queue_id": queue.cc_queue_id, "queue_name": queue.queue_name}
    answered = here | {"user_id": agent.user_id, "user_display_name": agent.display_name}
    answered |= {"consumer_id": "C", "consumer_display_name": "Consumer"}
    account.happened("engagement_started", at_s=0, **CALL)
    account.happened("task_created", at_s=10, task_id="T", task_status="pending", **here)
    account.happened("task_entered_queue", at_s=10, task_id="T", **here)
    account.happened("task_updated", at_s=29, task_id="T", task_status="assigned", **here)
    account.happened("engagement_user_answered", at_s=30, **answered)
    account.happened("engagement_user_hold", at_s=40, **answered)
    account.happened("engagement_user_unhold", at_s=70, **answered)
    account.happened("engagement_ended", at_s=100, **CALL)


def add_recording(account: SimulatedAccount, recording_id: str = "R") -> None:
    facts = CALL | {"recording_id": recording_id}
    account.happened("recording_started", at_s=10, **facts)
    account.happened("recording_stopped", at_s=40, **facts)
    account.happened("recording_completed", at_s=60, **facts)
