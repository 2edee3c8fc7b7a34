"""Answers to the walk's questions come in the order of the questions."""

from datetime import UTC, datetime

import pytest

from processors.entities.kinds import kinds
from processors.reference.news import Account
from processors.reference.walk import FindPart, ReadPage, Walk
from processors.reference.watermark import Checking, read_watermark
from tests.support.reference_account import KnownInMemory, account_id

now = datetime(2026, 1, 1, tzinfo=UTC)


def walk_of(entity: str) -> Walk:
    return Walk(kinds[entity], Account(account_id, KnownInMemory()), checked_at_once=2)


def test_the_first_question_of_a_list_is_its_first_page() -> None:
    assert walk_of("user").question(None, now) == ReadPage("", "")


def test_the_first_question_of_a_divided_list_is_its_first_part() -> None:
    division = kinds["address_book"].division
    assert division is not None
    assert walk_of("address_book").question(None, now) == FindPart(division, None)


def test_the_same_watermark_gives_the_same_question() -> None:
    walk = walk_of("user")
    walk.question(None, now)
    following = walk.page_read(["A"], "t", now)

    assert walk.question(following, now) == walk.question(following, now) == ReadPage("", "t")


def test_a_page_without_its_question_is_a_defect() -> None:
    walk = walk_of("user")

    with pytest.raises(TypeError):
        walk.page_read([], "", now)


def test_a_divided_list_without_parts_is_read_to_its_end() -> None:
    walk = walk_of("address_book")
    walk.question(None, now)

    mark = read_watermark(walk.part_found(None, now))

    assert mark is not None
    assert mark.phase == Checking(started_at=now)
    assert mark.walked_at == now
