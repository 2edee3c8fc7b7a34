"""The company of the simulated contact centre, shared by webhooks and REST API."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from simulator.payloads import invented_members
from simulator.synthetic_values import company_number, opaque_id, person_name, prefixed_id, uuid

QueueChannel = Literal["voice", "messaging", "email", "work_item"]

Facts = Mapping[str, object]

fewest_users: Final = 8
fewest_queues: Final = 5

queue_channels: Final[tuple[QueueChannel, ...]] = (
    "voice", "messaging", "email", "work_item", "voice", "voice", "messaging", "voice",
)  # fmt: skip
"""By queue, cyclically; every company has the first five."""

queue_subjects: Final = ("Orders", "Réclamations", "Billing", "Rückgabe", "Soporte", "Claims")
team_names: Final = ("North", "South", "Århus", "Night shift", "Second line")
disposition_names: Final = ("Solved", "Call back", "Sold", "Wrong number", "Zurückgestellt")
inbox_names: Final = ("Main line", "After hours")
skill_count: Final = 6

not_settings: Final = frozenset(
    {"date_time_ms", "queue_created_time", "overflow_to_cc_queue_id", "overflow_to_flow_id"}
)
"""Members of a queue's creation that its scenario sets, because they name a time or other
entities."""

channel_types: Final[Mapping[QueueChannel, list[str] | None]] = {
    "voice": ["voice"],
    "messaging": ["chat", "sms"],
    "email": None,
    "work_item": None,
}
"""The values of ``channel_types`` for a queue; the last two channels have none."""


@dataclass(frozen=True, slots=True)
class Team:
    """A group of users."""

    team_id: str
    team_name: str


@dataclass(frozen=True, slots=True)
class Role:
    """A set of a user's rights."""

    role_id: str
    role_name: str


@dataclass(frozen=True, slots=True)
class CompanyUser:
    """An agent or a supervisor."""

    user_id: str
    display_name: str
    user_email: str
    role_id: str
    role_name: str
    country_iso_code: str
    teams: tuple[Team, ...]

    def facts(self) -> dict[str, object]:
        """Return its members in events of engagements and of users."""
        return {
            "user_id": self.user_id,
            "user_display_name": self.display_name,
            "display_name": self.display_name,
            "user_email": self.user_email,
            "role_id": self.role_id,
            "role_name": self.role_name,
            "teams": [{"team_id": t.team_id, "team_name": t.team_name} for t in self.teams],
        }


@dataclass(frozen=True, slots=True)
class Flow:
    """The entry point of consumers; ``flow_number`` leads to it."""

    flow_id: str
    flow_name: str
    flow_number: str

    def facts(self) -> dict[str, object]:
        """Return its members in events of engagements."""
        return {
            "flow_id": self.flow_id,
            "flow_name": self.flow_name,
            "flow_number": self.flow_number,
            "contact_center_number": self.flow_number,
        }


@dataclass(frozen=True, slots=True)
class CompanyQueue:
    """A queue of waiting consumers. ``queue_id`` is its legacy id, a different value.

    ``settings`` holds the members that events of the queue repeat, under their names there.
    """

    cc_queue_id: str
    queue_id: str
    queue_name: str
    channel: QueueChannel
    flow: Flow
    agents: tuple[CompanyUser, ...]
    supervisors: tuple[CompanyUser, ...]
    settings: Facts

    def facts(self) -> dict[str, object]:
        """Return its identity and settings as members of events."""
        return {
            **self.settings,
            "cc_queue_id": self.cc_queue_id,
            "queue_id": self.queue_id,
            "queue_name": self.queue_name,
            "channel_types": channel_types[self.channel],
        }


@dataclass(frozen=True, slots=True)
class Disposition:
    """A result of an engagement, in the company's words."""

    disposition_id: str
    disposition_name: str
    disposition_description: str


@dataclass(frozen=True, slots=True)
class Division:
    """A part of the account with its own people and numbers."""

    division_id: str
    division_name: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """A destination of voicemail."""

    inbox_id: str
    inbox_name: str


