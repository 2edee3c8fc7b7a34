"""The account's limits follow from its plan, but where Zoom has granted others."""

import pytest
from pydantic import ValidationError

from tests.support.fakes.zoom import zoom_settings
from zoom.limits import Label, Limit
from zoom.settings import ZoomSettings


@pytest.mark.parametrize(
    ("plan", "light", "medium", "heavy"),
    [
        ("pro", Limit(20), Limit(10), Limit(5, 15_000)),
        ("business_plus", Limit(40), Limit(20), Limit(10, 30_000)),
    ],
)
def test_each_plan_has_its_limits(plan: str, light: Limit, medium: Limit, heavy: Limit) -> None:
    expected = {Label.LIGHT: light, Label.MEDIUM: medium, Label.HEAVY: heavy}
    assert zoom_settings(plan=plan).limits == expected


def test_limits_that_zoom_has_granted_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZCC_ZOOM_CALLS_PER_SECOND", '{"HEAVY": 20}')
    monkeypatch.setenv("ZCC_ZOOM_CALLS_PER_DAY", '{"HEAVY": 60000, "LIGHT": 100}')
    for name in ("ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"ZCC_ZOOM_{name}", "any")
    limits = ZoomSettings().limits
    assert limits[Label.HEAVY] == Limit(20, 60_000)
    assert limits[Label.LIGHT] == Limit(20, 100)
    assert limits[Label.MEDIUM] == Limit(10)


@pytest.mark.parametrize(
    "changes",
    [
        {"calls_per_second": {"HEAVY": 0}},
        {"calls_per_day": {"HEAVY": -1}},
        {"calls_per_day": {"HUGE": 1}},
        {"share": 0},
        {"share": 1.1},
        {"backfill_reserve": 1},
        {"plan": "free"},
    ],
)
def test_what_cannot_be_a_limit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        zoom_settings(**changes)
