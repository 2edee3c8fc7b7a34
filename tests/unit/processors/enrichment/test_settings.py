"""Settings that do not fit together are refused; the message says which variable to change."""

import pytest
from pydantic import ValidationError

from processors.enrichment.settings import EnrichmentSettings
from processors.entities.references import Entity


def test_an_absence_is_not_believed_longer_than_a_name() -> None:
    with pytest.raises(ValidationError, match="ZCC_ENRICHMENT_ABSENT_TTL_S is more than"):
        EnrichmentSettings(absent_ttl_s=61.0, cache_ttl_s=60.0)


def test_entities_and_fields_are_lists_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_ENRICHMENT_ENTITIES", "user, queue")
    monkeypatch.setenv("ZCC_ENRICHMENT_FIELDS", "user.user_email,user.role_id")
    monkeypatch.setenv("ZCC_ENRICHMENT_PERSONAL", "personal")
    names = EnrichmentSettings().event_fields.names
    assert names[Entity.USER] == ("user_email", "role_id")
    assert set(names) == {Entity.USER, Entity.QUEUE}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fields": "user.user_email"}, "user.user_email is personal, which is not allowed"),
        ({"fields": "user.shoe_size"}, "user.shoe_size is no field"),
        ({"entities": "queue", "fields": "user.role_id"}, "user has fields, and is left out"),
        ({"entities": "shoe"}, "entities"),
        ({"personal": "very"}, "personal"),
        ({"mode": "half"}, "mode"),
    ],
)
def test_what_cannot_go_into_events_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        EnrichmentSettings(**changes)  # type: ignore[arg-type]  # as variables give them


def test_by_default_the_display_name_is_the_only_personal_field() -> None:
    fields = EnrichmentSettings().event_fields.names[Entity.USER]
    assert "display_name" in fields
    assert "user_email" not in fields
