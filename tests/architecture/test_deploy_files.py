"""Compose, image, manifests, dashboard and alerts name only what exists."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from operations.cli import app
from operations.command_group import UnloadedCommand
from operations.components import components
from operations.reference_docs.command import all_settings, variables
from operations.reference_docs.metric_catalogue import catalogue
from simulator.company import make_company
from tests.support import containers as test_containers
from tests.support.alert_cases.every import every_case

root = Path(__file__).parents[2]
deploy = root / "deploy"
suffix = r"_(bucket|sum|count)$"
compose = yaml.safe_load((root / "docker-compose.yml").read_text())
own_services = {
    name: service
    for name, service in compose["services"].items()
    if service["image"].startswith("zcc")
}
manifests = {
    path.name: list(yaml.safe_load_all(path.read_text()))
    for path in sorted((deploy / "kubernetes" / "base").glob("*.yaml"))
    if path.name != "kustomization.yaml"
}
workloads = [
    document
    for documents in manifests.values()
    for document in documents
    if document["kind"] in {"Deployment", "StatefulSet", "Job", "CronJob"}
]
known_variables = {name for settings in all_settings for name, _, _ in variables(settings)}


def is_command(words: list[str]) -> bool:
    """Whether `zcc` would run this, as far as its words go."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while (commands := getattr(command, "commands", None)) is not None:
        if not rest or rest[0] not in commands:
            return False
        command = commands[rest.pop(0)]
        if isinstance(command, UnloadedCommand):
            command = command.load()
    try:
        command.make_context(words[0], rest)
    except typer.BadParameter:
        return False
    return True


