"""Who has to make room: the oldest, unless one sender holds more than its share."""

from ipaddress import ip_address

import pytest

from ingest.http.shedding import SheddingQueue, origin_of

here, there = origin_of(ip_address("192.0.2.1")), origin_of(ip_address("192.0.2.2"))


def test_the_oldest_makes_room_for_any_caller() -> None:
    crowd: SheddingQueue[str] = SheddingQueue(16)
    crowd.add("first", here)
    crowd.add("second", there)
    assert crowd.oldest(here) == crowd.oldest(there) == crowd.oldest(None) == "first"


def test_one_sender_with_more_than_its_share_pays_with_its_own_oldest() -> None:
    crowd: SheddingQueue[str] = SheddingQueue(16)
    crowd.add("slow", here)
    for number in range(3):
        crowd.add(f"many {number}", there)
    assert crowd.oldest(there) == "many 0"
    assert crowd.oldest(here) == "slow"


def test_a_lone_newcomer_does_not_pay_for_others_where_few_may_wait() -> None:
    crowd: SheddingQueue[str] = SheddingQueue(1)
    crowd.add("old", there)
    crowd.add("new", here)
    assert crowd.is_over
    assert crowd.oldest(here) == "old"


def test_who_comes_again_is_the_youngest_and_who_has_gone_is_no_error() -> None:
    crowd: SheddingQueue[str] = SheddingQueue(2)
    crowd.add("a", here)
    crowd.add("b", here)
    crowd.add("a", there)
    assert (crowd.oldest(None), len(crowd), crowd.is_over) == ("b", 2, False)
    crowd.discard("b")
    crowd.discard("b")
    assert crowd.oldest(None) == "a"
    crowd.discard("a")
    assert crowd.oldest(None) is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_a_sender_is_an_address_or_a_network_of_ipv6(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001 - a column
    assert (origin_of(ip_address(one)) == origin_of(ip_address(other))) is is_same
