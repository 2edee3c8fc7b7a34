"""Write the reference pages that follow from the code: `python -m operations.reference`.

A test compares the committed pages with what this would write.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from ingest.settings import IngestSettings
from operations.components import workers
from processors.enrichment.settings import EnrichmentSettings
from runtime import telemetry
from runtime.settings import KafkaSettings, WorkerSettings
from schemas.topics import TopicPlan, topic_specs
from simulator.settings import SimulatorSettings
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.settings import PostgresSettings
from zoom.settings import ZoomSettings

all_settings: Final[tuple[type[BaseSettings], ...]] = (
    KafkaSettings,
    WorkerSettings,
    IngestSettings,
    ZoomSettings,
    EnrichmentSettings,
    PostgresSettings,
    ObjectStorageSettings,
    SimulatorSettings,
)

folder: Final = Path(__file__).parent.parent / "docs" / "reference"


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    """Yield (environment variable, default, description) of a settings class."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else _default(field.get_default())
        yield f"{prefix}{name}".upper(), default, field.description or ""


def settings_page() -> str:
    """Return the page of all settings."""
    lines = [
        "# Settings",
        "",
        "Everything is set by environment variables and checked at the start: what is wrong is",
        "named in one line, and the exit code is 2. Lists and mappings are JSON.",
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
        f"| `{found.name}` | {found.kind} | {', '.join(found.labels)} | {found.meaning} |"
        for found in telemetry.catalogue()
    ]
    return "\n".join(lines) + "\n"


def topics_page() -> str:
    """Return the page of all topics, with the default settings."""
    plan: TopicPlan = KafkaSettings.model_construct().topic_plan
    lines = [
        "# Topics",
        "",
        "With the default settings; `zcc topics apply` makes them so, `zcc topics check` compares.",
        "",
        "| topic | partitions | cleanup | retention |",
        "|---|---|---|---|",
    ]
    for spec in topic_specs(plan, workers):
        days = f"{spec.retention_ms // 86_400_000} days" if spec.retention_ms >= 0 else "for ever"
        lines.append(f"| `{spec.name}` | {spec.partitions} | {spec.cleanup} | {days} |")
    return "\n".join(lines) + "\n"


pages: Final = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "topics.md": topics_page,
}


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"`{value}`" if value not in ("", None) else "empty"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    for name, page in pages.items():
        folder.joinpath(name).write_text(page())
