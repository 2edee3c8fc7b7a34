"""Accounting: what was accepted must be in the topics and in each store."""

from operations.reconcile.accounting import StoredIds, account


def stored(**changes: object) -> StoredIds:
    everything = {
        "accepted": frozenset({"a", "b"}),
        "in_topics": frozenset({"a", "b"}),
        "in_stores": {"postgres": frozenset({"a", "b"}), "object-storage": frozenset({"a", "b"})},
        "dead_lettered": {},
    }
    return StoredIds(**{**everything, **changes})


def test_nothing_is_unaccounted_when_every_place_has_everything() -> None:
    result = account(stored())
    assert result.complete
    assert result.accepted == 2
    assert result.missing == {"topics": (), "postgres": (), "object-storage": ()}


def test_an_event_missing_in_one_store_is_unaccounted_even_if_the_other_has_it() -> None:
    result = account(
        stored(in_stores={"postgres": frozenset({"a"}), "object-storage": frozenset({"a", "b"})})
    )
    assert result.unaccounted == ("b",)
    assert result.missing["postgres"] == ("b",)
    assert result.missing["object-storage"] == ()


def test_an_accepted_event_that_is_in_no_topic_is_unaccounted() -> None:
    result = account(stored(in_topics=frozenset({"a"})))
    assert result.unaccounted == ("b",)
    assert result.missing["topics"] == ("b",)


def test_a_dead_letter_of_a_store_is_not_expected_there_but_still_in_the_other() -> None:
    result = account(
        stored(
            in_stores={"postgres": frozenset({"a"}), "object-storage": frozenset({"a"})},
            dead_lettered={"postgres": frozenset({"b"})},
        )
    )
    assert result.missing["postgres"] == ()
    assert result.missing["object-storage"] == ("b",)
    assert result.unaccounted == ("b",)


def test_a_dead_letter_of_a_processor_is_expected_in_no_store() -> None:
    result = account(
        stored(
            in_stores={"postgres": frozenset({"a"}), "object-storage": frozenset({"a"})},
            dead_lettered={"enrichment": frozenset({"b"})},
        )
    )
    assert result.complete


def test_without_a_ledger_the_topics_are_the_measure() -> None:
    result = account(stored(accepted=None, in_topics=frozenset({"a", "b", "c"})))
    assert result.accepted == 3
    assert result.unaccounted == ("c",)
