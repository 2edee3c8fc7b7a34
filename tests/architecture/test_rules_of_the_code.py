"""Rules of the house that no linter knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

root = Path(__file__).parents[2]
project = tomllib.loads((root / "pyproject.toml").read_text())
packages = project["tool"]["importlinter"]["root_packages"]
pure_contract = next(
    contract
    for contract in project["tool"]["importlinter"]["contracts"]
    if contract["name"].startswith("Pure modules")
)


def modules() -> Iterator[tuple[str, Path]]:
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def test_modules_that_call_themselves_pure_are_those_of_the_import_contract() -> None:
    pure = {
        name
        for name, path in modules()
        if (ast.get_docstring(ast.parse(path.read_text())) or "").startswith("Pure:")
    }
    assert pure == set(pure_contract["source_modules"])


def test_import_contracts_ignore_nothing() -> None:
    contracts = project["tool"]["importlinter"]["contracts"]
    assert [c["name"] for c in contracts if "ignore_imports" in c] == []


def test_every_exception_from_a_check_carries_its_reason() -> None:
    exception = re.compile(r"#\s*(noqa|type: ignore|pragma: no cover)(.*)$")
    without = [
        f"{path.relative_to(root)}:{number}"
        for folder in (*packages, "tests", "benchmarks")
        for path in sorted((root / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := exception.search(line)) and "exception = re" not in line
        if not re.search(r"( - |# )\S", found[2])
    ]
    assert without == []


def test_only_schemas_imports_relatively() -> None:
    relative = [
        name
        for name, path in modules()
        if not name.startswith("schemas")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    long = {
        name: path.read_text().count("\n")
        for name, path in modules()
        if path.read_text().count("\n") > 400
    }
    assert long == {}


def test_the_readme_maps_every_folder_of_the_tree() -> None:
    readme = (root / "README.md").read_text()
    folders = {
        path.name
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith((".", "_")) and path.name != "dist"
    }
    assert {name for name in folders if f"`{name}/`" not in readme} == set()
