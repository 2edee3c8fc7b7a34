"""Settings of outcomes, as the environment writes them."""

import pytest
from pydantic import ValidationError

from processors.outcomes.component import component
from processors.outcomes.parts import Part
from processors.outcomes.settings import OutcomeSettings


def test_everything_is_requested_for_and_nothing_personal_goes_in_by_default() -> None:
    settings = OutcomeSettings()
    assert settings.requested == frozenset(Part)
    assert settings.allowed == frozenset({"none", "pseudonymous"})


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_OUTCOMES_PARTS", "survey, notes")
    monkeypatch.setenv("ZCC_OUTCOMES_PERSONAL", "personal,sensitive")
    settings = OutcomeSettings()
    assert settings.requested == {Part.DETAILS, Part.SURVEY, Part.NOTES}
    assert settings.allowed == {"none", "pseudonymous", "personal", "sensitive"}


def test_no_other_part_is_a_choice_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_OUTCOMES_PARTS", "")
    assert OutcomeSettings().requested == {Part.DETAILS}


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": "details"},
        {"parts": "surveys"},
        {"personal": "none"},
        {"give_up_s": 0},
        {"budget_part": 0},
        {"budget_part": 1.1},
        {"dataset_interval_s": 0},
        {"remembered_bytes": 1},
        {"flows_mib": 0},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OutcomeSettings.model_validate(wrong)


def test_the_last_attempt_is_not_before_an_engagement_is_given_up() -> None:
    assert sum(component.retry_delays_s) >= OutcomeSettings().give_up_s
