"""What the runners of an assignment may take: nothing stays while one of them waits."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from runtime.handlers.ready_queue import ReadyQueue
from tests.support.fakes.simulated_time import simulate

turn = 0.0
"""Handled without waiting: the runner comes back in the same turn of the loop."""


@given(
    bursts=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), max_size=8),
    takes_s=st.lists(st.sampled_from([turn, 1.0, 100.0]), min_size=1, max_size=8),
    runners=st.integers(1, 12),
)
def test_no_item_stays_while_a_runner_waits(
    bursts: list[tuple[int, int]], takes_s: list[float], runners: int
) -> None:
    queue: ReadyQueue[int] = ReadyQueue()
    taken: list[int] = []
    waiting = 0

    async def run() -> None:
        nonlocal waiting
        while True:
            waiting += 1
            number = await queue.get()
            waiting -= 1
            taken.append(number)
            takes = takes_s[number % len(takes_s)]
            if takes != turn:
                await asyncio.sleep(takes)

    async def main() -> None:
        tasks = [asyncio.ensure_future(run()) for _ in range(runners)]
        count = 0
        for size, pause_s in bursts:
            for number in range(count, count + size):
                queue.put(number)
            count += size
            await asyncio.sleep(pause_s + 0.5)  # all who were woken have run
            assert len(taken) == count or not waiting
        await asyncio.sleep(100 * count + 1)
        assert taken == list(range(count))
        for task in tasks:
            task.cancel()

    simulate(main())


def test_a_runner_that_never_waits_takes_all() -> None:
    queue: ReadyQueue[int] = ReadyQueue()
    turns: list[str] = []

    async def run(name: str) -> None:
        while True:
            turns.append(f"{name} took {await queue.get()}")

    async def main() -> None:
        tasks = [asyncio.ensure_future(run(name)) for name in "abcd"]
        await asyncio.sleep(0)
        for number in range(100):
            queue.put(number)
        for _ in range(9):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    simulate(main())
    (name,) = {turn.split()[0] for turn in turns}
    assert turns == [f"{name} took {number}" for number in range(100)]


def test_the_runners_leave_when_they_are_cancelled() -> None:
    queue: ReadyQueue[int] = ReadyQueue()

    async def main() -> None:
        tasks = [asyncio.ensure_future(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        queue.put(1)  # a late completion, after the end of the assignment
        await asyncio.sleep(0)
        assert all(task.cancelled() for task in tasks)

    simulate(main())
