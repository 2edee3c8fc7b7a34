"""A processor is one folder and one line: everything else follows from its description.

The test adds two to a copy of the tree, one that Kafka feeds and a poller, looks at all that lists
components, and takes them away.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.timeout(900)  # the pages are written twice, on a machine that may be busy

root = Path(__file__).parents[2]
copied = ("operations", "processors", "schemas", "docs", "deploy")
linked = ("devstack", "ingest", "runtime", "simulator", "sinks", "zoom")

greeter: Mapping[str, str] = {
    "__init__.py": '"""Greets."""\n',
    "settings.py": '''
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GreeterSettings(BaseSettings):
    """How people are greeted."""

    model_config = SettingsConfigDict(env_prefix="ZCC_GREETER_", frozen=True, extra="ignore")

    warmth: int = Field(default=7, description="How warmly")
''',
    "metrics.py": """
from prometheus_client import Counter


class GreeterMetrics:
    greetings = Counter("zcc_greeter_greetings_total", "People greeted")


metrics = GreeterMetrics()
""",
    "service.py": """
from processors.greeter.settings import GreeterSettings
from runtime.settings import KafkaSettings, WorkerSettings


async def run(settings: GreeterSettings, kafka: KafkaSettings, worker: WorkerSettings) -> None:
    print("greets with", settings.warmth, kafka.topic_prefix, worker.health_port)
""",
    "component.py": """
from processors.greeter.settings import GreeterSettings
from runtime.component import Component
from schemas.topics import enriched_topics


component = Component(
    name="greeter",
    kind="processor",
    reads=enriched_topics,
    writes=lambda *, prefix: (f"{prefix}.greetings.v1",),
    retry_delays_s=(60,),
    settings=(GreeterSettings,),
    zoom_operations=("list_queues",),
    metrics=("processors.greeter.metrics:metrics",),
    run="processors.greeter.service:run",
)
""",
}
walker: Mapping[str, str] = {
    "__init__.py": '"""Walks through lists of the REST API."""\n',
    "service.py": """
from runtime.service import run_poller
from runtime.settings import KafkaSettings, WorkerSettings


async def run(kafka: KafkaSettings, worker: WorkerSettings) -> None:
    print("walks to", kafka.topic_prefix, worker.health_port, run_poller.__name__)
""",
    "component.py": """
from runtime.component import Component
from schemas.topics import reference_topic


component = Component(
    name="walker",
    kind="processor",
    polls=True,
    writes=lambda *, prefix: (reference_topic(prefix=prefix),),
    zoom_operations=("list_users",),
    run="processors.walker.service:run",
)
""",
}
folders: Mapping[str, Mapping[str, str]] = {"greeter": greeter, "walker": walker}
lines = "".join(f'    "processors.{name}.component",\n' for name in folders)
before_line = '    "sinks.postgres.component",\n'

lists = """
import json
from operations.components import parts
from operations.doctor.scopes import needs
from operations.lag.group_lag import topics_of_groups
from operations.settings.monitor import MonitorSettings
from operations.settings.unknown import product_settings
from operations.topics.specs import deployment_specs
from runtime.settings import KafkaSettings

print(json.dumps({
    "lag": {group: list(topics) for group, topics in topics_of_groups("zcc").items()},
    "monitor": MonitorSettings().workers,
    "topics": [spec.name for spec in deployment_specs(KafkaSettings().topic_plan)],
    "scopes": [(need.component, need.operation.name) for need in needs()],
    "settings": [kind.__name__ for kind in product_settings],
    "up": [(part.name, *part.arguments) for part in parts],
}))
"""


class Tree:
    """A copy of what components touch; the rest is linked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in copied:
            shutil.copytree(root / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in linked:
            (path / name).symlink_to(root / name)
        shutil.copy(root / "docker-compose.yml", path)
        self._list = path / "operations" / "components.py"
        self._processors = path / "processors"

    def add(self) -> None:
        for folder, texts in folders.items():
            (self._processors / folder).mkdir()
            for name, text in texts.items():
                (self._processors / folder / name).write_text(text)
        self._list.write_text(self._list.read_text().replace(before_line, lines + before_line))

    def remove(self) -> None:
        for folder in folders:
            shutil.rmtree(self._processors / folder)
        self._list.write_text(self._list.read_text().replace(lines, ""))

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("ZCC_")}
        return subprocess.run(
            [sys.executable, "-B", *arguments],
            cwd=self.path,
            env={**ours, "PYTHONPATH": str(self.path), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    def zcc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "operations", *arguments)

    def write_generated_files(self) -> None:
        done = self.python("-m", "operations.reference_docs.command")
        assert done.returncode == 0, done.stderr

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for name in (*copied, "docker-compose.yml")
            for path in (self.path / name).rglob("*")
            if path.is_file()
        } | {"docker-compose.yml": (self.path / "docker-compose.yml").read_bytes()}

    def text(self, path: str) -> str:
        return (self.path / path).read_text()


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tree, Tree]:
    """Two trees: one with the processors, one that had them."""
    with_it, without = (Tree(tmp_path_factory.mktemp(name)) for name in ("with", "without"))
    for tree in (with_it, without):
        tree.add()
    with_it.write_generated_files()
    for name in (*copied, "docker-compose.yml"):
        if name not in {"operations", "processors"}:
            _copy(with_it.path / name, without.path / name)
    without.remove()
    without.write_generated_files()
    return with_it, without


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copy(source, target)
    else:
        shutil.copytree(source, target, dirs_exist_ok=True)


