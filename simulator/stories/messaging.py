"""Conversations in writing: chats, text messages and WhatsApp, with their delivery and consent."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from simulator.stories.call_scenes import held
from simulator.stories.engagement import (
    Channel,
    after_work,
    assigned,
    begin,
    in_app_chat,
    queued,
    refused,
    reported,
    sms,
    some_refusals,
    surveyed,
    web_chat,
    whatsapp,
    wrapped_up,
)
from simulator.stories.scenario import Story, Tell, play
from simulator.stories.transfer import transfer
from simulator.stories.voice import talked, upgrade_offered
from simulator.synthetic_values import download_origin, messages, opaque_id, uuid

files: Final = (
    ("étiquette 📦.jpg", "Image"),
    ("invoice 4711.pdf", "File"),
    ("unboxing.mp4", "Video"),
    ("Sprachnachricht.m4a", "Audio"),
)

undelivered_share: Final = 0.1

Delivered = Callable[[Story], None]
"""Tells what became of a message of the agent's."""


def chat(story: Story) -> None:
    """Tell a chat on a page or in an app."""
    channel = story.rng.choice((web_chat, in_app_chat))
    _conversation(story, channel, scenes=(_file_from_consumer, _message_from_agent))


def long_chat(story: Story) -> None:
    """Tell a chat with everything in it: files, an offer of video, a cold transfer, a survey."""
    scenes = (
        _file_from_consumer,
        _file_from_agent,
        partial(upgrade_offered, end="expired"),
        partial(transfer, level="agent", transfer_type="cold", end="accepted"),
        _message_from_agent,
    )
    _conversation(story, web_chat, scenes=scenes)
    surveyed(story, end="cancelled")


def upgraded_chat(story: Story) -> None:
    """Tell a chat that becomes a video conversation."""
    _answered(story, web_chat)
    play(story, (_message_from_consumer, partial(upgrade_offered, end="completed")))
    story.tell("engagement_consumer_notified")
    story.tell("engagement_consumer_answered")
    story.tell("engagement_user_answered")
    talked(story, (held,))


def text_messages(story: Story) -> None:
    """Tell an exchange of text messages, from consent to its end."""
    scenes = (
        partial(_consent_changed, "in"),
        _message_from_agent,
        _sms_status,
        _message_from_consumer,
        _message_from_agent,
        partial(_message_status, "sms_message"),
        partial(_consent_changed, "out"),
    )
    _conversation(story, sms, scenes=scenes)


def whatsapp_messages(story: Story) -> None:
    """Tell an exchange by WhatsApp."""
    scenes = (_message_from_agent, partial(_message_status, "whatsapp_message"))
    _conversation(story, whatsapp, scenes=scenes)


def _conversation(story: Story, channel: Channel, *, scenes: Sequence[Tell]) -> None:
    _answered(story, channel)
    play(story, (_message_from_consumer, _message_from_agent, *scenes))
    story.tell("engagement_ended")
    wrapped_up(story, story.rng.sample(after_work, 1))
    link = f"{download_origin}/engagements/transcripts/{opaque_id(story.rng)}"
    story.tell("engagement_messaging_transcript_completed", transcript_url=link)
    reported(story)


def _answered(story: Story, channel: Channel) -> None:
    queue = story.rng.choice(story.company.queues_for("messaging"))
    begin(story, queue, channel)
    story.tell("engagement_started")
    queued(story, queue)
    for how in some_refusals(story):
        refused(story, story.rng.choice(queue.agents), how=how)
    assigned(story, story.rng.choice(queue.agents))


def _message_from_consumer(story: Story) -> None:
    """The event names the agent, although the consumer writes."""
    story.tell("engagement_consumer_sent_message", message_text=story.rng.choice(messages))


def _message_from_agent(story: Story) -> None:
    story.tell("engagement_user_sent_message", message_text=story.rng.choice(messages))


def _file_from_consumer(story: Story) -> None:
    story.tell("engagement_consumer_sent_file", files=[_file(story)])


def _file_from_agent(story: Story) -> None:
    story.tell("engagement_user_sent_file", files=[_file(story), _file(story)])


def _file(story: Story) -> dict[str, object]:
    name, kind = story.rng.choice(files)
    file_id = opaque_id(story.rng)
    return {
        "file_id": file_id,
        "file_name": name,
        "file_size": story.rng.randrange(1_000, 5_000_000),
        "file_type": kind,
        "download_url": f"{download_origin}/attachments/{file_id}",
    }


def _sms_status(story: Story) -> None:
    """Say what became of one text message; the event names no engagement."""
    lost = story.rng.random() < undelivered_share
    outcome = (
        {"status": "undelivered", "reason": "Unknown handset"} if lost else {"status": "delivered"}
    )
    story.tell("sms_status", message_id=uuid(story.rng), **outcome)


def _message_status(member: str, story: Story) -> None:
    """Say what became of a message; ``error_detail`` of WhatsApp is JSON in a string."""
    outcome: Mapping[str, str] = {"status": "delivered"}
    if story.rng.random() < undelivered_share:
        outcome = {"status": "failed", "reason": "The network refused it"}
        if member == "whatsapp_message":
            outcome = {**outcome, "error_detail": '{"code":"131026","message":"Undeliverable"}'}
    ends = {
        "from": story.known["contact_center_number"],
        "to": story.known["consumer_number"],
    }
    story.tell("message_status", message_id=uuid(story.rng), **ends, **{member: outcome})


def _consent_changed(way: str, story: Story) -> None:
    """Let the consumer agree to text messages, or disagree; this is no agent's opting in."""
    story.tell(
        f"consumer_messaging_opt_{way}",
        sms={
            "consumer_number": story.known["consumer_number"],
            "contact_center_number": story.known["contact_center_number"],
            "campaign_id": "C0SIMUL",
        },
    )
