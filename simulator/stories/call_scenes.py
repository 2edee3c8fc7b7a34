"""Scenes within a call: hold, mute, digits, a paused recording, a supervisor who listens."""

from functools import partial
from typing import Final

from simulator.company import CompanyUser
from simulator.stories.engagement import served_by
from simulator.stories.recording import recording_paused
from simulator.stories.scenario import Scenario, Scene


def held(scenario: Scenario) -> None:
    """Put the consumer on hold for a while."""
    scenario.emit("engagement_user_hold")
    scenario.wait(5, 40)
    scenario.emit("engagement_user_unhold")


def muted(scenario: Scenario) -> None:
    """Mute the agent for a while."""
    scenario.emit("engagement_user_muted")
    scenario.wait(2, 20)
    scenario.emit("engagement_user_unmuted")


def digits_sent(scenario: Scenario) -> None:
    """Let the agent press keys."""
    scenario.emit("engagement_user_dtmf_sent", dtmf_input=f"*{scenario.rng.randrange(10_000):04d}#")


def monitored(scenario: Scenario, *, how: str) -> None:
    """Let a supervisor ``listen``, ``whisper`` or ``barge`` in."""
    _watched(scenario, how)
    scenario.wait(5, 40)
    scenario.emit("engagement_monitor_ended")


def taken_over(scenario: Scenario) -> None:
    """Let a supervisor listen, then take the call over."""
    supervisor = _watched(scenario, "listen")
    scenario.wait(2, 15)
    scenario.emit("engagement_monitor_ended")
    scenario.emit(
        "engagement_takeover_started",
        takeover_user_id=supervisor.user_id,
        takeover_user_display_name=supervisor.display_name,
    )
    scenario.emit("engagement_user_ended")
    served_by(scenario, supervisor)
    scenario.emit("engagement_user_answered")


call_scenes: Final[tuple[Scene, ...]] = (
    held,
    muted,
    digits_sent,
    recording_paused,
    partial(monitored, how="listen"),
    partial(monitored, how="whisper"),
    partial(monitored, how="barge"),
    taken_over,
)


def _watched(scenario: Scenario, how: str) -> CompanyUser:
    in_charge = scenario.known["user_id"]
    others = [user for user in scenario.company.supervisors if user.user_id != in_charge]
    supervisor = scenario.rng.choice(others)
    scenario.set_facts(
        action_type=how,
        monitoring_user_id=supervisor.user_id,
        monitoring_user_display_name=supervisor.display_name,
    )
    scenario.emit("engagement_monitor_started")
    return supervisor
