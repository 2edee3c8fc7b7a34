"""Settings of the reference entities that contradict each other are refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from processors.entities.kinds import kinds
from processors.reference.settings import ReferenceSettings


def test_all_entities_are_read_by_default() -> None:
    assert ReferenceSettings().kinds == kinds


def test_entities_are_separated_by_commas_and_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZCC_REFERENCE_ENTITIES", "queue, user,,queue")

    assert ReferenceSettings().entities == ("queue", "user")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"entities": ("user", "agent")}, "unknown entities"),
        ({"entities": ""}, "at least 1"),
        ({"budget_part": 0.2, "changes_budget_part": 0.2}, "together"),
        ({"silent_ttl_s": 0}, "greater than or equal"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ReferenceSettings(**settings)


def test_each_kind_is_read_again_by_how_its_changes_become_known() -> None:
    settings = ReferenceSettings(announced_ttl_s=3, silent_ttl_s=2, rare_ttl_s=1)

    assert settings.ttl_s(kinds["user"]) == 3
    assert settings.ttl_s(kinds["queue"]) == 2
    assert settings.ttl_s(kinds["region"]) == 1
