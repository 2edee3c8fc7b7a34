"""Teams and their members."""

from sinks.postgres.model.families.team import member, team
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of


def test_a_team_is_what_its_newest_events_say() -> None:
    events = [
        event(
            "team_created",
            team_id="T1",
            team_name="One",
            team_description="First",
            parent_team_id="P1",
            parent_team_name="Parent",
        ),
        event("team_updated", after_s=1, team_id="T1", team_description="The first"),
        event(
            "team_moved",
            after_s=2,
            team_id="T1",
            team_name="One",
            previous_parent_team_id="P1",
            new_parent_team_id="P2",
            new_parent_team_name="Other",
        ),
    ]
    (row,) = rows_of(team, *reversed(events))
    assert row == {
        "team_id": "T1",
        "team_name": "One",
        "team_description": "The first",
        "parent_team_id": "P2",
        "parent_team_name": "Other",
        "created_at": START_MS,
    }


def test_a_deleted_team_stays_so_until_it_is_created_again() -> None:
    deleted = event("team_deleted", after_s=5, team_id="T1", team_name="One")
    updated = event("team_updated", after_s=6, team_id="T1", team_name="Two")
    (row,) = rows_of(team, updated, deleted)
    assert (row["team_name"], row["deleted_at"]) == ("Two", START_MS + 5000)
    again = event("team_created", after_s=7, team_id="T1", team_name="Two")
    (row,) = rows_of(team, again, updated, deleted)
    assert "deleted_at" not in row


def test_each_member_says_in_which_role_it_still_is_one() -> None:
    events = [
        event(
            "team_members_unassigned", after_s=1, team_id="T1", user_ids=["U1"], team_role="agent"
        ),
        event("team_members_assigned", team_id="T1", user_ids=["U1", "U2"], team_role="agent"),
        event("team_members_assigned", team_id="T1", user_ids=["U1"], team_role="supervisor"),
    ]
    rows = rows_of(member, *events)
    assert [(row["user_id"], row["team_role"], row["assigned"]) for row in rows] == [
        ("U1", "agent", False),
        ("U1", "supervisor", True),
        ("U2", "agent", True),
    ]


def test_an_event_that_lacks_a_part_of_a_key_makes_no_row() -> None:
    incomplete = [
        event("team_created", team_name="One"),
        event("team_members_assigned", user_ids=["U1"], team_role="agent"),
        event("team_members_assigned", team_id="T1", user_ids=["U1"]),
        event("team_members_assigned", team_id="T1", team_role="agent"),
    ]
    assert rows_of(team, *incomplete) == []
    assert rows_of(member, *incomplete) == []
