"""A recording of a call; it outlives the call."""

from simulator.stories.scenario import Scenario
from simulator.synthetic_values import download_origin, opaque_id, to_the_millisecond, to_the_second


def recording_started(scenario: Scenario) -> int:
    """Start to record, for the queue or for the agent; return when, epoch milliseconds."""
    known = scenario.known
    owners = (
        ("user", known["user_id"], known["user_display_name"]),
        ("queue", known["cc_queue_id"], known["queue_name"]),
    )
    owner_type, owner_id, owner_name = scenario.rng.choice(owners)
    scenario.set_facts(
        recording_id=opaque_id(scenario.rng),
        recording_type=scenario.rng.choice(("automatic", "on_demand")),
        owner_type=owner_type,
        owner_id=owner_id,
        owner_name=owner_name,
    )
    scenario.emit("recording_started")
    scenario.set_facts(
        recording_start_time_ms=to_the_millisecond(scenario.now_ms),
        recording_start_time=to_the_second(scenario.now_ms),
    )
    return scenario.now_ms


def recording_paused(scenario: Scenario) -> None:
    """Leave something out of the recording."""
    scenario.emit("recording_paused")
    scenario.wait(5, 30)
    scenario.emit("recording_resumed")


def recording_stopped(scenario: Scenario, *, started_ms: int) -> None:
    """Stop to record what was started then."""
    scenario.emit("recording_stopped")
    scenario.set_facts(
        recording_end_time_ms=to_the_millisecond(scenario.now_ms),
        recording_end_time=to_the_second(scenario.now_ms),
        recording_duration=(scenario.now_ms - started_ms) // 1000,
    )


def recording_finished(scenario: Scenario) -> None:
    """Say that the file is ready, then that its transcript is."""
    scenario.wait(2, 20)
    scenario.emit("recording_completed")
    scenario.wait(2, 20)
    link = f"{download_origin}/recording/transcripts/{opaque_id(scenario.rng)}"
    scenario.emit("recording_transcript_completed", transcript_url=link)


def recording_deleted(scenario: Scenario) -> None:
    """Delete the recording, then for good; both events know the recording only."""
    scenario.wait(30, 90)
    scenario.emit("recording_deleted")
    scenario.wait(10, 40)
    scenario.emit("recording_permanently_deleted")
