"""The list of components: what each says of itself is true, and nothing else names them."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from operations.components import components, pollers, sources, workers
from operations.lag.group_lag import topics_of_groups
from operations.local.commands import DevstackPart
from operations.topics.specs import deployment_specs
from runtime.component import Component
from runtime.lazy import load
from runtime.settings import KafkaSettings
from schemas.topics import reference_topic, watermark_topic
from zoom.catalogue import find

root = Path(__file__).parents[3]
every_component = pytest.mark.parametrize("component", components, ids=lambda each: each.name)


def test_each_folder_of_processors_and_sinks_has_its_line_in_the_list() -> None:
    folders = {
        str(path.relative_to(root))
        for package in ("processors", "sinks")
        for path in (root / package).rglob("component.py")
    }
    assert folders == set(sources.values())
    assert len(workers) + len(pollers) == len(components)


@every_component
def test_run_takes_the_settings_of_the_component_and_of_every_worker(component: Component) -> None:
    run = load(component.run)
    assert inspect.iscoroutinefunction(run)
    taken = [each.annotation.__name__ for each in inspect.signature(run).parameters.values()]
    own = [each.__name__ for each in component.settings]
    assert taken == [*own, "KafkaSettings", "WorkerSettings"]


@every_component
def test_a_check_takes_the_first_of_the_settings(component: Component) -> None:
    if not component.check:
        return
    check = load(component.check)
    assert inspect.iscoroutinefunction(check)
    (taken,) = inspect.signature(check).parameters.values()
    assert taken.annotation is component.settings[0]


@every_component
def test_its_metrics_are_groups_of_metrics(component: Component) -> None:
    for reference in component.metrics:
        group = vars(type(load(reference))).values()
        assert any(isinstance(each, MetricWrapperBase) for each in group), reference


@every_component
def test_the_operations_that_it_calls_exist(component: Component) -> None:
    assert [find(name).name for name in component.zoom_operations] == [*component.zoom_operations]


@every_component
def test_every_topic_that_it_needs_is_created(component: Component) -> None:
    created = {spec.name for spec in deployment_specs(KafkaSettings().topic_plan)}
    needed = {
        *component.reads(prefix="zcc"),
        *component.writes(prefix="zcc"),
        *component.retry_topics(prefix="zcc"),
        watermark_topic(component.name, prefix="zcc")
        if component.polls
        else component.dead_letter_topic(prefix="zcc"),
    }
    assert needed <= created


def test_lag_knows_every_group_and_all_that_it_reads() -> None:
    groups = topics_of_groups("zcc")
    assert list(groups) == [
        "zcc.reference",
        "zcc.reference-changes",
        "zcc.enrichment",
        "zcc.enrichment-retry",
        "zcc.outcomes",
        "zcc.outcomes-retry",
        "zcc.postgres",
        "zcc.object-storage",
    ]
    assert reference_topic(prefix="zcc") in groups["zcc.postgres"]
    assert groups["zcc.enrichment-retry"] == [
        "zcc.retry.enrichment.10s.v1",
        "zcc.retry.enrichment.1m.v1",
    ]


def test_no_name_of_a_component_stands_in_operations() -> None:
    """Two words mean something else there too: a server of the devstack, and a kind of topic."""
    names = {form for each in components for form in (each.name, each.service)}
    mentions = [
        str(path.relative_to(root))
        for path in sorted((root / "operations").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert set(mentions) == {
        "operations/local/commands.py",
        "operations/reference_docs/topic_pages.py",
    }
    assert DevstackPart.POSTGRES.value in names


def test_settings_of_all_parts_load_no_client_of_another_part() -> None:
    """Each part knows them, to warn of unknown variables; ingest needs no client of Postgres."""
    program = "import sys, operations.settings.unknown; print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = set(finished.stdout.split())
    assert not loaded & {"psycopg", "aiokafka", "obstore", "pyarrow", "aiohttp"}
