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
from simulator.stories.scenario import Scenario, Scene, play
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

Delivered = Callable[[Scenario], None]
"""Emits what became of a message of the agent's."""


def chat(scenario: Scenario) -> None:
    """Emit a chat on a page or in an app."""
    channel = scenario.rng.choice((web_chat, in_app_chat))
    _conversation(scenario, channel, scenes=(_file_from_consumer, _message_from_agent))


def long_chat(scenario: Scenario) -> None:
    """Emit a chat with everything in it: files, an offer of video, a cold transfer, a survey."""
    scenes = (
        _file_from_consumer,
        _file_from_agent,
        partial(upgrade_offered, end="expired"),
        partial(transfer, level="agent", transfer_type="cold", end="accepted"),
        _message_from_agent,
    )
    _conversation(scenario, web_chat, scenes=scenes)
    surveyed(scenario, end="cancelled")


def upgraded_chat(scenario: Scenario) -> None:
    """Emit a chat that becomes a video conversation."""
    _answered(scenario, web_chat)
    play(scenario, (_message_from_consumer, partial(upgrade_offered, end="completed")))
    scenario.emit("engagement_consumer_notified")
    scenario.emit("engagement_consumer_answered")
    scenario.emit("engagement_user_answered")
    talked(scenario, (held,))


def text_messages(scenario: Scenario) -> None:
    """Emit an exchange of text messages, from consent to its end."""
    scenes = (
        partial(_consent_changed, "in"),
        _message_from_agent,
        _sms_status,
        _message_from_consumer,
        _message_from_agent,
        partial(_message_status, "sms_message"),
        partial(_consent_changed, "out"),
    )
    _conversation(scenario, sms, scenes=scenes)


def whatsapp_messages(scenario: Scenario) -> None:
    """Emit an exchange by WhatsApp."""
    scenes = (_message_from_agent, partial(_message_status, "whatsapp_message"))
    _conversation(scenario, whatsapp, scenes=scenes)


def _conversation(scenario: Scenario, channel: Channel, *, scenes: Sequence[Scene]) -> None:
    _answered(scenario, channel)
    play(scenario, (_message_from_consumer, _message_from_agent, *scenes))
    scenario.emit("engagement_ended")
    wrapped_up(scenario, scenario.rng.sample(after_work, 1))
    link = f"{download_origin}/engagements/transcripts/{opaque_id(scenario.rng)}"
    scenario.emit("engagement_messaging_transcript_completed", transcript_url=link)
    reported(scenario)


def _answered(scenario: Scenario, channel: Channel) -> None:
    queue = scenario.rng.choice(scenario.company.queues_for("messaging"))
    begin(scenario, queue, channel)
    scenario.emit("engagement_started")
    queued(scenario, queue)
    for how in some_refusals(scenario):
        refused(scenario, scenario.rng.choice(queue.agents), how=how)
    assigned(scenario, scenario.rng.choice(queue.agents))


def _message_from_consumer(scenario: Scenario) -> None:
    """The event names the agent, although the consumer writes."""
    scenario.emit("engagement_consumer_sent_message", message_text=scenario.rng.choice(messages))


def _message_from_agent(scenario: Scenario) -> None:
    scenario.emit("engagement_user_sent_message", message_text=scenario.rng.choice(messages))


def _file_from_consumer(scenario: Scenario) -> None:
    scenario.emit("engagement_consumer_sent_file", files=[_file(scenario)])


def _file_from_agent(scenario: Scenario) -> None:
    scenario.emit("engagement_user_sent_file", files=[_file(scenario), _file(scenario)])


def _file(scenario: Scenario) -> dict[str, object]:
    name, kind = scenario.rng.choice(files)
    file_id = opaque_id(scenario.rng)
    return {
        "file_id": file_id,
        "file_name": name,
        "file_size": scenario.rng.randrange(1_000, 5_000_000),
        "file_type": kind,
        "download_url": f"{download_origin}/attachments/{file_id}",
    }


def _sms_status(scenario: Scenario) -> None:
    """Say what became of one text message; the event names no engagement."""
    lost = scenario.rng.random() < undelivered_share
    outcome = (
        {"status": "undelivered", "reason": "Unknown handset"} if lost else {"status": "delivered"}
    )
    scenario.emit("sms_status", message_id=uuid(scenario.rng), **outcome)


def _message_status(member: str, scenario: Scenario) -> None:
    """Say what became of a message; ``error_detail`` of WhatsApp is JSON in a string."""
    outcome: Mapping[str, str] = {"status": "delivered"}
    if scenario.rng.random() < undelivered_share:
        outcome = {"status": "failed", "reason": "The network refused it"}
        if member == "whatsapp_message":
            outcome = {**outcome, "error_detail": '{"code":"131026","message":"Undeliverable"}'}
    ends = {
        "from": scenario.known["contact_center_number"],
        "to": scenario.known["consumer_number"],
    }
    scenario.emit("message_status", message_id=uuid(scenario.rng), **ends, **{member: outcome})


def _consent_changed(way: str, scenario: Scenario) -> None:
    """Let the consumer agree to text messages, or disagree; this is no agent's opting in."""
    scenario.emit(
        f"consumer_messaging_opt_{way}",
        sms={
            "consumer_number": scenario.known["consumer_number"],
            "contact_center_number": scenario.known["contact_center_number"],
            "campaign_id": "C0SIMUL",
        },
    )
