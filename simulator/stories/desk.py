"""What waits on a desk until somebody takes it: e-mails, work items, voicemail in an inbox."""

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
from simulator.stories.scenario import Story, play
from simulator.stories.transfer import transfer
from simulator.synthetic_values import download_origin, opaque_id

cold_transfer = partial(transfer, level="agent", transfer_type="cold")


def email_answered(story: Story) -> None:
    """Tell an e-mail; no event says that it started or ended."""
    _taken(story, "email", email)
    cold_transfer(story, end="timeout")
    cold_transfer(story, end="accepted")
    followed_up(story)
    story.tell("task_completed", task_status="completed")
    link = f"{download_origin}/email/messages?engagement_id={story.known['engagement_id']}"
    story.tell("engagement_email_transcript_completed", transcript_url=link)
    reported(story)


def work_item_done(story: Story) -> None:
    """Tell a work item that two agents have in hand."""
    _taken(story, "work_item", work_item)
    cold_transfer(story, end="accepted")
    story.wait(20, 90)
    story.tell("task_completed", task_status="completed")
    reported(story)


def work_item_canceled(story: Story) -> None:
    """Tell a work item that its agent cancels."""
    _taken(story, "work_item", work_item)
    story.wait(5, 30)
    story.tell("task_canceled", task_status="canceled")
    reported(story)


def voicemail(story: Story) -> None:
    """Tell a call that nobody takes, and the message that it leaves."""
    queue = story.rng.choice(story.company.queues_for("voice"))
    begin(story, queue, voice)
    story.tell("engagement_started")
    queued(story, queue)
    story.wait(20, 60)
    story.tell("task_deleted", task_status="canceled")
    _message_left(story)


def voicemail_after_agent(story: Story) -> None:
    """Tell a call that its agent transfers to an inbox."""
    queue = story.rng.choice(story.company.queues_for("voice"))
    begin(story, queue, voice)
    story.tell("engagement_started")
    queued(story, queue)
    assigned(story, story.rng.choice(queue.agents))
    story.tell("engagement_user_answered")
    transfer(story, level="inbox", transfer_type="cold", end="initiated")
    story.tell("engagement_user_ended")
    story.tell("task_completed", task_status="completed")
    _message_left(story)


def _taken(story: Story, queue_channel: QueueChannel, channel: Channel) -> None:
    """Reservations have no word for these channels, so the task is assigned at once."""
    queue = story.rng.choice(story.company.queues_for(queue_channel))
    begin(story, queue, channel)
    queued(story, queue)
    story.wait(5, 60)
    served_by(story, story.rng.choice(queue.agents))
    story.tell("task_updated", task_status="assigned")
    story.wait(10, 60)


def _message_left(story: Story) -> None:
    inbox = story.rng.choice(story.company.inboxes)
    story.learn(
        message_id=opaque_id(story.rng), inbox_id=inbox.inbox_id, inbox_name=inbox.inbox_name
    )
    story.tell("inbox_message_received")
    story.tell("engagement_consumer_ended")
    story.tell("engagement_ended")
    story.wait(5, 30)
    link = f"{download_origin}/voicemail/transcripts/{opaque_id(story.rng)}"
    story.tell(
        "voicemail_transcript_completed",
        transcript_url=link,
        message_duration=story.rng.randint(5, 120),
        status="normal",
    )
    play(story, (_assigned_by_rule, _heard, _passed_to_another, _resolved_twice, _thrown_away))


def _assigned_by_rule(story: Story) -> None:
    served_by(story, story.rng.choice(queue_of(story).agents))
    story.tell("inbox_message_assigned", assign_type="Auto Assign")


def _heard(story: Story) -> None:
    story.tell("inbox_message_opened")
    story.wait(2, 10)
    kind = story.rng.choice(("Recording", "Transcript"))
    story.tell("inbox_message_downloaded", download_type=kind)


def _passed_to_another(story: Story) -> None:
    previous_id, previous_name = story.known["user_id"], story.known["user_display_name"]
    served_by(story, other_agent(story, queue_of(story)))
    story.tell(
        "inbox_message_assigned",
        assign_type="Manual",
        previous_user_id=previous_id,
        previous_user_display_name=previous_name,
    )


def _resolved_twice(story: Story) -> None:
    story.tell("inbox_message_resolved")
    story.wait(5, 30)
    story.tell("inbox_message_reopened")
    story.wait(5, 30)
    story.tell("inbox_message_resolved")


def _thrown_away(story: Story) -> None:
    """Soft first, as it can be brought back; then for good."""
    story.tell("inbox_message_deleted", delete_type="Soft delete")
    story.wait(2, 10)
    story.tell("inbox_message_deleted", delete_type="Hard delete")
