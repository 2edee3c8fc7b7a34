"""The poller publishes what is new of Zoom's lists, and outlives what the lists may do."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from processors.reference.watermark import Waiting, read_watermark
from runtime.values import Record
from schemas.reference_record import ReferenceKey, Snapshot, as_of_ms
from tests.support.reference_account import ReferenceRig, account_id, ids_in, topic, users
from zoom.errors import UnavailableError, ZoomFault, error_of


async def test_a_walk_publishes_each_entity_once_as_of_the_question() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    first_ms, second_ms = _ms(rig, 0.0), _ms(rig, 0.2)

    records = await rig.walk("user")

    assert ids_in(records) == ["ANN", "BOB", "CY"]
    assert records[0].topic == topic
    moments = [as_of_ms(record.headers, timestamp_ms=0) for record in records]
    assert moments == [first_ms, first_ms, second_ms]


async def test_a_second_walk_publishes_only_what_changed() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob")
    await rig.walk("user")
    rig.zoom.lists["list_users"][1] |= {"display_name": "Robert", "status_id": "2"}
    rig.zoom.lists["list_users"][0] |= {"status_id": "3", "last_modified_time": "now"}
    rig.pass_time(6 * 3600)

    assert ids_in(await rig.walk("user")) == ["BOB"]


async def test_the_next_walk_begins_after_the_ttl_of_the_kind() -> None:
    rig = ReferenceRig("user", announced_ttl_s=3600)
    await rig.walk("user")

    rig.pass_time(3599)
    assert not rig.is_due("user")
    rig.pass_time(2)
    assert rig.is_due("user")


async def test_a_restart_continues_a_walk_with_the_page_that_follows() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy", "dan", "eve")
    await rig.step("user")
    rig.poller = rig.new_poller()
    rig.zoom.calls.clear()

    assert ids_in(await rig.walk("user")) == ["CY", "DAN", "EVE"]
    assert rig.zoom.operations() == ["list_users", "list_users"]


async def test_after_fifteen_minutes_a_restart_reads_the_list_from_its_first_page() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    await rig.step("user")
    rig.poller = rig.new_poller()
    rig.pass_time(15 * 60)

    assert ids_in(await rig.walk("user")) == ["CY"]
    assert "next_page_token" not in rig.zoom.calls[1][1]


async def test_a_page_that_was_not_committed_is_read_again() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    await rig.fetch("user")

    assert ids_in(await rig.walk("user")) == ["ANN", "BOB", "CY"]


async def test_so_is_a_later_page_and_that_is_no_repetition() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy", "dan", "eve")
    await rig.step("user")
    await rig.fetch("user")

    assert ids_in(await rig.walk("user")) == ["CY", "DAN", "EVE"]


async def test_a_lookup_confirms_a_deletion_before_it_is_published() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    await rig.walk("user")
    rig.zoom.lists["list_users"] = users("ann", "cy")
    rig.pass_time(6 * 3600)

    records = await rig.walk("user")

    assert ids_in(records, gone=True) == ["BOB"]
    assert rig.known.get(account_id, "user", "BOB") is not None
    assert rig.zoom.operations().count("get_user") == 1


async def test_many_deletions_are_confirmed_a_few_at_a_time() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users(*(f"u{number:02}" for number in range(45)))
    await rig.walk("user")
    rig.zoom.lists["list_users"] = []
    rig.pass_time(6 * 3600)
    await rig.step("user")

    steps = [len((await rig.step("user")).records) for _ in range(4)]

    assert steps == [20, 20, 5, 0]


async def test_an_entity_that_the_list_missed_stays_when_its_lookup_finds_it() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob")
    await rig.walk("user")
    rig.zoom.lists |= {"list_users": users("ann"), "get_user": users("ann", "bob")}
    rig.pass_time(6 * 3600)

    assert await rig.walk("user") == []


async def test_a_walk_that_another_process_began_deletes_nothing() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy", "dan")
    await rig.walk("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    rig.pass_time(6 * 3600)
    await rig.step("user")
    rig.poller = rig.new_poller()

    assert ids_in(await rig.walk("user"), gone=True) == []
    rig.pass_time(6 * 3600)
    assert ids_in(await rig.walk("user"), gone=True) == ["DAN"]


async def test_without_a_lookup_an_entity_is_gone_after_two_walks_that_lacked_it() -> None:
    rig = ReferenceRig("storage_location", page_size=9)
    locations = [{"storage_location_code": code} for code in ("EU", "US")]
    rig.zoom.lists["list_storage_locations"] = locations
    await rig.walk("storage_location")
    rig.zoom.lists["list_storage_locations"] = locations[:1]

    rig.pass_time(86_400)
    assert ids_in(await rig.walk("storage_location"), gone=True) == []
    rig.pass_time(86_400)
    assert ids_in(await rig.walk("storage_location"), gone=True) == ["US"]
    rig.pass_time(86_400)
    assert await rig.walk("storage_location") == []


async def test_an_entity_that_came_back_in_between_stays() -> None:
    rig = ReferenceRig("storage_location", page_size=9)
    both = [{"storage_location_code": code} for code in ("EU", "US")]
    for listed in (both, both[:1], both, both[:1]):
        rig.zoom.lists["list_storage_locations"] = listed
        assert ids_in(await rig.walk("storage_location"), gone=True) == []
        rig.pass_time(86_400)


async def test_a_process_that_was_away_does_not_take_its_walk_for_whole() -> None:
    rig = ReferenceRig("flow_entry_point")
    for channel in ("email", "messaging", "video", "voice"):
        rig.zoom.lists["list_entry_points_of_flows", channel] = [{"entry_id": channel}]
    here, elsewhere = rig.poller, rig.new_poller()
    for _ in range(3):
        for poller, steps in ((here, 3), (elsewhere, 2), (here, 10)):
            rig.poller = poller
            for _ in range(steps):
                if rig.is_due("flow_entry_point"):
                    await rig.step("flow_entry_point")
        rig.pass_time(86_400)

    assert ids_in(rig.records, gone=True) == []


async def test_a_page_that_repeats_ends_the_walk_and_nothing_is_deleted() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy", "dan")
    await rig.walk("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    rig.zoom.next_token = lambda _operation, _start: "again-0"
    rig.pass_time(6 * 3600)

    records = await rig.walk("user")

    assert records == []
    assert _waits(rig, "user") == timedelta(seconds=3600)


async def test_a_token_that_zoom_refuses_begins_the_list_again() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    await rig.step("user")
    rig.zoom.errors["list_users"] = error_of(ZoomFault.REFUSED, "the token is unknown")
    await rig.step("user")
    rig.zoom.errors.clear()

    assert ids_in(await rig.walk("user")) == ["CY"]


async def test_a_list_whose_tokens_zoom_refuses_again_and_again_ends() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    rig.zoom.refuses_tokens = True

    await rig.walk("user")

    assert rig.zoom.operations() == ["list_users"] * 8
    assert _waits(rig, "user") == timedelta(seconds=3600)


async def test_a_state_that_an_older_one_follows_is_published_again_after_a_while() -> None:
    rig = ReferenceRig("user")
    newest = Snapshot(ReferenceKey(account_id, "user", "ANN"), 1000, {"user_id": "ANN"})
    rig.watermarks["corrections"] = None
    await rig.step("corrections")
    assert not rig.is_due("corrections")

    rig.corrections.append(newest)
    rig.pass_time(60)
    assert rig.is_due("corrections")
    await rig.step("corrections")

    assert [(each.key, each.value) for each in rig.records] == [(newest.key.encode(), newest.value)]
    assert not rig.is_due("corrections")


@pytest.mark.parametrize("fault", [ZoomFault.MISSING_SCOPE, ZoomFault.FORBIDDEN, ZoomFault.REFUSED])
async def test_a_list_that_zoom_forbids_waits_is_logged_once_and_halts_no_other(
    fault: ZoomFault,
) -> None:
    rig = ReferenceRig("team", "user", forbidden_retry_s=900)
    rig.zoom.errors["list_teams"] = error_of(fault, "list_teams")
    rig.zoom.lists["list_users"] = users("ann")
    with capture_logs() as logs:
        for _ in range(2):
            await rig.walk("team")
            assert _waits(rig, "team") == timedelta(seconds=900)
            rig.pass_time(900)
        rig.zoom.errors.clear()
        await rig.walk("team")

    assert ids_in(await rig.walk("user")) == ["ANN"]
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]


async def test_credentials_that_zoom_refuses_halt_the_worker() -> None:
    rig = ReferenceRig("user")
    rig.zoom.errors["list_users"] = refused = error_of(ZoomFault.TOKEN_REFUSED, "list_users")

    with pytest.raises(type(refused)):
        await rig.step("user")


async def test_a_day_of_429_costs_no_page_and_the_walk_then_continues() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob", "cy")
    await rig.step("user")
    rig.zoom.errors["list_users"] = error_of(ZoomFault.RATE_LIMITED, "day", retry_after_s=86_400)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await rig.step("user")
        rig.pass_time(8 * 3600)
    rig.zoom.errors.clear()

    assert ids_in(await rig.walk("user")) == ["CY"]


async def test_a_webhook_between_question_and_answer_wins() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann")
    deleted = _written(rig, "ANN", None, 0.1)
    rig.zoom.during = lambda: rig.known.take([deleted])

    assert await rig.walk("user") == []


async def test_an_older_answer_that_is_published_nevertheless_brings_nothing_back() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann")
    fetched = await rig.fetch("user")
    rig.known.take([_written(rig, "ANN", None, -0.1)])

    rig.commit("user", fetched)

    assert ids_in(rig.records) == ["ANN"]
    assert rig.known.ids(account_id, "user") == []


async def test_an_entity_that_changed_after_the_walk_began_is_not_looked_up() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann", "bob")
    await rig.step("user")
    rig.known.take([_written(rig, "NEW", {"user_id": "NEW"}, 0.1)])

    assert await rig.walk("user") == []
    assert "get_user" not in rig.zoom.operations()


async def test_a_state_of_a_newer_version_is_the_same_if_its_kept_members_are() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = users("ann")
    state = {"user_id": "ANN", "display_name": "ann", "from_the_future": [1]}
    rig.known.take([_written(rig, "ANN", state, -60)])

    assert await rig.walk("user") == []


async def test_an_item_without_an_id_is_skipped() -> None:
    rig = ReferenceRig("user")
    rig.zoom.lists["list_users"] = [{"display_name": "nobody"}, *users("ann")]

    assert ids_in(await rig.walk("user")) == ["ANN"]


def _written(rig: ReferenceRig, id_: str, state: object, after_s: float) -> Record:
    """A record of another writer, as of some seconds from now."""
    snapshot = Snapshot(ReferenceKey(account_id, "user", id_), _ms(rig, after_s), state)  # type: ignore[arg-type]  # a dict or None
    return Record(topic, snapshot.key.encode(), snapshot.value, snapshot.headers)


def _ms(rig: ReferenceRig, after_s: float) -> int:
    """Epoch milliseconds of the rig's start, or some seconds after it; below 0: before now."""
    return round((rig.clock.now().timestamp() + after_s) * 1000)


def _waits(rig: ReferenceRig, entity: str) -> timedelta:
    mark = read_watermark(rig.watermarks[entity])
    assert mark is not None
    assert isinstance(mark.phase, Waiting)
    return mark.phase.until - rig.clock.now()
