"""Engagements wait for one question together."""

from processors.outcomes.dataset_queue import DatasetQueue, batch_size, max_engagements


def waiting(count: int) -> DatasetQueue:
    queue = DatasetQueue()
    for number in range(count):
        assert queue.take(f"e{number}") is None
    return queue


def test_the_oldest_are_requested_for_first_and_as_many_as_a_page_holds() -> None:
    queue = waiting(batch_size + 5)
    queue.take("e0")
    batch = queue.next_batch()
    assert batch == [f"e{number}" for number in range(batch_size)]
    assert batch == queue.next_batch(), "nothing is answered yet"


def test_a_row_is_taken_once() -> None:
    queue = waiting(1)
    queue.answered(["e0"], {"e0": {"hold_duration": 1}})
    assert len(queue) == 0
    assert queue.take("e0") == {"hold_duration": 1}
    assert queue.take("e0") is None
    assert queue.next_batch() == ["e0"]


def test_an_engagement_that_the_answer_lacks_waits_a_few_times_behind_the_others() -> None:
    queue = waiting(2)
    queue.answered(["e0"], {})
    assert queue.next_batch() == ["e1", "e0"]
    queue.answered(["e1", "e0"], {})
    assert queue.next_batch() == ["e1", "e0"]
    queue.answered(["e1", "e0"], {})
    assert queue.next_batch() == ["e1"]


def test_rows_that_nobody_requested_for_are_not_kept() -> None:
    queue = waiting(1)
    queue.answered(["e0"], {"e9": {}})
    assert queue.take("e9") is None


def test_neither_waiting_engagements_nor_rows_grow_without_end() -> None:
    queue = waiting(max_engagements)
    assert queue.take("one more") is None
    assert len(queue) == max_engagements
    while batch := queue.next_batch():
        queue.answered(batch, {each: {} for each in batch})
    for number in range(batch_size):
        queue.take(f"later{number}")
    queue.answered(queue.next_batch(), {f"later{number}": {} for number in range(batch_size)})
    assert queue.take("e0") is None, "the oldest row left"
    assert queue.take("later0") == {}
