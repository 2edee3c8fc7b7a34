"""How a company is set up and changed: queues, teams, business hours, closures, assets.

``updates`` holds new values only; what is not named there is as it was.
"""

from typing import Final

from simulator.company import make_queue
from simulator.stories.scenario import Scenario
from simulator.synthetic_values import download_origin, opaque_id, to_the_millisecond, to_the_second

day_ms: Final = 86_400_000

weekdays: Final = (2, 3, 4, 5, 6)
"""Monday to Friday where Sunday is 1."""


def queue_lifetime(scenario: Scenario) -> None:
    """Emit the life of a queue from creation to deletion."""
    rng, company = scenario.rng, scenario.company
    parent = rng.choice(company.queues)
    queue = make_queue(
        rng,
        ordinal=rng.randrange(1000),
        agents=parent.agents,
        supervisors=company.supervisors,
    )
    scenario.set_facts(
        **queue.facts(),
        overflow_to_cc_queue_id=parent.cc_queue_id,
        overflow_to_queue_id=parent.queue_id,
        overflow_to_flow_id=parent.flow.flow_id,
    )
    scenario.emit("queue_created", queue_created_time=to_the_millisecond(scenario.now_ms))
    agent, supervisor = rng.choice(queue.agents), rng.choice(queue.supervisors)
    people = (("agent", agent), ("supervisor", supervisor))
    for role, user in people:
        scenario.wait(2, 20)
        scenario.set_facts(**user.facts())
        scenario.emit(f"queue_{role}_assigned")
    _queue_changed(scenario)
    for role, user in reversed(people):
        scenario.wait(2, 20)
        scenario.set_facts(**user.facts())
        scenario.emit(f"queue_{role}_unassigned")
    scenario.emit("queue_deleted")


def team_lifetime(scenario: Scenario) -> None:
    """Emit the life of a team from creation to deletion."""
    rng, company = scenario.rng, scenario.company
    first, second = rng.sample(company.teams, 2)
    name = f"Équipe {scenario.number}"
    parent = {"parent_team_id": first.team_id, "parent_team_name": first.team_name}
    scenario.set_facts(team_id=opaque_id(rng), **parent)
    members = [user.user_id for user in rng.sample(company.users, 3)]
    scenario.set_facts(team_description="For the season")
    scenario.emit("team_created", team_name=name)
    scenario.emit("team_members_assigned", user_ids=members, team_role="agent")
    scenario.wait(5, 40)
    scenario.emit("team_updated", team_description="For the whole year")
    scenario.set_facts(team_description="For the whole year")
    name = f"{name} bis"
    scenario.emit("team_updated", team_name=name, team_description=None)
    scenario.wait(5, 40)
    scenario.emit(
        "team_moved",
        team_name=name,
        previous_parent_team_id=first.team_id,
        previous_parent_team_name=first.team_name,
        new_parent_team_id=second.team_id,
        new_parent_team_name=second.team_name,
    )
    scenario.set_facts(parent_team_id=second.team_id, parent_team_name=second.team_name)
    scenario.emit("team_members_unassigned", user_ids=members[:1], team_role="agent")
    scenario.emit("team_deleted", team_name=name)


def business_hours_lifetime(scenario: Scenario) -> None:
    """Emit the events of business hours, from creation to deletion."""
    _modified_by_a_supervisor(scenario)
    scenario.set_facts(business_hour_id=opaque_id(scenario.rng))
    scenario.emit(
        "business_hours_created",
        business_hour_name="Été ☀️",
        business_hour_description="June to August",
        timezone="Europe/Paris",
        account_default=False,
        hours=_hours("09:00", "18:00"),
    )
    scenario.wait(20, 60)
    scenario.emit("business_hours_updated", updates={"hours": _hours("08:30", "17:30")})
    scenario.emit(
        "business_hours_updated",
        updates={
            "business_hour_name": "Summer",
            "business_hour_description": "From June",
            "timezone": "Europe/Berlin",
            "account_default": True,
        },
    )
    scenario.wait(20, 60)
    scenario.emit("business_hours_deleted")


def closures_lifetime(scenario: Scenario) -> None:
    """Emit the life of a set of closures from creation to deletion; one recurs, one does not."""
    _modified_by_a_supervisor(scenario)
    once, yearly = opaque_id(scenario.rng), opaque_id(scenario.rng)
    scenario.set_facts(closure_set_id=opaque_id(scenario.rng))
    closures = (
        _closure(scenario, once, name="Moving house", in_days=60),
        _closure(scenario, yearly, name="New Year", in_days=90) | recurring,
    )
    scenario.emit(
        "closure_created",
        closure_set_name="Ferien",
        closure_set_description="Public holidays",
        timezone="Europe/Berlin",
        account_default=False,
        closures=list(closures),
    )
    scenario.wait(20, 60)
    moved = _closure(scenario, once, name="Moving house, take two", in_days=67)
    scenario.emit("closure_updated", updates={"closures": [moved]})
    scenario.emit("closure_updated", updates={"closures": [{"closure_id": yearly} | recurring]})
    scenario.emit(
        "closure_updated",
        updates={
            "closure_set_name": "Vacances",
            "closure_set_description": "All holidays",
            "timezone": "Europe/Paris",
            "account_default": True,
        },
    )
    scenario.wait(20, 60)
    scenario.emit("closure_deleted")