def test_commands_know_them(before_and_after: tuple[Tree, Tree]) -> None:
    tree, _ = before_and_after
    assert "greeter" in tree.zcc("processor", "--help").stdout
    ran = tree.zcc("processor", "greeter")
    assert (ran.returncode, ran.stdout) == (0, "greets with 7 zcc 9100\n"), ran.stderr
    assert tree.zcc("processor", "walker").stdout == "walks to zcc 9100 run_poller\n"
    for command in (("lag", "--group", "nobody"), ("dead-letters", "list", "--worker", "nobody")):
        refused = tree.zcc(*command)
        assert refused.returncode == 2
        assert "greeter" in refused.stderr


def test_every_list_of_components_has_them(before_and_after: tuple[Tree, Tree]) -> None:
    tree, _ = before_and_after
    done = tree.python("-c", lists)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert "zcc.enriched.engagement.v1" in listed["lag"]["zcc.greeter"]
    assert listed["lag"]["zcc.greeter-retry"] == ["zcc.retry.greeter.1m.v1"]
    assert "greeter" in listed["monitor"]
    own = {"zcc.greetings.v1", "zcc.dead-letter.greeter.v1", "zcc.retry.greeter.1m.v1"}
    assert own <= set(listed["topics"])
    assert ["greeter", "list_queues"] in listed["scopes"]
    assert "GreeterSettings" in listed["settings"]
    assert ["greeter", "processor", "greeter"] in listed["up"]
    assert ["walker", "processor", "walker"] in listed["up"]
    assert ["walker", "list_users"] in listed["scopes"]


def test_a_poller_has_watermarks_and_neither_lag_nor_dead_letters(
    before_and_after: tuple[Tree, Tree],
) -> None:
    tree, _ = before_and_after
    listed = json.loads(tree.python("-c", lists).stdout)
    assert [name for name in listed["topics"] if "walker" in name] == ["zcc.watermarks.walker.v1"]
    assert listed["lag"]["zcc.walker"] == []
    assert "walker" in listed["monitor"]
    refused = tree.zcc("dead-letters", "list", "--worker", "walker")
    assert (refused.returncode, "greeter" in refused.stderr) == (2, True)


def test_every_generated_file_has_them(before_and_after: tuple[Tree, Tree]) -> None:
    tree, _ = before_and_after
    service = yaml.safe_load(tree.text("docker-compose.yml"))["services"]["greeter"]
    assert service["command"] == ["processor", "greeter"]
    base = "deploy/kubernetes/base"
    deployment, budget = yaml.safe_load_all(tree.text(f"{base}/greeter.yaml"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["processor", "greeter"]
    assert budget["metadata"]["name"] == "zcc-greeter"
    assert "greeter.yaml" in yaml.safe_load(tree.text(f"{base}/kustomization.yaml"))["resources"]
    for path, text in {
        "deploy/kubernetes/monitoring/pod-monitor.yaml": "- zcc-greeter\n",
        "deploy/prometheus/prometheus.yml": "- greeter:9100\n",
        "docs/reference/settings.md": "`ZCC_GREETER_WARMTH`",
        "docs/reference/metrics.md": "`zcc_greeter_greetings_total`",
        "docs/reference/topics.md": "`zcc.greetings.v1`",
        "docs/reference/zoom-scopes.md": "| greeter | `list_queues` |",
        "schemas/asyncapi.yaml": "zcc.dead-letter.greeter.v1",
    }.items():
        assert text in tree.text(path), path
    for path, text in {
        f"{base}/walker.yaml": "zcc-walker",
        "deploy/prometheus/prometheus.yml": "- walker:9100\n",
        "docs/reference/topics.md": "| `walker` | processor | another system | `zcc.reference.v1`",
        "schemas/asyncapi.yaml": "zcc.watermarks.walker.v1",
    }.items():
        assert text in tree.text(path), path


def test_nothing_is_left_of_them_when_their_folders_and_their_lines_are_gone(
    before_and_after: tuple[Tree, Tree], tmp_path: Path
) -> None:
    _, tree = before_and_after
    assert tree.files() == Tree(tmp_path).files()


def test_the_guide_names_each_page_that_is_written_by_hand() -> None:
    guide = (root / "docs" / "how-to" / "add-a-processor.md").read_text()
    written = re.compile(
        r"`processors/enrichment/`|^### processors/enrichment$|`zcc-secrets-enrichment`",
        re.MULTILINE,
    )
    pages = {page for page in (root / "docs").rglob("*.md") if written.search(page.read_text())}
    linked = set(re.findall(r"\]\(([^)#]+)", guide.partition("## Make it part of the product")[2]))
    named = {(root / "docs" / "how-to" / path).resolve() for path in linked}
    assert {page.relative_to(root).as_posix() for page in pages - named} == set()
    assert len(pages) >= 3
