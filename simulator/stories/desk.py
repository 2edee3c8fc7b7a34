"""Work that waits for an agent: e-mails, work items, voicemail in an inbox."""

from functools import partial

from simulator.company import QueueChannel
from simulator.stories.engagement import (
    Channel,
    assigned,
    begin,
    email,
    followed_up,
    other_agent,
    queue_of,
    queued,
    reported,
    served_by,
    voice,
    work_item,
)
from simulator.stories.scenario import Scenario, play
from simulator.stories.transfer import transfer
from simulator.synthetic_values import download_origin, opaque_id

cold_transfer = partial(transfer, level="agent", transfer_type="cold")


def email_answered(scenario: Scenario) -> None:
    """Emit an e-mail; no event says that it started or ended."""
    _taken(scenario, "email", email)
    cold_transfer(scenario, end="timeout")
    cold_transfer(scenario, end="accepted")
    followed_up(scenario)
    scenario.emit("task_completed", task_status="completed")
    link = f"{download_origin}/email/messages?engagement_id={scenario.known['engagement_id']}"
    scenario.emit("engagement_email_transcript_completed", transcript_url=link)
    reported(scenario)


def work_item_done(scenario: Scenario) -> None:
    """Emit a work item that two agents have in hand."""
    _taken(scenario, "work_item", work_item)
    cold_transfer(scenario, end="accepted")
    scenario.wait(20, 90)
    scenario.emit("task_completed", task_status="completed")
    reported(scenario)


def work_item_canceled(scenario: Scenario) -> None:
    """Emit a work item that its agent cancels."""
    _taken(scenario, "work_item", work_item)
    scenario.wait(5, 30)
    scenario.emit("task_canceled", task_status="canceled")
    reported(scenario)


def voicemail(scenario: Scenario) -> None:
    """Emit a call that nobody takes, and the message that it leaves."""
    queue = scenario.rng.choice(scenario.company.queues_for("voice"))
    begin(scenario, queue, voice)
    scenario.emit("engagement_started")
    queued(scenario, queue)
    scenario.wait(20, 60)
    scenario.emit("task_deleted", task_status="canceled")
    _message_left(scenario)


def voicemail_after_agent(scenario: Scenario) -> None:
    """Emit a call that its agent transfers to an inbox."""
    queue = scenario.rng.choice(scenario.company.queues_for("voice"))
    begin(scenario, queue, voice)
    scenario.emit("engagement_started")
    queued(scenario, queue)
    assigned(scenario, scenario.rng.choice(queue.agents))
    scenario.emit("engagement_user_answered")
    transfer(scenario, level="inbox", transfer_type="cold", end="initiated")
    scenario.emit("engagement_user_ended")
    scenario.emit("task_completed", task_status="completed")
    _message_left(scenario)


def _taken(scenario: Scenario, queue_channel: QueueChannel, channel: Channel) -> None:
    """Reservations have no word for these channels, so the task is assigned at once."""
    queue = scenario.rng.choice(scenario.company.queues_for(queue_channel))
    begin(scenario, queue, channel)
    queued(scenario, queue)
    scenario.wait(5, 60)
    served_by(scenario, scenario.rng.choice(queue.agents))
    scenario.emit("task_updated", task_status="assigned")
    scenario.wait(10, 60)


def _message_left(scenario: Scenario) -> None:
    inbox = scenario.rng.choice(scenario.company.inboxes)
    scenario.set_facts(
        message_id=opaque_id(scenario.rng), inbox_id=inbox.inbox_id, inbox_name=inbox.inbox_name
    )
    scenario.emit("inbox_message_received")
    scenario.emit("engagement_consumer_ended")
    scenario.emit("engagement_ended")
    scenario.wait(5, 30)
    link = f"{download_origin}/voicemail/transcripts/{opaque_id(scenario.rng)}"
    scenario.emit(
        "voicemail_transcript_completed",
        transcript_url=link,
        message_duration=scenario.rng.randint(5, 120),
        status="normal",
    )
    play(scenario, (_assigned_by_rule, _heard, _passed_to_another, _resolved_twice, _thrown_away))


def _assigned_by_rule(scenario: Scenario) -> None:
    served_by(scenario, scenario.rng.choice(queue_of(scenario).agents))
    scenario.emit("inbox_message_assigned", assign_type="Auto Assign")


def _heard(scenario: Scenario) -> None:
    scenario.emit("inbox_message_opened")
    scenario.wait(2, 10)
    kind = scenario.rng.choice(("Recording", "Transcript"))
    scenario.emit("inbox_message_downloaded", download_type=kind)


def _passed_to_another(scenario: Scenario) -> None:
    previous_id, previous_name = scenario.known["user_id"], scenario.known["user_display_name"]
    served_by(scenario, other_agent(scenario, queue_of(scenario)))
    scenario.emit(
        "inbox_message_assigned",
        assign_type="Manual",
        previous_user_id=previous_id,
        previous_user_display_name=previous_name,
    )


def _resolved_twice(scenario: Scenario) -> None:
    scenario.emit("inbox_message_resolved")
    scenario.wait(5, 30)
    scenario.emit("inbox_message_reopened")
    scenario.wait(5, 30)
    scenario.emit("inbox_message_resolved")


def _thrown_away(scenario: Scenario) -> None:
    """Soft first, as it can be brought back; then for good."""
    scenario.emit("inbox_message_deleted", delete_type="Soft delete")
    scenario.wait(2, 10)
    scenario.emit("inbox_message_deleted", delete_type="Hard delete")
