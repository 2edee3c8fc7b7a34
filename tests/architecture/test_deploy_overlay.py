"""The overlay that the deploy page prints builds, and gives each pod its own secrets alone."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.test_deploy_files import known_variables

root = Path(__file__).parents[2]
page = (root / "docs" / "how-to" / "deploy.md").read_text()
(printed,) = re.findall(r"```yaml\n(# overlays/production/.+?)```", page, re.DOTALL)
secrets = dict(re.findall(r"^\| `(zcc-secrets-[a-z-]+)`[^|]*\| (.+?) \|", page, re.MULTILINE))

Document = Mapping[str, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Document]:
    kustomize = shutil.which("kustomize") or shutil.which(str(root / ".tools/bin/kustomize"))
    if kustomize is None:
        pytest.skip("kustomize is not installed: `make tools` builds it, where Go is")
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copytree(root / "deploy" / "kubernetes" / "base", folder / "base")
    overlay = folder / "overlays" / "production"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text(printed)
    for each in yaml.safe_load(printed)["secretGenerator"]:
        for name in each["envs"]:
            (overlay / name).write_text("ZCC_EXAMPLE=value\n")
    done = subprocess.run(
        [kustomize, "build", str(overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def named(built: Sequence[Document], kind: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in built if each["kind"] == kind}


def secrets_of(workload: Document) -> set[str]:
    spec = workload["spec"]
    pod = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    return {
        source["secretRef"]["name"]
        for container in pod["spec"]["containers"]
        for source in container["envFrom"]
        if "secretRef" in source and not source["secretRef"].get("optional")
    }


def test_every_secret_that_a_pod_needs_is_made_in_its_namespace(
    built: Sequence[Document],
) -> None:
    made = named(built, "Secret")
    assert {each["metadata"]["namespace"] for each in made.values()} == {"zcc"}
    workloads = [
        each for kind in ("Deployment", "Job", "CronJob") for each in named(built, kind).values()
    ]
    needed = set().union(*(secrets_of(each) for each in workloads))
    assert needed == set(made)


def test_what_the_overlay_sets_arrives(built: Sequence[Document]) -> None:
    settings = named(built, "ConfigMap")["zcc-settings"]["data"]
    assert settings["ZCC_KAFKA_BOOTSTRAP_SERVERS"] == "broker-1:9092,broker-2:9092"
    assert settings["ZCC_KAFKA_REPLICATION"] == "3"  # of the base
    pods = [each["spec"]["template"]["spec"] for each in named(built, "Deployment").values()]
    images = {container["image"] for pod in pods for container in pod["containers"]}
    assert images == {"registry.example.com/zcc:0.1.0"}


def test_the_page_lists_every_secret_with_variables_that_exist() -> None:
    manifests = (root / "deploy" / "kubernetes" / "base").glob("*.yaml")
    text = "".join(path.read_text() for path in manifests)
    assert set(secrets) == set(re.findall(r"secretRef: \{name: ([a-z-]+)", text))
    for variables in secrets.values():
        assert set(re.findall(r"`(ZCC_[A-Z_]+)`", variables)) <= known_variables


def test_no_pod_gets_the_secrets_of_another_part() -> None:
    owners: dict[str, set[str]] = {}
    for path in sorted((root / "deploy" / "kubernetes" / "base").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] in {"Deployment", "Job", "CronJob"}:
                for secret in secrets_of(document):
                    owners.setdefault(secret, set()).add(document["metadata"]["name"])
    assert owners == {
        "zcc-secrets-ingest": {"zcc-ingest"},
        "zcc-secrets-enrichment": {"zcc-enrichment"},
        "zcc-secrets-outcomes": {"zcc-outcomes"},
        "zcc-secrets-reference": {"zcc-reference"},
        "zcc-secrets-reference-changes": {"zcc-reference-changes"},
        "zcc-secrets-postgres": {"zcc-sink-postgres"},
        "zcc-secrets-postgres-owner": {"zcc-migrate", "zcc-retention"},
    }


def test_the_policies_admit_webhooks_from_anywhere_and_metrics_from_prometheus() -> None:
    path = root / "deploy" / "kubernetes" / "base" / "network.yaml"
    rules = {
        each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all(path.read_text())
    }
    assert rules["zcc-nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert rules["zcc-webhooks"]["ingress"] == [{"ports": [{"port": "http"}]}]
    (metrics,) = rules["zcc-metrics"]["ingress"]
    assert metrics["ports"] == [{"port": 9100}]
    assert metrics["from"]
