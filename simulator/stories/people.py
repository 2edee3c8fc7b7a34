"""People at work: a shift with its states and queues, and a user from first day to last."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, cast

from simulator.company import Role, make_user
from simulator.payloads import invented
from simulator.stories.scenario import Scenario
from simulator.synthetic_values import company_number, opaque_id

State = tuple[str, str, str | None, str | None]
"""Status id and name, sub status id and name; the last two may be absent."""

offline: Final[State] = ("0", "Offline", None, None)
ready: Final[State] = ("1", "Ready", None, None)
occupied: Final[State] = ("3", "Occupied", None, None)
at_break: Final[State] = ("2", "Not Ready", "20", "Break")
at_meal: Final[State] = ("2", "Not Ready", "21", "Meal")
in_training: Final[State] = ("2", "Not Ready", "22", "Schulung 📚")

shifts: Final = (
    (ready, occupied, ready, at_break, at_meal, ready, offline),
    (at_break, ready, occupied, ready, offline),
    (ready, in_training, ready, offline),
)
"""In the first, one break becomes another: the status stays, the sub status changes."""

state_members: Final = ("status_id", "status_name", "sub_status_id", "sub_status_name")

user_setup: Final = (
    "status_id", "status_name", "client_integration", "user_access", "channel_settings",
    "emergency_calling", "user_intents", "user_package", "user_add_ons_plans",
)  # fmt: skip
"""Members of a new user for which the schema's word is enough."""

user_update_groups: Final = (
    ("role_id", "role_name"),
    state_members,
    ("client_integration", "user_access", "country_iso_code"),
    ("channel_settings", "emergency_calling"),
    ("external_url", "user_intents"),
    ("user_package", "user_add_ons_plans"),
)
"""Members of ``updates`` that change together."""


def shift(scenario: Scenario) -> None:
    """Emit one person's time at work, sped up."""
    user = scenario.rota.take(scenario)
    scenario.set_facts(**user.facts())
    queues = [q for q in scenario.company.queues if user in (*q.agents, *q.supervisors)]
    scenario.set_facts(**scenario.rng.choice(queues).facts())
    scenario.emit("user_login")
    for before, after in pairwise((offline, *scenario.rng.choice(shifts))):
        scenario.wait(5, 40)
        _changes_state(scenario, before, after)
        if before == offline:
            _opts_out_for_a_while(scenario)
    scenario.emit("user_logout")
    scenario.rota.give_back(scenario, user)


def employment(scenario: Scenario) -> None:
    """Emit the life of a user from creation to deletion."""
    rng, company = scenario.rng, scenario.company
    agent = company.users[-1]
    role = Role(agent.role_id, agent.role_name)
    user = make_user(rng, ordinal=1000 + scenario.number, role=role, teams=company.teams[:1])
    scenario.set_facts(**user.facts())
    setup = {name: invented("contact_center.user_created", name, rng) for name in user_setup}
    scenario.emit("user_created", **setup, country_iso_code=user.country_iso_code)
    for group in rng.sample(user_update_groups, 3):
        scenario.wait(2, 20)
        _updated(scenario, group)
    skills = [{"skill_id": skill_id} for skill_id in rng.sample(company.skill_ids, 2)]
    number = {"phone_number": company_number(scenario.number), "phone_number_id": opaque_id(rng)}
    scenario.emit("user_skills_assigned", skills=skills)
    scenario.emit("user_phone_numbers_assigned", phone_numbers=[number])
    scenario.wait(20, 90)
    scenario.emit("user_phone_numbers_unassigned", phone_numbers=[number])
    scenario.emit("user_skills_unassigned", skills=skills[:1])
    scenario.emit("user_deleted", users=[{"user_id": user.user_id}])


def _changes_state(scenario: Scenario, before: State, after: State) -> None:
    status = {
        f"{when}_{member}": value
        for when, state in (("previous", before), ("current", after))
        for member, value in zip(state_members, state, strict=True)
    }
    scenario.emit("user_status_changed", **status)


def _opts_out_for_a_while(scenario: Scenario) -> None:
    """Leave a queue for a while; this is no consumer's consent."""
    scenario.emit("user_opt_out")
    scenario.wait(5, 30)
    scenario.emit("user_opt_in")


def _updated(scenario: Scenario, group: Sequence[str]) -> None:
    """Change some members; ``updates`` holds new values only, and what follows knows them."""
    supervisor = scenario.rng.choice(scenario.company.supervisors)
    new = cast(
        "dict[str, object]", invented("contact_center.user_updated", "updates", scenario.rng)
    ) | {
        **dict(zip(state_members, at_break, strict=True)),
        "role_id": supervisor.role_id,
        "role_name": supervisor.role_name,
        "country_iso_code": "FR",
    }
    updates = {name: new[name] for name in group}
    scenario.emit("user_updated", updates=updates)
    scenario.set_facts(**{name: value for name, value in updates.items() if name in scenario.known})
