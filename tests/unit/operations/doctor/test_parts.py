"""What `zcc doctor` reckons with: settings that are set, scopes that are needed, two clocks."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_settings import BaseSettings, SettingsError

from operations.components import components
from operations.doctor.clock_skew import ServerDates, skew_s
from operations.doctor.scopes import needs, scopes_page
from operations.settings.configured import is_configured, suggestions, unknown_variables
from operations.settings.errors import format_json_error
from operations.settings.unknown import product_settings
from processors.enrichment.component import component as enrichment
from processors.enrichment.settings import EnrichmentSettings
from processors.enrichment.zoom_source import ZoomSource
from runtime.settings import KafkaSettings, WorkerSettings
from schemas.reference_record import ReferenceKey
from tests.support.fakes.zoom import ScriptedTransport, VirtualClock, reply
from zoom.errors import UnavailableError
from zoom.messages import Request
from zoom.settings import ZoomSettings

noon = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("requested_s", "answered_s", "expected_s"),
    [
        (0.0, 0.0, 0.0),
        (0.9, 0.9, 0.0),
        (-5.0, 5.0, 0.0),
        (61.0, 62.0, 60.0),
        (-62.0, -60.0, -60.0),
        (-0.4, -0.2, -0.2),
        (1.5, 1.6, 0.5),
    ],
)
def test_a_skew_is_what_the_two_clocks_differ_by_at_least(
    requested_s: float, answered_s: float, expected_s: float
) -> None:
    requested_at, answered_at = (noon + timedelta(seconds=s) for s in (requested_s, answered_s))
    assert skew_s(noon, requested_at, answered_at) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("date", "expected_s"),
    [
        ("Wed, 31 Dec 2025 23:58:59 GMT", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", -60.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
        ("yesterday", None),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999", None),
        ("", None),
    ],
)
async def test_the_date_of_an_answer_tells_the_skew(date: str, expected_s: float | None) -> None:
    transport = ScriptedTransport(reply(200, {}, date=date))
    dates = ServerDates(transport, VirtualClock())
    request = Request("GET", "https://api.example/v2", {})
    assert (await dates.send(request)).status == 200
    assert dates.skew_s == expected_s


def test_a_part_is_configured_where_one_of_its_own_variables_is_set() -> None:
    assert is_configured(KafkaSettings, {"zcc_kafka_topic_prefix": "x"})
    assert not is_configured(KafkaSettings, {"ZCC_KAFKA_TOPICS": "x", "ZCC_WORKER_HEALTH_PORT": ""})


def test_a_setting_that_should_hold_json_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZCC_ZOOM_CALLS_PER_DAY", '{"HEAVY": a-secret')
    with pytest.raises(SettingsError) as caught:
        ZoomSettings()
    assert format_json_error(caught.value, ZoomSettings) == "ZCC_ZOOM_CALLS_PER_DAY: expected JSON"


def test_variables_that_nothing_reads_are_named_but_not_those_of_others() -> None:
    environment = {"ZCC_KAFKA_TOPIC_PREFIX": "", "ZCC_KAFKA_TOPICS": "", "PATH": "", "ZCC_X": ""}
    unknown = unknown_variables([KafkaSettings, WorkerSettings], environment)
    assert unknown == ["ZCC_KAFKA_TOPICS", "ZCC_X"]


def test_variables_that_are_made_by_others_are_no_settings_of_ours() -> None:
    environment = {
        "ZCC_INGEST_SERVICE_HOST": "",
        "ZCC_INGEST_PORT_8080_TCP_ADDR": "",
        "ZCC_METRICS_PLACE": "",
        "ZCC_TEST_STACK": "",
    }
    assert unknown_variables([KafkaSettings], environment) == []


def test_a_variable_that_is_no_setting_is_listed_with_the_most_similar_one() -> None:
    environment = {"ZCC_KAFKA_BOOTSTRAP_SERVER": "", "ZCC_Q": "", "ZCC_KAFKA_TOPIC_PREFIX": ""}
    assert suggestions([KafkaSettings, WorkerSettings], environment) == {
        "ZCC_KAFKA_BOOTSTRAP_SERVER": "ZCC_KAFKA_BOOTSTRAP_SERVERS",
        "ZCC_Q": "",
    }


def with_subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    yield kind
    for each in kind.__subclasses__():
        yield from with_subclasses(each)


def test_the_doctor_examines_the_settings_of_every_part() -> None:
    product = ("ingest", "operations", "processors", "runtime", "sinks", "zoom")
    defined = [
        kind
        for kind in with_subclasses(BaseSettings)
        if kind.__module__.partition(".")[0] in product and kind.model_config.get("env_prefix")
    ]
    assert set(product_settings) == set(defined)


class Recording:
    """A caller that records its calls; its answers have no ids."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> object:
        self.calls.append(operation)
        return {}


async def test_the_needs_of_enrichment_are_what_its_lookups_ask() -> None:
    caller = Recording()
    source = ZoomSource(lambda _: caller, answered=lambda _: None, clock=VirtualClock())
    for entity in EnrichmentSettings().event_fields.entities:
        with suppress(UnavailableError):
            await source.get(ReferenceKey("a", entity, "an-id"))
    assert sorted(enrichment.zoom_operations) == sorted(caller.calls)


def test_the_page_of_scopes_has_the_operations_of_every_component() -> None:
    page = scopes_page()
    called = [(each.name, name) for each in components for name in each.zoom_operations]
    assert called == [(need.component, need.operation.name) for need in needs()]
    for need in needs():
        assert f"| {need.component} | `{need.operation.name}` |" in page
        assert all(f"`{scope}`" in page for scope in need.operation.scopes.all)


def test_one_scope_of_an_operation_is_enough() -> None:
    need = next(iter(needs()))
    first, second = need.operation.scopes.all
    assert need.held({second, "another"}) == (second,)
    assert need.held({first, second}) == (first, second)
    assert need.held({"another"}) == ()
