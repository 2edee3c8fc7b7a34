"""Voice calls, and what becomes of them: from the first ring until the reports have them."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from simulator.company import Queue, User
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
from simulator.stories.scenario import Story, Tell, commanded, play
from simulator.stories.transfer import returned_transfer_scenes, transfer_scenes
from simulator.synthetic_values import opaque_id, person_name, some, to_the_millisecond

campaign_failures: Final = (
    "consumer_no_answer", "consumer_reject", "consumer_busy", "agent_abandoned",
    "number_invalid", "number_blocked", "other_errors",
)  # fmt: skip

others_share: Final = 0.3
from_phone_share: Final = 0.1


def inbound_call(
    story: Story,
    *,
    channel: Channel = voice,
    refusals: Sequence[str] = (),
    scenes: Sequence[Tell] = (),
    work: Sequence[Tell] = (dispositioned,),
    afterwards: Sequence[Tell] = (),
) -> None:
    """Tell a call that waits, is answered, talked through in scenes, ended and wrapped up."""
    queue = _voice_queue(story)
    begin(story, queue, channel)
    _started(story)
    queued(story, queue)
    for how in refusals:
        refused(story, story.rng.choice(queue.agents), how=how)
    assigned(story, story.rng.choice(queue.agents))
    story.tell("engagement_user_answered")
    talked(story, scenes, work=work)
    play(story, afterwards)


def ordinary_call(story: Story) -> None:
    """Tell an inbound call of an ordinary day."""
    rng = story.rng
    scenes = some(call_scenes, rng, at_most=3)
    if rng.random() < others_share:
        scenes.append(rng.choice((*transfer_scenes, *returned_transfer_scenes, *conference_scenes)))
    inbound_call(
        story,
        refusals=some_refusals(story),
        scenes=scenes,
        work=some(after_work, rng, at_most=2),
        afterwards=some((surveyed, recording_deleted), rng, at_most=1),
    )


def video_call(story: Story) -> None:
    """Tell a video conversation that begins as one."""
    inbound_call(story, channel=video, refusals=some_refusals(story), scenes=(held,))


def talked(
    story: Story, scenes: Sequence[Tell], *, work: Sequence[Tell] = (dispositioned,)
) -> None:
    """Tell a conversation that is recorded, from the answer until its reports are ready."""
    started_ms = recording_started(story)
    play(story, scenes)
    story.wait(20, 90)
    recording_stopped(story, started_ms=started_ms)
    leaver = "consumer" if story.known["channel"] == "voice" else "user"
    story.tell(f"engagement_{leaver}_ended")
    story.tell("engagement_ended")
    wrapped_up(story, work)
    recording_finished(story)
    reported(story)


def abandoned_call(story: Story) -> None:
    """Tell a call that nobody takes, so that it overflows, and that the consumer gives up."""
    first, second = story.rng.sample(story.company.queues_for("voice"), 2)
    begin(story, first, voice)
    _started(story)
    queued(story, first)
    for how in some_refusals(story):
        refused(story, story.rng.choice(first.agents), how=how)
    story.wait(20, 60)
    story.tell("task_exited_queue")
    story.learn(**second.facts())
    story.tell("task_entered_queue")
    story.wait(10, 60)
    story.tell("engagement_consumer_ended")
    story.tell("task_deleted", task_status="canceled")
    story.tell("engagement_ended")
    reported(story)


def outbound_call(story: Story) -> None:
    """Tell a call that an agent makes and the consumer answers."""
    queue = _voice_queue(story)
    begin(story, queue, voice, direction="outbound")
    _dialled(story, queue, story.rng.choice(queue.agents))
    story.tell("engagement_consumer_answered")
    talked(story, some(call_scenes, story.rng, at_most=2))


def unanswered_call(story: Story) -> None:
    """Tell a call that an agent makes, and cancels since nobody answers."""
    queue = _voice_queue(story)
    begin(story, queue, voice, direction="outbound")
    _dialled(story, queue, story.rng.choice(queue.agents))
    story.wait(15, 40)
    story.tell("task_canceled", task_status="canceled")
    story.tell("engagement_user_ended")
    story.tell("engagement_ended")
    reported(story)


def call_made_by_command(story: Story) -> None:
    """Tell an outbound call that another program controls to the end."""
    queue = _voice_queue(story)
    begin(story, queue, voice, direction="outbound")
    agent = story.rng.choice(queue.agents)
    served_by(story, agent)
    commanded(story, "make_call")
    _dialled(story, queue, agent)
    story.tell("engagement_consumer_answered")
    for command in ("hold", "unhold"):
        story.wait(5, 20)
        commanded(story, f"{command}_call")
        story.tell(f"engagement_user_{command}")
    conference_by_command(story)
    story.wait(5, 30)
    commanded(story, "end_call")
    story.tell("engagement_user_ended")
    story.tell("engagement_ended")
    completed(story)
    reported(story)


def call_answered_by_command(story: Story) -> None:
    """Tell an inbound call that another program answers."""
    queue = _voice_queue(story)
    begin(story, queue, voice)
    _started(story)
    queued(story, queue)
    assigned(story, story.rng.choice(queue.agents))
    commanded(story, "answer_call")
    story.tell("engagement_user_answered")
    talked(story, ())


def campaign_call(story: Story) -> None:
    """Tell a call that a campaign dials and the consumer answers."""
    queue = _dialled_by_campaign(story, "consumer_answer")
    queued(story, queue)
    assigned(story, story.rng.choice(queue.agents))
    story.tell("engagement_user_answered")
    talked(story, ())


def unreached_campaign_call(story: Story) -> None:
    """Tell a call that a campaign dials in vain."""
    _dialled_by_campaign(story, story.rng.choice(campaign_failures))
    story.tell("engagement_ended")


def scheduled_callback(story: Story) -> None:
    """Tell a callback that is booked for a later minute, and the call at that time."""
    queue = _voice_queue(story)
    begin(story, queue, voice, direction="outbound")
    slot_ms = (story.now_ms // 60_000 + 4) * 60_000
    first_name, _, last_name = person_name(story.rng).partition(" ")
    attendee = {
        "attendee_id": opaque_id(story.rng),
        "first_name": first_name,
        "last_name": last_name,
        "email": story.known["consumer_email"],
        "phone_number": story.known["consumer_number"],
    }
    story.tell(
        "queue_scheduled_callback_created",
        cc_queue_id=queue.cc_queue_id,
        queue_name=queue.queue_name,
        queue_channel="voice",
        start_time=to_the_millisecond(slot_ms),
        attendees=[attendee],
    )
    story.wait_until(slot_ms)
    story.learn(start_time=to_the_millisecond(slot_ms))
    _dialled(story, queue, story.rng.choice(queue.agents))
    story.tell("engagement_consumer_answered")
    talked(story, ())


def upgraded_call(story: Story) -> None:
    """Tell a call that becomes a video conversation."""
    inbound_call(story, scenes=(partial(upgrade_offered, end="completed"), held))


def upgrade_offered(story: Story, *, end: str) -> None:
    """Offer video instead of the present channel; ``end`` is ``completed`` or ``expired``."""
    story.learn(upgrade_to_channel="video", upgrade_to_channel_source="web_video")
    story.tell("engagement_upgrade_initiated")
    story.wait(3, 20)
    story.tell(f"engagement_upgrade_{end}")
    if end == "completed":
        story.learn(**video.facts())


def _voice_queue(story: Story) -> Queue:
    return story.rng.choice(story.company.queues_for("voice"))


def _started(story: Story) -> None:
    """Some calls come from the phone system, whose ids are larger than a float can hold."""
    if story.known["channel"] == "voice" and story.rng.random() < from_phone_share:
        call_id = str(2**62 + story.rng.getrandbits(61))
        story.tell("engagement_started", transfer_from="zoom_phone", transfer_from_id=call_id)
    else:
        story.tell("engagement_started")


def _dialled(story: Story, queue: Queue, agent: User) -> None:
    story.tell("engagement_started")
    task_created(story, queue)
    assigned(story, agent)
    story.tell("engagement_consumer_notified")
    story.wait(2, 12)


def _dialled_by_campaign(story: Story, status: str) -> Queue:
    queue = _voice_queue(story)
    begin(story, queue, voice, direction="outbound")
    story.tell("engagement_started")
    story.wait(2, 20)
    story.tell(
        "outbound_campaign_dialer_status",
        campaign_dialer_status=status,
        external_engagement_id=opaque_id(story.rng),
    )
    return queue