def pod_of(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = workload["spec"]
    pods: Mapping[str, Any] = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
    pod: Mapping[str, Any] = pods["template"]["spec"]
    return pod


def containers() -> Iterator[Mapping[str, Any]]:
    for workload in workloads:
        yield from pod_of(workload)["containers"]


@pytest.mark.parametrize("name", own_services)
def test_every_service_of_compose_runs_a_command_of_zcc(name: str) -> None:
    assert is_command(own_services[name]["command"])


@pytest.mark.parametrize("name", own_services)
def test_every_setting_in_compose_exists(name: str) -> None:
    assert set(own_services[name].get("environment", {})) <= known_variables


@pytest.mark.parametrize("name", own_services)
def test_every_part_accepts_its_settings_in_compose(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = own_services[name]["environment"]
    for variable in known_variables - set(environment):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    for settings in all_settings:
        if any(variable in environment for variable, _, _ in variables(settings)):
            settings()


def test_enrichment_asks_for_the_account_that_the_simulator_plays() -> None:
    seed = int(own_services["simulator"]["environment"]["ZCC_SIMULATOR_SEED"])
    account_id = own_services["enrichment"]["environment"]["ZCC_ZOOM_ACCOUNT_ID"]
    assert account_id == make_company(seed).account_id


def test_each_image_of_ours_is_built_by_one_service() -> None:
    built = [service["image"] for service in own_services.values() if "build" in service]
    assert sorted(built) == sorted({service["image"] for service in own_services.values()})


def test_compose_and_tests_run_the_same_versions() -> None:
    images = {service["image"] for service in compose["services"].values()}
    assert {
        test_containers.KAFKA_IMAGE,
        test_containers.POSTGRES_IMAGE,
        test_containers.S3_IMAGE,
    } <= images


def test_compose_runs_every_part() -> None:
    commands = {tuple(service["command"]) for service in own_services.values()}
    assert {
        ("ingest",),
        *(component.command for component in components),
        ("monitor",),
        ("simulate",),
        ("topics", "apply"),
        ("migrate",),
    } == commands


def test_a_command_that_does_not_exist_is_recognised() -> None:
    assert not is_command(["sink", "oracle"])
    assert not is_command(["topics"])
    assert not is_command(["drink"])


@pytest.mark.parametrize("container", list(containers()), ids=lambda c: c["name"])
def test_every_container_runs_a_command_of_zcc(container: Mapping[str, Any]) -> None:
    assert is_command(container["args"])


@pytest.mark.parametrize("name", manifests)
def test_manifests_are_valid_for_kubernetes(name: str) -> None:
    for document in manifests[name]:
        kubernetes_validate.validate(document, "1.33", strict=True)


def test_every_setting_in_the_manifests_exists() -> None:
    (settings,) = manifests["settings.yaml"]
    assert set(settings["data"]) <= known_variables


def test_the_page_lists_every_secret_that_a_pod_needs_with_settings_that_exist() -> None:
    page = (deploy.parent / "docs" / "how-to" / "deploy.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `zcc-secrets-")]
    listed = {name for line in rows for name in re.findall(r"zcc-secrets-[a-z-]+", line)}
    used = {
        source["secretRef"]["name"]
        for container in containers()
        for source in container.get("envFrom", ())
        if not source.get("secretRef", {"optional": True}).get("optional")
    }
    assert used <= listed
    assert set(re.findall(r"ZCC_[A-Z_]+[A-Z]", "".join(rows))) <= known_variables


def test_the_kustomization_lists_every_manifest() -> None:
    base = yaml.safe_load((deploy / "kubernetes" / "base" / "kustomization.yaml").read_text())
    assert set(base["resources"]) == set(manifests)


def test_ingest_has_probes_and_a_disruption_budget() -> None:
    by_kind = {document["kind"]: document for document in manifests["ingest.yaml"]}
    (container,) = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert by_kind["PodDisruptionBudget"]["spec"]["minAvailable"] == 1


def test_no_workload_runs_as_root_or_may_write_its_image() -> None:
    for workload in workloads:
        assert pod_of(workload)["securityContext"]["runAsNonRoot"]
    for container in containers():
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_the_image_copies_every_shipped_package_and_runs_without_rights() -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    project = tomllib.loads((root / "pyproject.toml").read_text())
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    product = dockerfile.split("AS product")[1].split("\nFROM")[0]
    assert "USER 10001" in product
    assert dockerfile.rstrip().endswith("FROM product")


def test_the_base_image_and_what_builds_on_it_are_pinned() -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=\S+@sha256:[0-9a-f]{64}$", dockerfile, re.MULTILINE)
    lock = tomllib.loads((root / "uv.lock").read_text())
    (uv,) = (package for package in lock["package"] if package["name"] == "uv")
    files = [uv["sdist"], *uv["wheels"]]
    _, pinned, *hashes = (deploy / "uv.txt").read_text().replace(" \\\n", "\n").splitlines()
    assert pinned == f"uv=={uv['version']}"
    assert [line.strip() for line in hashes] == [f"--hash={file['hash']}" for file in files]


def test_the_build_is_sent_what_it_copies_and_no_more() -> None:
    dockerfile = (deploy / "Dockerfile").read_text()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    ignored, *others = [
        line
        for line in (root / ".dockerignore").read_text().splitlines()
        if not line.startswith("#")
    ]
    let_through = {line.removeprefix("!") for line in others if line.startswith("!")}
    assert ignored == "*"
    assert let_through == {path for line in copies for path in line.split()}


def queries() -> Iterator[tuple[str, str]]:
    for path in sorted((deploy / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]
    alerts = yaml.safe_load((deploy / "prometheus" / "alerts.yml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_dashboards_and_alerts_ask_for_metrics_that_exist(where: str, query: str) -> None:
    labels = {entry.name: set(entry.labels) for entry in catalogue()}
    for name, selector in re.findall(r"\b(zcc_[a-z_]+)(?:\{([^}]*)\})?", query):
        metric = re.sub(suffix, "", name)
        assert metric in labels, where
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= labels[metric], where


def test_what_alerts_are_tried_on_has_the_labels_of_the_metrics() -> None:
    """An alert that sums by a label that no sample has says of nobody what has happened."""
    labels = {entry.name: set(entry.labels) for entry in catalogue()}
    for case in every_case:
        for series in case.series:
            name, _, selector = series.partition("{")
            own = set(re.findall(r"(\w+)=", selector)) - {"job", "instance"}
            assert not name.startswith("zcc_") or own <= labels[re.sub(suffix, "", name)], case


monitoring = {
    path.name: yaml.safe_load(path.read_text())
    for path in sorted((deploy / "kubernetes" / "monitoring").glob("*.yaml"))
}


def test_the_objects_for_monitoring_are_listed_and_valid() -> None:
    listed = monitoring["kustomization.yaml"]["resources"]
    assert {*listed, "kustomization.yaml"} == set(monitoring)
    kubernetes_validate.validate(monitoring["dashboard.yaml"], "1.33", strict=True)


def test_the_rules_of_the_operator_are_those_of_the_plain_file() -> None:
    rules = yaml.safe_load((deploy / "prometheus" / "alerts.yml").read_text())
    assert monitoring["prometheus-rule.yaml"]["spec"] == rules


def test_the_dashboard_of_the_sidecar_is_the_plain_file() -> None:
    config_map = monitoring["dashboard.yaml"]
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    dashboard = json.loads((deploy / "grafana" / "dashboards" / "overview.json").read_text())
    assert json.loads(config_map["data"]["zcc-overview.json"]) == dashboard


def test_the_dashboard_asks_the_data_source_that_was_chosen() -> None:
    dashboard = json.loads((deploy / "grafana" / "dashboards" / "overview.json").read_text())
    (variable,) = dashboard["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${datasource}"}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_every_deployment_is_scraped() -> None:
    """By the operator's object and by annotations, both on the port that serves the metrics."""
    spec = monitoring["pod-monitor.yaml"]["spec"]
    (expression,) = spec["selector"]["matchExpressions"]
    (endpoint,) = spec["podMetricsEndpoints"]
    deployments = [each for each in workloads if each["kind"] == "Deployment"]
    for deployment in deployments:
        template = deployment["spec"]["template"]
        assert template["metadata"]["labels"][expression["key"]] in expression["values"]
        (container,) = template["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        annotations = template["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        assert annotations["prometheus.io/port"] == str(ports[endpoint["port"]])
    assert len(expression["values"]) == len(deployments)


def test_compose_scrapes_every_part_of_it() -> None:
    config = yaml.safe_load((deploy / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (static,) = job["static_configs"]
    scraped = {target.partition(":")[0] for target in static["targets"]}
    assert scraped == {
        name
        for name, service in own_services.items()
        if service["command"][0] in {"ingest", "processor", "sink", "monitor"}
    }


pages = ("docs/how-to/monitor.md",)


@pytest.mark.parametrize("page", pages)
def test_every_block_of_yaml_on_the_page_can_be_read(page: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (root / page).read_text(), re.DOTALL)
    assert len(blocks) > 3
    for block in blocks:
        assert isinstance(yaml.safe_load(block), dict)