def asset_lifetime(scenario: Scenario) -> None:
    """Emit the life of a sound from creation to the archive, out of it, and to its deletion."""
    _modified_by_a_supervisor(scenario)
    rng = scenario.rng
    first, second, category = opaque_id(rng), opaque_id(rng), opaque_id(rng)
    name = f"Welcome {scenario.number} 🎵"
    scenario.set_facts(asset_id=opaque_id(rng), category_id=category)
    scenario.emit(
        "asset_created",
        asset_name=name,
        asset_description="Played at the start",
        asset_type="audio",
        asset_language_code="en-US",
        asset_items=[_asset_item(first, "en-US")],
        category_name="Greetings",
    )
    scenario.wait(5, 40)
    for updates in (
        {"asset_name": f"{name} v2", "asset_description": "Recorded again"},
        {"asset_item_added": [_asset_item(second, "es-ES")], "category_id": opaque_id(rng)},
        {"asset_item_updated": [_asset_item(first, "en-GB")]},
        {"asset_item_deleted": [{"asset_item_id": second, "asset_item_name": "es-ES"}]},
    ):
        scenario.wait(2, 20)
        scenario.emit("asset_updated", updates=updates)
    scenario.set_facts(asset_name=f"{name} v2")
    scenario.wait(5, 40)
    scenario.emit("asset_deleted", archived=True, archived_time=to_the_second(scenario.now_ms))
    scenario.wait(5, 40)
    scenario.emit("asset_updated", updates={"restore": True})
    scenario.wait(5, 40)
    scenario.emit("asset_deleted", archived=False)


recurring: Final[dict[str, object]] = {
    "recurring_frequency": 1,
    "recurring_frequency_type": 2,
    "recurring_month": 1,
    "recurring_week_interval": 1,
    "recurring_days_of_week": [2],
}
"""Annually, on the first Monday of January."""


def _queue_changed(scenario: Scenario) -> None:
    rng = scenario.rng
    scenario.emit(
        "queue_inbound_sla_updated",
        updates={
            "service_level_threshold_in_seconds": rng.randint(10, 30),
            "service_level_target_in_percentage": rng.randint(70, 95),
        },
    )
    exclusions = ("short_abandoned_calls", "long_abandoned_calls", "abandoned_quit_engagements")
    scenario.emit(
        "queue_inbound_sla_updated",
        updates={f"service_level_exclude_{what}": True for what in exclusions},
    )
    scenario.emit(
        "queue_operating_hours_updated",
        updates={
            "business_hour_id": opaque_id(rng),
            "business_hour_name": "Été ☀️",
            "account_default_business_hour": False,
        },
    )
    scenario.emit(
        "queue_operating_hours_updated",
        updates={
            "closure_set_id": opaque_id(rng),
            "closure_set_name": "Ferien",
            "account_default_closure_set": True,
        },
    )


def _modified_by_a_supervisor(scenario: Scenario) -> None:
    scenario.set_facts(modified_by=scenario.rng.choice(scenario.company.supervisors).user_id)


def _hours(start_time: str, end_time: str) -> dict[str, object]:
    """Custom hours on weekdays; the others are disabled and have no ranges."""
    times = {"start_time": start_time, "end_time": end_time}
    open_days: list[dict[str, object]] = [
        {"day_of_week": day, "custom_hour_type": 2, "custom_hour_ranges": [times]}
        for day in weekdays
    ]
    closed_days: list[dict[str, object]] = [
        {"day_of_week": day, "custom_hour_type": 0} for day in (1, 7)
    ]
    return {"hour_type": 2, "custom_hours": open_days + closed_days}


def _closure(scenario: Scenario, closure_id: str, *, name: str, in_days: int) -> dict[str, object]:
    midnight_ms = (scenario.now_ms // day_ms + in_days) * day_ms
    return {
        "closure_id": closure_id,
        "closure_name": name,
        "closure_hour_type": 1,
        "start_time": to_the_second(midnight_ms),
        "end_time": to_the_second(midnight_ms + day_ms - 1),
        "recurring_frequency": 0,
    }


def _asset_item(item_id: str, language: str) -> dict[str, object]:
    return {
        "asset_item_id": item_id,
        "asset_item_name": language,
        "asset_item_language": language,
        "is_default": language.startswith("en"),
        "asset_item_file_url": f"{download_origin}/assets/{item_id}.mp3",
        "asset_item_content": "¡Bienvenido!" if language.startswith("es") else "Welcome!",
        "asset_item_voice": "Joanna",
    }
