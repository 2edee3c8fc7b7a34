"""What is compared decides what is news; an alias of another entity is not the entity."""

from datetime import UTC, datetime

from processors.entities.kinds import kinds
from processors.reference.news import Account, epoch_ms
from tests.support.reference_account import Held, KnownInMemory

user, queue = kinds["user"], kinds["queue"]
now = datetime(2026, 1, 1, tzinfo=UTC)
now_ms = epoch_ms(now)


def account_with(id_: str, held: Held, entity: str = "user") -> Account:
    known = KnownInMemory()
    known.held["acc", entity, id_] = held
    return Account("acc", known)


def test_an_unknown_entity_is_news() -> None:
    snapshot = Account("acc", KnownInMemory()).news(user, "A", {"user_id": "A"}, now)

    assert snapshot is not None
    assert (snapshot.key, snapshot.as_of_ms) == (("acc", "user", "A"), now_ms)


def test_an_entity_that_was_gone_is_news() -> None:
    account = account_with("A", Held(now_ms - 1, None))

    assert account.news(user, "A", {"user_id": "A"}, now) is not None


def test_of_one_moment_the_known_state_stays_and_a_deletion_counts() -> None:
    account = account_with("A", Held(now_ms, {"user_id": "A"}))

    assert account.news(user, "A", {"user_id": "A", "display_name": "B"}, now) is None
    assert account.gone(user, "A", now_ms) is not None


def test_an_entity_that_is_known_to_be_gone_is_not_deleted_again() -> None:
    assert account_with("A", Held(0, None)).gone(user, "A", now_ms) is None


def test_an_older_deletion_is_no_news() -> None:
    assert account_with("A", Held(now_ms, {"user_id": "A"})).gone(user, "A", now_ms - 1) is None


def test_another_entity_with_this_alias_says_nothing() -> None:
    account = account_with("old", Held(now_ms + 1, {"cc_queue_id": "Q"}), "queue")

    assert account.held(queue, "old") is None
    assert account.own_id(queue, "old") == "Q"
    assert account.own_id(queue, "unknown") == "unknown"
