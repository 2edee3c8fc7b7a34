"""The manifest of ingest fits how ingest uses cores and memory, and how it ends."""

from pathlib import Path
from typing import Any

import yaml

from ingest.settings import IngestSettings

root = Path(__file__).parents[2]
publisher_close_s = 3.0
most_of_a_process_mib = 150
parent_mib = 60

(deployment,) = (
    document
    for document in yaml.safe_load_all((root / "deploy/kubernetes/base/ingest.yaml").read_text())
    if document["kind"] == "Deployment"
)
pod: Any = deployment["spec"]["template"]["spec"]
(container,) = pod["containers"]
workers = int(container["args"][container["args"].index("--workers") + 1])


def default_of(setting: str) -> float:
    default = IngestSettings.model_fields[setting].default
    assert isinstance(default, int | float)
    return default


def test_there_is_one_process_per_core_of_the_limit() -> None:
    assert workers == int(container["resources"]["limits"]["cpu"])


def test_the_memory_is_enough_for_all_processes_and_their_parent() -> None:
    limit_mib = int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
    assert limit_mib >= workers * most_of_a_process_mib + parent_mib


def test_the_pod_may_take_the_time_that_draining_needs() -> None:
    pre_stop_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = default_of("unready_s") + default_of("drain_timeout_s") + publisher_close_s
    assert pod["terminationGracePeriodSeconds"] > pre_stop_s + drain_s
