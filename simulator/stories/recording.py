"""A recording beside its call; it lives longer than the call does."""

from simulator.stories.scenario import Story
from simulator.synthetic_values import download_origin, opaque_id, to_the_millisecond, to_the_second


def recording_started(story: Story) -> int:
    """Start to record, for the queue or for the agent; return when, epoch milliseconds."""
    known = story.known
    owners = (
        ("user", known["user_id"], known["user_display_name"]),
        ("queue", known["cc_queue_id"], known["queue_name"]),
    )
    owner_type, owner_id, owner_name = story.rng.choice(owners)
    story.learn(
        recording_id=opaque_id(story.rng),
        recording_type=story.rng.choice(("automatic", "on_demand")),
        owner_type=owner_type,
        owner_id=owner_id,
        owner_name=owner_name,
    )
    story.tell("recording_started")
    story.learn(
        recording_start_time_ms=to_the_millisecond(story.now_ms),
        recording_start_time=to_the_second(story.now_ms),
    )
    return story.now_ms


def recording_paused(story: Story) -> None:
    """Leave something out of the recording."""
    story.tell("recording_paused")
    story.wait(5, 30)
    story.tell("recording_resumed")


def recording_stopped(story: Story, *, started_ms: int) -> None:
    """Stop to record what was started then."""
    story.tell("recording_stopped")
    story.learn(
        recording_end_time_ms=to_the_millisecond(story.now_ms),
        recording_end_time=to_the_second(story.now_ms),
        recording_duration=(story.now_ms - started_ms) // 1000,
    )


def recording_finished(story: Story) -> None:
    """Say that the file is ready, then that its transcript is."""
    story.wait(2, 20)
    story.tell("recording_completed")
    story.wait(2, 20)
    link = f"{download_origin}/recording/transcripts/{opaque_id(story.rng)}"
    story.tell("recording_transcript_completed", transcript_url=link)


def recording_deleted(story: Story) -> None:
    """Delete the recording, then for good; both events know the recording only."""
    story.wait(30, 90)
    story.tell("recording_deleted")
    story.wait(10, 40)
    story.tell("recording_permanently_deleted")