@dataclass(frozen=True, slots=True)
class Company:
    """One account. Every queue has at least four agents, and all supervisors."""

    account_id: str
    users: tuple[CompanyUser, ...]
    queues: tuple[CompanyQueue, ...]
    teams: tuple[Team, ...]
    dispositions: tuple[Disposition, ...]
    inboxes: tuple[Inbox, ...]
    division: Division
    skill_ids: tuple[str, ...]

    @property
    def flows(self) -> tuple[Flow, ...]:
        """One per queue, in the order of the queues."""
        return tuple(queue.flow for queue in self.queues)

    @property
    def supervisors(self) -> tuple[CompanyUser, ...]:
        """The users who may manage the others; at least two."""
        return self.queues[0].supervisors

    def queues_for(self, channel: QueueChannel) -> tuple[CompanyQueue, ...]:
        """Return the queues of a channel; at least one, for voice at least two."""
        return tuple(queue for queue in self.queues if queue.channel == channel)


def make_company(seed: int, *, users: int = 40, queues: int = 8) -> Company:
    """Invent a company; the same arguments give the same one.

    Raises:
        ValueError: too few users or queues for all scenarios.
    """
    if users < fewest_users or queues < fewest_queues:
        raise ValueError(
            f"expected at least {fewest_users} users and {fewest_queues} queues, "
            f"got {users} and {queues}"
        )
    rng = Random(f"company {seed}")
    teams = tuple(Team(opaque_id(rng), name) for name in team_names)
    supervisor, agent = Role(uuid(rng), "Supervisor"), Role(uuid(rng), "Agent")
    supervising = max(2, users // 10)
    people = tuple(
        make_user(
            rng,
            ordinal=ordinal,
            role=supervisor if ordinal < supervising else agent,
            teams=tuple(rng.sample(teams, 1 + (ordinal % 5 == 0))),
        )
        for ordinal in range(users)
    )
    supervisors, agents = people[:supervising], people[supervising:]
    return Company(
        account_id=opaque_id(rng),
        users=people,
        queues=tuple(
            make_queue(
                rng,
                ordinal=ordinal,
                agents=_shift_of(agents, ordinal, queues),
                supervisors=supervisors,
            )
            for ordinal in range(queues)
        ),
        teams=teams,
        dispositions=tuple(
            Disposition(opaque_id(rng), name, f"Outcome: {name}") for name in disposition_names
        ),
        inboxes=tuple(Inbox(opaque_id(rng), name) for name in inbox_names),
        division=Division(opaque_id(rng), "Customer care"),
        skill_ids=tuple(opaque_id(rng) for _ in range(skill_count)),
    )


def make_user(rng: Random, *, ordinal: int, role: Role, teams: tuple[Team, ...]) -> CompanyUser:
    """Invent a user; ``ordinal`` distinguishes the mail addresses."""
    return CompanyUser(
        user_id=opaque_id(rng),
        display_name=person_name(rng),
        user_email=f"agent.{ordinal}@example.com",
        role_id=role.role_id,
        role_name=role.role_name,
        country_iso_code=rng.choice(("US", "DE", "JP", "BR")),
        teams=teams,
    )


def make_queue(
    rng: Random,
    *,
    ordinal: int,
    agents: tuple[CompanyUser, ...],
    supervisors: tuple[CompanyUser, ...],
) -> CompanyQueue:
    """Invent a queue with a flow that leads to it."""
    channel = queue_channels[ordinal % len(queue_channels)]
    subject = queue_subjects[ordinal % len(queue_subjects)]
    name = f"{subject} {channel.replace('_', ' ')} {ordinal + 1}"
    return CompanyQueue(
        cc_queue_id=opaque_id(rng),
        queue_id=opaque_id(rng),
        queue_name=name,
        channel=channel,
        flow=Flow(prefixed_id("ZWW", rng), f"{subject} flow", company_number(ordinal)),
        agents=agents,
        supervisors=supervisors,
        settings={
            **_settings(rng),
            "queue_description": f"Questions about {subject.lower()}",
            "distribution_type": 1,
            "recording_storage_location": "us",
            "service_level_target_in_percentage": 80,
            "auto_close_message": "This conversation was closed. Tschüss! 👋",
        },
    )


def _settings(rng: Random) -> Facts:
    invention = invented_members("contact_center.queue_created", rng)
    return {name: value for name, value in invention.items() if name not in not_settings}


def _shift_of(
    agents: tuple[CompanyUser, ...], ordinal: int, queues: int
) -> tuple[CompanyUser, ...]:
    """Return the agents of a queue. Queues overlap, and all have an agent to hand over to."""
    size = min(len(agents), max(4, 2 * len(agents) // queues))
    first = ordinal * len(agents) // queues
    return tuple(agents[(first + step) % len(agents)] for step in range(size))
