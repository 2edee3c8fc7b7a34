from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.webhooks import send_queue as agenda_module
from simulator.webhooks.send_queue import SendQueue

Group = list[tuple[float, str]]


def agenda_of(groups: list[Group], *, rate_per_s: float = 0.0) -> SendQueue[str]:
    return SendQueue(iter(groups), rate_per_s=rate_per_s, start_s=100.0)


def drained(agenda: SendQueue[str], now_s: float) -> list[str]:
    return list(iter(lambda: agenda.take(now_s), None))


def test_without_a_rate_everything_is_due_at_once_in_the_order_of_the_source() -> None:
    agenda = agenda_of([[(0.0, "a")], [(0.0, "b")], [(0.0, "c")]])
    assert drained(agenda, 100.0) == ["a", "b", "c"]


def test_with_a_rate_events_come_at_even_intervals() -> None:
    agenda = agenda_of([[(0.0, "a")], [(0.0, "b")], [(0.0, "c")]], rate_per_s=4.0)
    assert drained(agenda, 100.0) == ["a"]
    assert agenda.wait_s(100.0) == pytest.approx(0.25)
    assert drained(agenda, 100.24) == []
    assert drained(agenda, 100.5) == ["b", "c"]


def test_a_delayed_item_is_overtaken_by_those_that_are_due_before_it() -> None:
    agenda = agenda_of([[(0.3, "late")], [(0.0, "b")], [(0.0, "c")]], rate_per_s=10.0)
    assert drained(agenda, 100.2) == ["b", "c"]
    assert agenda.wait_s(100.25) == pytest.approx(0.05)
    assert drained(agenda, 100.3) == ["late"]


def test_items_of_one_event_come_in_their_order() -> None:
    agenda = agenda_of([[(0.0, "a"), (0.0, "copy of a")], [(0.0, "b")]])
    assert drained(agenda, 100.0) == ["a", "copy of a", "b"]


def test_what_was_added_again_goes_before_new_events_once_it_is_due() -> None:
    agenda = SendQueue(([(0.0, f"new {n}")] for n in count()), rate_per_s=0.0, start_s=100.0)
    assert agenda.take(100.0) == "new 0"
    agenda.add("again", due_s=105.0)
    assert agenda.take(104.0) == "new 1"
    assert agenda.take(105.5) == "again"


def test_it_is_finished_only_when_nobody_is_out_who_might_add_more() -> None:
    agenda = agenda_of([[(0.0, "a")]])
    assert drained(agenda, 100.0) == ["a"]
    assert not agenda.finished
    assert agenda.wait_s(100.0) is None
    agenda.add("a", due_s=101.0)
    agenda.settled()
    assert not agenda.finished
    assert drained(agenda, 101.0) == ["a"]
    agenda.settled()
    assert agenda.finished


def test_nothing_new_is_read_while_too_much_waits() -> None:
    read = 0

    def endless() -> Iterator[Group]:
        nonlocal read
        while True:
            read += 1
            yield [(60.0, "late")]

    agenda = SendQueue(endless(), rate_per_s=0.0, start_s=0.0)
    assert agenda.take(0.0) is None
    assert read == agenda_module.max_waiting
    assert agenda.wait_s(0.0) == pytest.approx(60.0)


@given(
    st.lists(st.lists(st.floats(0, 10), min_size=1, max_size=3), max_size=20),
    st.sampled_from([0.0, 1.0, 50.0]),
    st.lists(st.floats(0, 2), min_size=1),
)
def test_every_item_comes_out_once_and_never_before_its_time(
    delays: list[list[float]], rate_per_s: float, steps: list[float]
) -> None:
    due = {
        (event, copy): delay_s + (event / rate_per_s if rate_per_s else 0.0)
        for event, group in enumerate(delays)
        for copy, delay_s in enumerate(group)
    }
    source = iter(
        [(delay_s, (event, copy)) for copy, delay_s in enumerate(group)]
        for event, group in enumerate(delays)
    )
    agenda = SendQueue(source, rate_per_s=rate_per_s, start_s=0.0)
    came: list[tuple[int, int]] = []
    now_s, turn = 0.0, 0
    while not agenda.finished:
        item = agenda.take(now_s)
        if item is None:
            wait_s = agenda.wait_s(now_s)
            now_s += max(steps[turn % len(steps)], 0.01) if wait_s is None else wait_s
            turn += 1
            continue
        assert due[item] <= now_s + 1e-9
        came.append(item)
        agenda.settled()
    assert sorted(came) == sorted(due)


def test_nothing_new_is_read_before_the_time_that_the_source_has_reached() -> None:
    reached = [100.0]
    agenda = SendQueue(
        iter([[(0.0, "a")], [(0.0, "b")]]),
        rate_per_s=0.0,
        start_s=100.0,
        reached_s=lambda: reached[0],
    )
    assert agenda.take(100.0) == "a"
    reached[0] = 103.0
    assert agenda.take(102.9) is None
    assert agenda.wait_s(102.5) == pytest.approx(0.5)
    assert agenda.take(103.0) == "b"
