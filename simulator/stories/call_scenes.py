"""Scenes within a call: hold, mute, digits, a paused recording, a supervisor who listens."""

from functools import partial
from typing import Final

from simulator.company import User
from simulator.stories.engagement import served_by
from simulator.stories.recording import recording_paused
from simulator.stories.scenario import Story, Tell


def held(story: Story) -> None:
    """Put the consumer on hold for a while."""
    story.tell("engagement_user_hold")
    story.wait(5, 40)
    story.tell("engagement_user_unhold")


def muted(story: Story) -> None:
    """Mute the agent for a while."""
    story.tell("engagement_user_muted")
    story.wait(2, 20)
    story.tell("engagement_user_unmuted")


def digits_sent(story: Story) -> None:
    """Let the agent press keys."""
    story.tell("engagement_user_dtmf_sent", dtmf_input=f"*{story.rng.randrange(10_000):04d}#")


def monitored(story: Story, *, how: str) -> None:
    """Let a supervisor ``listen``, ``whisper`` or ``barge`` in."""
    _watched(story, how)
    story.wait(5, 40)
    story.tell("engagement_monitor_ended")


def taken_over(story: Story) -> None:
    """Let a supervisor listen, then take the call over."""
    supervisor = _watched(story, "listen")
    story.wait(2, 15)
    story.tell("engagement_monitor_ended")
    story.tell(
        "engagement_takeover_started",
        takeover_user_id=supervisor.user_id,
        takeover_user_display_name=supervisor.display_name,
    )
    story.tell("engagement_user_ended")
    served_by(story, supervisor)
    story.tell("engagement_user_answered")


call_scenes: Final[tuple[Tell, ...]] = (
    held,
    muted,
    digits_sent,
    recording_paused,
    partial(monitored, how="listen"),
    partial(monitored, how="whisper"),
    partial(monitored, how="barge"),
    taken_over,
)


def _watched(story: Story, how: str) -> User:
    in_charge = story.known["user_id"]
    others = [user for user in story.company.supervisors if user.user_id != in_charge]
    supervisor = story.rng.choice(others)
    story.learn(
        action_type=how,
        monitoring_user_id=supervisor.user_id,
        monitoring_user_display_name=supervisor.display_name,
    )
    story.tell("engagement_monitor_started")
    return supervisor
