"""Conferences: the agent invites others to a call, who join, refuse, do not answer, or leave."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal, cast

from simulator.stories.engagement import other_agent, queue_of
from simulator.stories.scenario import Story, Tell, commanded
from simulator.synthetic_values import company_number, uuid

Answer = Literal["joined", "rejected", "timeout", "canceled"]
Participant = dict[str, object]

answering_member: Final[Mapping[Answer, str]] = {
    "joined": "joining_participant",
    "rejected": "rejecting_participant",
    "timeout": "timed_out_participant",
    "canceled": "canceled_participant",
}


def conference(story: Story, *, answers: Sequence[Answer]) -> None:
    """Invite one participant per answer; a conference that nobody joins is canceled."""
    _opened(story)
    for answer in answers:
        _invited(story, answer)
    if "joined" not in answers:
        story.tell("engagement_conference_canceled")


def conference_by_command(story: Story) -> None:
    """Let another program invite a participant, who joins and leaves."""
    _opened(story)
    commanded(story, "conference_warm_invite")
    _invited(story, "joined")


conference_scenes: Final[tuple[Tell, ...]] = (
    partial(conference, answers=("joined",)),
    partial(conference, answers=("rejected", "joined")),
    partial(conference, answers=("timeout", "canceled")),
)


def _opened(story: Story) -> None:
    known, division = story.known, story.company.division
    story.learn(
        conference_id=uuid(story.rng),
        division_id=division.division_id,
        division_name=division.division_name,
        conference_participants=[
            {
                "participant_display_name": known["consumer_display_name"],
                "participant_role": "customer",
                "participant_phone_number": known["consumer_number"],
            },
            {
                "participant_user_id": known["user_id"],
                "participant_display_name": known["user_display_name"],
                "participant_role": "host",
            },
        ],
    )


def _invited(story: Story, answer: Answer) -> None:
    """Invite somebody by name, number or queue; who joins leaves again after a while."""
    queue = queue_of(story)
    agent = other_agent(story, queue)
    guests: list[Participant] = [
        {"participant_user_id": agent.user_id},
        {"participant_phone_number": company_number(98)},
    ]
    if answer != "joined":
        guests.append({"participant_queue_id": queue.cc_queue_id})
    guest = story.rng.choice(guests)
    story.tell("engagement_conference_participant_invited", invited_participant=guest)
    story.wait(2, 20)
    present = story.known["conference_participants"]
    if answer == "joined":
        seat = guest | {
            "participant_display_name": agent.display_name,
            "participant_role": "invitee",
        }
        story.learn(conference_participants=[*cast("list[Participant]", present), seat])
    story.tell(f"engagement_conference_participant_{answer}", **{answering_member[answer]: guest})
    if answer == "joined":
        story.wait(10, 40)
        story.learn(conference_participants=present)
        story.tell("engagement_conference_participant_left", leaving_participant=guest)
