"""What is used stays, what is not makes room."""

from processors.enrichment.cache import Entry, RecentAnswers


def test_the_least_recently_used_makes_room() -> None:
    answers = RecentAnswers[str, str](2)
    answers.put("a", Entry("A", 0.0))
    answers.put("b", Entry("B", 0.0))
    assert answers.get("a") == Entry("A", 0.0)
    answers.put("c", Entry(None, 0.0))
    assert answers.get("b") is None
    assert answers.get("a") == Entry("A", 0.0)
    assert answers.get("c") == Entry(None, 0.0)


def test_putting_again_replaces_and_counts_as_a_use() -> None:
    answers = RecentAnswers[str, str](2)
    answers.put("a", Entry("A", 0.0))
    answers.put("b", Entry("B", 0.0))
    answers.put("a", Entry("A2", 1.0))
    answers.put("c", Entry("C", 0.0))
    assert answers.get("a") == Entry("A2", 1.0)
    assert answers.get("b") is None
