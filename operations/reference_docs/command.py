"""Writes the files that follow from code and records.

Run it as `python -m operations.reference_docs.command`. It writes the reference pages, the AsyncAPI
document, and the files of the components in ``deploy/``. A test compares the committed files with
its output.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode

from operations.components import components, pollers, sources, workers
from operations.doctor.scopes import scopes_page
from operations.reference_docs.api_page import zoom_api_page
from operations.reference_docs.component_files import (
    component_table,
    generated_mark,
    manifest,
    with_compose_services,
    with_lines,
)
from operations.reference_docs.metric_catalogue import catalogue
from operations.reference_docs.monitoring_objects import dashboard_config_map, prometheus_rule
from operations.reference_docs.table_page import tables_page
from operations.reference_docs.topic_pages import shown_retention, shown_topic, topic_pages
from operations.settings.unknown import product_settings
from runtime.settings import KafkaSettings
from schemas.asyncapi import asyncapi_text
from schemas.topics.records import topic_records
from schemas.topics.specs import partition_count
from simulator.settings import SimulatorSettings
from sinks.postgres.migrate import migration_sql
from zoom.catalogue import operations

all_settings: Final[tuple[type[BaseSettings], ...]] = (*product_settings, SimulatorSettings)

root: Final = Path(__file__).parents[2]

_manifests: Final = "deploy/kubernetes/base"
_topic_pages: Final = "docs/reference/topics"

_plan: Final = KafkaSettings.model_construct().topic_plan
"""The topics with the default settings."""


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    """Yield (environment variable, default, description) of a settings class."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else _default(field)
        yield f"{prefix}{name}".upper(), default, field.description or ""


def settings_page() -> str:
    """Return the page of all settings."""
    lines = [
        "# Settings",
        "",
        "Environment variables set everything. Each process checks them at its start; on a mistake",
        "it names the variable in one line and exits with 2. Lists and mappings are JSON.",
    ]
    for settings in all_settings:
        lines += ["", f"## {_first_line(settings.__doc__)}", ""]
        lines += ["| variable | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {default} | {text} |" for name, default, text in variables(settings)
        ]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Return the page of all metrics."""
    lines = ["# Metrics", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{entry.name}` | {entry.kind} | {', '.join(entry.labels)} | {entry.meaning} |"
        for entry in catalogue()
    ]
    return "\n".join(lines) + "\n"


def topics_page() -> str:
    """Return the page of all topics, with the default settings."""
    lines = [
        "# Topics",
        "",
        "With the default settings; `zcc topics apply` makes them so, `zcc topics check` compares.",
        "Each topic has a record in `schemas/topics`, from which this page, the pages that it",
        "links to and the [AsyncAPI document](../../schemas/asyncapi.yaml) follow.",
        "[How to consume them](../how-to/consume.md).",
        "",
        "| topic | partitions | cleanup | retention | largest record |",
        "|---|---|---|---|---|",
    ]
    for record in topic_records():
        name = f"[`{shown_topic(record, _plan)}`](topics/{record.short_name}.md)"
        partitions = partition_count(record, _plan)
        largest = f"{record.max_message_bytes / 1024 / 1024:g} MiB"
        kept = shown_retention(record, _plan)
        lines.append(f"| {name} | {partitions} | {record.cleanup} | {kept} | {largest} |")
    lines += ["", "## Processors and sinks", ""]
    lines += component_table(components, prefix=_plan.prefix)
    return "\n".join(lines) + "\n"


def generated() -> Iterator[tuple[str, str]]:
    """Yield (path from the root, text) of all that is written."""
    yield "docs/reference/settings.md", settings_page()
    yield "docs/reference/metrics.md", metrics_page()
    yield "docs/reference/topics.md", topics_page()
    for name, page in topic_pages(_plan):
        yield f"{_topic_pages}/{name}", page
    yield "docs/reference/tables.md", tables_page(migration_sql())
    yield "docs/reference/zoom-api.md", zoom_api_page(operations())
    yield "docs/reference/zoom-scopes.md", scopes_page()
    yield "schemas/asyncapi.yaml", asyncapi_text(_plan, workers, pollers=pollers)
    alerts, dashboard = "deploy/prometheus/alerts.yml", "deploy/grafana/dashboards/overview.json"
    rule = prometheus_rule((root / alerts).read_text(), source=alerts)
    yield "deploy/kubernetes/monitoring/prometheus-rule.yaml", rule
    shown = (root / dashboard).read_text()
    config_map = dashboard_config_map(shown, source=dashboard, name="zcc-overview.json")
    yield "deploy/kubernetes/monitoring/dashboard.yaml", config_map
    yield from _files_of_components()


def _files_of_components() -> Iterator[tuple[str, str]]:
    for each in components:
        yield f"{_manifests}/{each.service}.yaml", manifest(each, source=sources[each.name])
    compose = "docker-compose.yml"
    yield compose, with_compose_services((root / compose).read_text(), components)
    lists = {
        f"{_manifests}/kustomization.yaml": "- {}.yaml",
        "deploy/kubernetes/monitoring/pod-monitor.yaml": "- zcc-{}",
        "deploy/prometheus/prometheus.yml": "- {}:9100",
    }
    for path, line in lists.items():
        lines = [line.format(each.service) for each in components]
        yield path, with_lines((root / path).read_text(), lines)


def left_over() -> Iterator[Path]:
    """Yield generated manifests and pages of topics that nothing generates any more."""
    now = {root / path for path, _ in generated()}
    for path in sorted((root / _manifests).iterdir()):
        if path not in now and path.read_text().startswith(generated_mark):
            yield path
    yield from (path for path in sorted((root / _topic_pages).iterdir()) if path not in now)


def _default(field: FieldInfo) -> str:
    """Return the default as the variable would be set to it."""
    value: object = field.get_default()
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    elif isinstance(value, tuple):
        is_split = NoDecode in field.metadata
        value = ",".join(value) if is_split else json.dumps(value)
    return f"`{value}`" if value not in ("", None) else "empty"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    for name, text in generated():
        root.joinpath(name).parent.mkdir(exist_ok=True)
        root.joinpath(name).write_text(text)
    for path in left_over():
        path.unlink()
