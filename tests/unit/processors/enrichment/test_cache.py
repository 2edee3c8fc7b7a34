"""What is used stays, what is not makes room."""

from processors.enrichment.cache import CacheEntry, RecentAnswers


def test_the_least_recently_used_makes_room() -> None:
    answers = RecentAnswers[str, str](2)
    answers.put("a", CacheEntry("A", 0.0))
    answers.put("b", CacheEntry("B", 0.0))
    assert answers.get("a") == CacheEntry("A", 0.0)
    answers.put("c", CacheEntry(None, 0.0))
    assert answers.get("b") is None
    assert answers.get("a") == CacheEntry("A", 0.0)
    assert answers.get("c") == CacheEntry(None, 0.0)


def test_putting_again_replaces_and_counts_as_a_use() -> None:
    answers = RecentAnswers[str, str](2)
    answers.put("a", CacheEntry("A", 0.0))
    answers.put("b", CacheEntry("B", 0.0))
    answers.put("a", CacheEntry("A2", 1.0))
    answers.put("c", CacheEntry("C", 0.0))
    assert answers.get("a") == CacheEntry("A2", 1.0)
    assert answers.get("b") is None
