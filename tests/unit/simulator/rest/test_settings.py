"""The faults of the start come from the settings."""

from pathlib import Path
from random import Random
from typing import get_args

import pytest
from pydantic import SecretStr, ValidationError

from simulator.faults import Corruption, Faults
from simulator.rest import faults
from simulator.settings import SimulatorSettings


def settings_with(**changes: object) -> SimulatorSettings:
    secrets = {"secret": SecretStr("s"), "client_secret": SecretStr("c")}
    return SimulatorSettings.model_validate(secrets | changes)


def test_nothing_goes_wrong_by_default() -> None:
    assert settings_with().first_faults == Faults()


def test_faults_are_given_as_json_or_in_a_file(tmp_path: Path) -> None:
    expected = Faults.model_validate({"outage": True, "faults": [{"kind": "html", "requests": 2}]})
    text = expected.model_dump_json()
    file = tmp_path / "faults.json"
    file.write_text(text)
    assert settings_with(rest_faults=text).first_faults == expected
    assert settings_with(rest_faults=f" {text}").first_faults == expected
    assert settings_with(rest_faults=str(file)).first_faults == expected


def test_faults_stand_above_the_single_settings_and_leave_the_others() -> None:
    text = '{"latency_s": 2, "error_rate": 0}'
    faults = settings_with(
        rest_faults=text, rest_latency_s=1.0, rest_error_rate=0.5, rest_limited_rate=0.25
    ).first_faults
    assert (faults.latency_s, faults.error_rate, faults.limited_rate) == (2.0, 0.0, 0.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "ZCC_SIMULATOR_REST_FAULTS: .*JSON"),
        ('{"faults": [{"kind": "x"}]}', r"ZCC_SIMULATOR_REST_FAULTS: faults\.0\.kind"),
        ('{"error_rate": 0.7, "limited_rate": 0.7}', "ZCC_SIMULATOR_REST_FAULTS: .*at most 1"),
        ("/no/such/file", "ZCC_SIMULATOR_REST_FAULTS: expected JSON or a file"),
    ],
)
def test_faults_that_make_no_sense_are_refused_by_the_settings_name(
    text: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        settings_with(rest_faults=text)


def test_rates_that_exclude_each_other_only_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="together at most 1"):
        settings_with(rest_faults='{"error_rate": 0.7}', rest_limited_rate=0.7)


def test_a_latency_that_would_be_negative_is_refused_wherever_it_is_set() -> None:
    with pytest.raises(ValidationError, match="LATENCY_SPREAD_S"):
        settings_with(rest_latency_s=0.1, rest_latency_spread_s=0.2)
    with pytest.raises(ValidationError, match="latency_spread_s: at most latency_s"):
        settings_with(rest_faults='{"latency_spread_s": 0.2}', rest_latency_s=0.3)


def test_latencies_lie_within_their_spread_and_differ() -> None:
    requested = Faults(latency_s=0.2, latency_spread_s=0.15)
    active = faults.ActiveFaults(requested, Random(1))
    waits_s = [active.latency_s() for _ in range(200)]
    assert 0.05 <= min(waits_s) < 0.1
    assert 0.3 < max(waits_s) <= 0.35


def test_every_corruption_of_an_answer_is_implemented() -> None:
    assert set(get_args(Corruption)) == set(faults._corruptions)
