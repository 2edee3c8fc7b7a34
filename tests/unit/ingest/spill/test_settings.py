import socket

import pytest
from pydantic import ValidationError

from ingest.spill.settings import SpillSettings
from runtime.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SpillSettings.model_fields:
        monkeypatch.delenv(f"ZCC_SPILL_{name}".upper(), raising=False)


def problem(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        SpillSettings(**values)  # type: ignore[arg-type]  # each case is malformed
    return str(caught.value)


def test_nothing_is_spilled_by_default() -> None:
    assert SpillSettings().url == ""


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/a/b", "file:///var/lib/spill"])
def test_buckets_and_folders_are_places(url: str) -> None:
    assert SpillSettings(url=f"{url}/").url == url


@pytest.mark.parametrize(
    "url", ["/var/lib/spill", "file://", "file:///", "file://host/x", "s3://", "s3:///x", "gs://b"]
)
def test_anything_else_is_no_place(url: str) -> None:
    assert "expected s3://bucket/prefix, file:///folder or nothing" in problem(url=url)


@pytest.mark.parametrize("instance", ["a/b", "..", "-a", "a b"])
def test_a_name_that_cannot_be_part_of_a_file_name_is_refused(instance: str) -> None:
    assert "instance" in problem(instance=instance)


def test_a_process_has_the_name_of_its_host_unless_it_is_given_one() -> None:
    assert SpillSettings().instance_name == socket.gethostname()
    assert SpillSettings(instance="pod-1").instance_name == "pod-1"


def test_deadlines_that_together_exceed_what_zoom_waits_are_refused_by_name() -> None:
    settings = SpillSettings(url="file:///spill", deadline_s=1.0)
    settings.require_in_time(produce_deadline_s=1.9)
    with pytest.raises(ConfigurationError, match=r"PRODUCE_DEADLINE_S .* ZCC_SPILL_DEADLINE_S"):
        settings.require_in_time(produce_deadline_s=2.0)


def test_without_a_spill_its_deadline_does_not_matter() -> None:
    SpillSettings(deadline_s=2.9).require_in_time(produce_deadline_s=2.9)
