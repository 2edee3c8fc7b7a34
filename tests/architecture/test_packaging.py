"""What is shipped, and under which names."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = [pytest.mark.static, pytest.mark.thorough]

root = Path(__file__).parents[2]
project = tomllib.loads((root / "pyproject.toml").read_text())
shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
ours = set(project["tool"]["importlinter"]["root_packages"])


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_holds_the_product_and_neither_simulator_nor_devstack(wheel: list[str]) -> None:
    top_level = {name.split("/")[0] for name in wheel}
    assert {name for name in top_level if not name.endswith(".dist-info")} == set(shipped)
    assert ours - set(shipped) == {"devstack", "simulator"}


def test_the_wheel_carries_every_file_that_the_product_reads(wheel: list[str]) -> None:
    committed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *shipped],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    missing = {name for name in committed if (root / name).is_file()} - set(wheel)
    assert missing == set()


def test_each_of_our_names_belongs_to_no_other_distribution() -> None:
    owners = packages_distributions()
    own = project["project"]["name"]
    assert {name: owners.get(name, [own]) for name in ours} == {name: [own] for name in ours}


def test_the_distribution_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in project["project"]["classifiers"]
