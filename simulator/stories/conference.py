"""Conferences: the agent invites others to a call, who join, refuse, do not answer, or leave."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal, cast

from simulator.stories.engagement import other_agent, queue_of
from simulator.stories.scenario import Scenario, Scene, commanded
from simulator.synthetic_values import company_number, uuid

Answer = Literal["joined", "rejected", "timeout", "canceled"]
Participant = dict[str, object]

answering_member: Final[Mapping[Answer, str]] = {
    "joined": "joining_participant",
    "rejected": "rejecting_participant",
    "timeout": "timed_out_participant",
    "canceled": "canceled_participant",
}


def conference(scenario: Scenario, *, answers: Sequence[Answer]) -> None:
    """Invite one participant per answer; a conference that nobody joins is canceled."""
    _opened(scenario)
    for answer in answers:
        _invited(scenario, answer)
    if "joined" not in answers:
        scenario.emit("engagement_conference_canceled")


def conference_by_command(scenario: Scenario) -> None:
    """Let another program invite a participant, who joins and leaves."""
    _opened(scenario)
    commanded(scenario, "conference_warm_invite")
    _invited(scenario, "joined")


conference_scenes: Final[tuple[Scene, ...]] = (
    partial(conference, answers=("joined",)),
    partial(conference, answers=("rejected", "joined")),
    partial(conference, answers=("timeout", "canceled")),
)


def _opened(scenario: Scenario) -> None:
    known, division = scenario.known, scenario.company.division
    scenario.set_facts(
        conference_id=uuid(scenario.rng),
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


def _invited(scenario: Scenario, answer: Answer) -> None:
    """Invite somebody by name, number or queue; who joins leaves again after a while."""
    queue = queue_of(scenario)
    agent = other_agent(scenario, queue)
    guests: list[Participant] = [
        {"participant_user_id": agent.user_id},
        {"participant_phone_number": company_number(98)},
    ]
    if answer != "joined":
        guests.append({"participant_queue_id": queue.cc_queue_id})
    guest = scenario.rng.choice(guests)
    scenario.emit("engagement_conference_participant_invited", invited_participant=guest)
    scenario.wait(2, 20)
    present = scenario.known["conference_participants"]
    if answer == "joined":
        joined = guest | {
            "participant_display_name": agent.display_name,
            "participant_role": "invitee",
        }
        scenario.set_facts(conference_participants=[*cast("list[Participant]", present), joined])
    scenario.emit(
        f"engagement_conference_participant_{answer}", **{answering_member[answer]: guest}
    )
    if answer == "joined":
        scenario.wait(10, 40)
        scenario.set_facts(conference_participants=present)
        scenario.emit("engagement_conference_participant_left", leaving_participant=guest)
