"""What docs/how-to/apps-and-secrets.md shows can be used as it stands there."""

import re
from pathlib import Path

import pytest
import yaml

from ingest.apps.config import read_apps
from ingest.apps.registry import App
from ingest.settings import IngestSettings
from operations.reference_docs.command import variables
from operations.reference_docs.metric_catalogue import catalogue

root = Path(__file__).parents[4]
page = (root / "docs" / "how-to" / "apps-and-secrets.md").read_text()
examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)


def example(mark: str) -> dict[str, App]:
    """The apps of the only example that says this."""
    (text,) = (text for text in examples if mark in text)
    return {app.name: app for app in read_apps(text)}


@pytest.mark.parametrize("text", examples)
def test_every_example_is_read(text: str) -> None:
    assert list(read_apps(text))


def test_the_examples_show_every_member_of_an_app() -> None:
    assert set(example("of-another")) == {"default", "sales"}
    sales = example('"accounts"')["sales"]
    assert len(sales.secrets) == len(sales.accounts) == 2
    assert {network.version for network in sales.networks} == {4, 6}
    header, basic = sales.credential, example('"basic"')["default"].credential
    assert header is not None
    assert basic is not None
    assert (header.name, basic.name) == (b"x-zoom-webhook-key", b"authorization")


def test_the_rotation_lists_the_new_secret_first() -> None:
    secrets = example('{"default": ["the-new')["default"].secrets
    assert secrets == (b"the-new-secret-token", b"the-old-secret-token")


def test_every_setting_metric_and_alert_that_it_names_exists() -> None:
    known = {name for name, _, _ in variables(IngestSettings)}
    assert set(re.findall(r"ZCC_INGEST_[A-Z_]+[A-Z]", page)) <= known
    metrics = {entry.name for entry in catalogue()}
    assert set(re.findall(r"zcc_[a-z_]+", page)) <= metrics
    alerts = yaml.safe_load((root / "deploy" / "prometheus" / "alerts.yml").read_text())
    names = {rule["alert"] for group in alerts["groups"] for rule in group["rules"]}
    assert set(re.findall(r"\bZcc[A-Za-z]+", page)) <= names


def test_the_manifest_mounts_the_file_that_it_names_into_the_container_there_is() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    patch = yaml.safe_load(text)
    base = root / "deploy" / "kubernetes" / "base" / "ingest.yaml"
    (deployment,) = (
        document
        for document in yaml.safe_load_all(base.read_text())
        if (document["kind"], document["metadata"]) == (patch["kind"], patch["metadata"])
    )
    (container,), (there,) = (
        manifest["spec"]["template"]["spec"]["containers"] for manifest in (patch, deployment)
    )
    assert container["name"] == there["name"]
    (variable,), (mount,) = container["env"], container["volumeMounts"]
    (volume,) = patch["spec"]["template"]["spec"]["volumes"]
    assert variable["name"] == "ZCC_INGEST_APPS_FILE"
    assert Path(variable["value"]).parent == Path(mount["mountPath"])
    assert mount["name"] == volume["name"]
