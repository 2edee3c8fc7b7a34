"""Voice calls, from the first ring until the reports have them."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from simulator.company import CompanyQueue, CompanyUser
from simulator.stories.call_scenes import call_scenes, held
from simulator.stories.conference import conference_by_command, conference_scenes
from simulator.stories.engagement import (
    Channel,
    after_work,
    assigned,
    begin,
    completed,
    dispositioned,
    queued,
    refused,
    reported,
    served_by,
    some_refusals,
    surveyed,
    task_created,
    video,
    voice,
    wrapped_up,
)
from simulator.stories.recording import (
    recording_deleted,
    recording_finished,
    recording_started,
    recording_stopped,
)
from simulator.stories.scenario import Scenario, Scene, commanded, play
from simulator.stories.transfer import returned_transfer_scenes, transfer_scenes
from simulator.synthetic_values import opaque_id, person_name, some, to_the_millisecond

campaign_failures: Final = (
    "consumer_no_answer", "consumer_reject", "consumer_busy", "agent_abandoned",
    "number_invalid", "number_blocked", "other_errors",
)  # fmt: skip

others_share: Final = 0.3
from_phone_share: Final = 0.1


def inbound_call(
    scenario: Scenario,
    *,
    channel: Channel = voice,
    refusals: Sequence[str] = (),
    scenes: Sequence[Scene] = (),
    work: Sequence[Scene] = (dispositioned,),
    afterwards: Sequence[Scene] = (),
) -> None:
    """Emit a call that waits, is answered, talked through in scenes, ended and wrapped up."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, channel)
    _started(scenario)
    queued(scenario, queue)
    for how in refusals:
        refused(scenario, scenario.rng.choice(queue.agents), how=how)
    assigned(scenario, scenario.rng.choice(queue.agents))
    scenario.emit("engagement_user_answered")
    talked(scenario, scenes, work=work)
    play(scenario, afterwards)


def ordinary_call(scenario: Scenario) -> None:
    """Emit an inbound call of an ordinary day."""
    rng = scenario.rng
    scenes = some(call_scenes, rng, at_most=3)
    if rng.random() < others_share:
        scenes.append(rng.choice((*transfer_scenes, *returned_transfer_scenes, *conference_scenes)))
    inbound_call(
        scenario,
        refusals=some_refusals(scenario),
        scenes=scenes,
        work=some(after_work, rng, at_most=2),
        afterwards=some((surveyed, recording_deleted), rng, at_most=1),
    )


def video_call(scenario: Scenario) -> None:
    """Emit a video conversation that begins as one."""
    inbound_call(scenario, channel=video, refusals=some_refusals(scenario), scenes=(held,))


def talked(
    scenario: Scenario, scenes: Sequence[Scene], *, work: Sequence[Scene] = (dispositioned,)
) -> None:
    """Emit a conversation that is recorded, from the answer until its reports are ready."""
    started_ms = recording_started(scenario)
    play(scenario, scenes)
    scenario.wait(20, 90)
    recording_stopped(scenario, started_ms=started_ms)
    leaver = "consumer" if scenario.known["channel"] == "voice" else "user"
    scenario.emit(f"engagement_{leaver}_ended")
    scenario.emit("engagement_ended")
    wrapped_up(scenario, work)
    recording_finished(scenario)
    reported(scenario)


def abandoned_call(scenario: Scenario) -> None:
    """Emit a call that nobody takes, so that it overflows, and that the consumer gives up."""
    first, second = scenario.rng.sample(scenario.company.queues_for("voice"), 2)
    begin(scenario, first, voice)
    _started(scenario)
    queued(scenario, first)
    for how in some_refusals(scenario):
        refused(scenario, scenario.rng.choice(first.agents), how=how)
    scenario.wait(20, 60)
    scenario.emit("task_exited_queue")
    scenario.set_facts(**second.facts())
    scenario.emit("task_entered_queue")
    scenario.wait(10, 60)
    scenario.emit("engagement_consumer_ended")
    scenario.emit("task_deleted", task_status="canceled")
    scenario.emit("engagement_ended")
    reported(scenario)


def outbound_call(scenario: Scenario) -> None:
    """Emit a call that an agent makes and the consumer answers."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice, direction="outbound")
    _dialled(scenario, queue, scenario.rng.choice(queue.agents))
    scenario.emit("engagement_consumer_answered")
    talked(scenario, some(call_scenes, scenario.rng, at_most=2))


def unanswered_call(scenario: Scenario) -> None:
    """Emit a call that an agent makes, and cancels since nobody answers."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice, direction="outbound")
    _dialled(scenario, queue, scenario.rng.choice(queue.agents))
    scenario.wait(15, 40)
    scenario.emit("task_canceled", task_status="canceled")
    scenario.emit("engagement_user_ended")
    scenario.emit("engagement_ended")
    reported(scenario)


