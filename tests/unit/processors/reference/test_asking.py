"""What is read of an entity besides its item in a list: its detail, and lists in parts."""

from datetime import timedelta

from processors.reference.watermark import Waiting, read_watermark
from tests.support.reference_account import ReferenceRig, ids_in
from zoom.errors import ZoomFault, error_of


async def test_detail_is_looked_up_for_each_item_of_a_list() -> None:
    rig = ReferenceRig("queue")
    rig.zoom.lists["list_queues"] = [{"cc_queue_id": "Q", "queue_name": "Sales"}]
    rig.zoom.lists["get_queue"] = [{"cc_queue_id": "Q", "queue_name": "Sales", "wrap_up_time": 30}]

    await rig.walk("queue")

    assert rig.known.states("queue")["Q"]["wrap_up_time"] == 30


async def test_an_entity_that_is_deleted_between_list_and_detail_is_gone() -> None:
    rig = ReferenceRig("queue")
    rig.zoom.lists["list_queues"] = [{"cc_queue_id": "Q"}, {"cc_queue_id": "R"}]
    await rig.walk("queue")
    rig.zoom.lists["get_queue"] = [{"cc_queue_id": "R"}]
    rig.pass_time(3600)

    assert ids_in(await rig.walk("queue"), gone=True) == ["Q"]


async def test_a_divided_list_is_read_for_each_of_its_parts() -> None:
    rig = ReferenceRig("flow_entry_point")
    for channel in ("email", "messaging", "video", "voice"):
        rig.zoom.lists["list_entry_points_of_flows", channel] = [
            {"entry_id": f"{channel}-{n}", "channel": channel} for n in range(3)
        ]

    records = await rig.walk("flow_entry_point")

    assert len(set(ids_in(records))) == len(records) == 12


async def test_contacts_are_read_of_all_address_books_of_all_units() -> None:
    rig = ReferenceRig("address_book_contact")
    rig.zoom.lists["list_address_book_units"] = [{"unit_id": "u1"}, {}, {"unit_id": "u2"}]
    rig.zoom.lists["list_address_books", "u1"] = [{"address_book_id": "b2"}]
    rig.zoom.lists["list_address_books", "u2"] = [{"address_book_id": "b1"}]
    for book in ("b1", "b2"):
        rig.zoom.lists["list_address_book_contacts", book] = [{"contact_id": f"of-{book}"}]

    assert ids_in(await rig.walk("address_book_contact")) == ["of-b1", "of-b2"]


async def test_a_restart_continues_a_divided_list_in_its_part_and_reads_no_part_twice() -> None:
    rig = ReferenceRig("flow_entry_point")
    for channel in ("email", "messaging", "video", "voice"):
        rig.zoom.lists["list_entry_points_of_flows", channel] = [{"entry_id": channel}]
    for _ in range(5):
        await rig.step("flow_entry_point")
    rig.poller = rig.new_poller()
    rig.zoom.calls.clear()

    await rig.walk("flow_entry_point")

    assert [arguments["channel"] for _, arguments in rig.zoom.calls] == ["video", "voice"]


async def test_a_part_that_is_deleted_meanwhile_does_not_end_the_walk() -> None:
    rig = ReferenceRig("address_book")
    rig.zoom.lists["list_address_book_units"] = [{"unit_id": "u1"}]
    await rig.step("address_book")
    rig.zoom.errors["list_address_books"] = error_of(ZoomFault.NOT_FOUND, "no such unit")

    await rig.walk("address_book")

    mark = read_watermark(rig.watermarks["address_book"])
    assert mark is not None
    assert mark.phase == Waiting(until=rig.clock.now() + timedelta(seconds=86_400))


async def test_a_lookup_that_is_refused_or_has_no_id_says_nothing() -> None:
    rig = ReferenceRig("queue")
    rig.zoom.lists["list_queues"] = [{"cc_queue_id": "Q"}]
    rig.zoom.errors["get_queue"] = error_of(ZoomFault.REFUSED, "no id")
    assert await rig.walk("queue") == []
    rig.zoom.errors.clear()
    rig.zoom.strange["get_queue"] = ["no object"]
    rig.pass_time(3600)

    assert await rig.walk("queue") == []