def call_made_by_command(scenario: Scenario) -> None:
    """Emit an outbound call that another program controls to the end."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice, direction="outbound")
    agent = scenario.rng.choice(queue.agents)
    served_by(scenario, agent)
    commanded(scenario, "make_call")
    _dialled(scenario, queue, agent)
    scenario.emit("engagement_consumer_answered")
    for command in ("hold", "unhold"):
        scenario.wait(5, 20)
        commanded(scenario, f"{command}_call")
        scenario.emit(f"engagement_user_{command}")
    conference_by_command(scenario)
    scenario.wait(5, 30)
    commanded(scenario, "end_call")
    scenario.emit("engagement_user_ended")
    scenario.emit("engagement_ended")
    completed(scenario)
    reported(scenario)


def call_answered_by_command(scenario: Scenario) -> None:
    """Emit an inbound call that another program answers."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice)
    _started(scenario)
    queued(scenario, queue)
    assigned(scenario, scenario.rng.choice(queue.agents))
    commanded(scenario, "answer_call")
    scenario.emit("engagement_user_answered")
    talked(scenario, ())


def campaign_call(scenario: Scenario) -> None:
    """Emit a call that a campaign dials and the consumer answers."""
    queue = _dialled_by_campaign(scenario, "consumer_answer")
    queued(scenario, queue)
    assigned(scenario, scenario.rng.choice(queue.agents))
    scenario.emit("engagement_user_answered")
    talked(scenario, ())


def unreached_campaign_call(scenario: Scenario) -> None:
    """Emit a call that a campaign dials in vain."""
    _dialled_by_campaign(scenario, scenario.rng.choice(campaign_failures))
    scenario.emit("engagement_ended")


def scheduled_callback(scenario: Scenario) -> None:
    """Emit a callback that is booked for a later minute, and the call at that time."""
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice, direction="outbound")
    slot_ms = (scenario.now_ms // 60_000 + 4) * 60_000
    first_name, _, last_name = person_name(scenario.rng).partition(" ")
    attendee = {
        "attendee_id": opaque_id(scenario.rng),
        "first_name": first_name,
        "last_name": last_name,
        "email": scenario.known["consumer_email"],
        "phone_number": scenario.known["consumer_number"],
    }
    scenario.emit(
        "queue_scheduled_callback_created",
        cc_queue_id=queue.cc_queue_id,
        queue_name=queue.queue_name,
        queue_channel="voice",
        start_time=to_the_millisecond(slot_ms),
        attendees=[attendee],
    )
    scenario.wait_until(slot_ms)
    scenario.set_facts(start_time=to_the_millisecond(slot_ms))
    _dialled(scenario, queue, scenario.rng.choice(queue.agents))
    scenario.emit("engagement_consumer_answered")
    talked(scenario, ())


def upgraded_call(scenario: Scenario) -> None:
    """Emit a call that becomes a video conversation."""
    inbound_call(scenario, scenes=(partial(upgrade_offered, end="completed"), held))


def upgrade_offered(scenario: Scenario, *, end: str) -> None:
    """Offer video instead of the present channel; ``end`` is ``completed`` or ``expired``."""
    scenario.set_facts(upgrade_to_channel="video", upgrade_to_channel_source="web_video")
    scenario.emit("engagement_upgrade_initiated")
    scenario.wait(3, 20)
    scenario.emit(f"engagement_upgrade_{end}")
    if end == "completed":
        scenario.set_facts(**video.facts())


def _voice_queue(scenario: Scenario) -> CompanyQueue:
    return scenario.rng.choice(scenario.company.queues_for("voice"))


def _started(scenario: Scenario) -> None:
    """Some calls come from the phone system, whose ids are larger than a float can hold."""
    if scenario.known["channel"] == "voice" and scenario.rng.random() < from_phone_share:
        call_id = str(2**62 + scenario.rng.getrandbits(61))
        scenario.emit("engagement_started", transfer_from="zoom_phone", transfer_from_id=call_id)
    else:
        scenario.emit("engagement_started")


def _dialled(scenario: Scenario, queue: CompanyQueue, agent: CompanyUser) -> None:
    scenario.emit("engagement_started")
    task_created(scenario, queue)
    assigned(scenario, agent)
    scenario.emit("engagement_consumer_notified")
    scenario.wait(2, 12)


def _dialled_by_campaign(scenario: Scenario, status: str) -> CompanyQueue:
    queue = _voice_queue(scenario)
    begin(scenario, queue, voice, direction="outbound")
    scenario.emit("engagement_started")
    scenario.wait(2, 20)
    scenario.emit(
        "outbound_campaign_dialer_status",
        campaign_dialer_status=status,
        external_engagement_id=opaque_id(scenario.rng),
    )
    return queue
