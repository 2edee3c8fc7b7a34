"""Commands are loaded when they are called; until then their help and nothing else is there."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from operations.api.command import api_app
from operations.cli import app
from operations.command_group import UnloadedCommand
from operations.lazy import load_from_checkout
from runtime.errors import ConfigurationError
from tests.support.words import product_packages

root = Path(__file__).parents[3]
heavy = {
    "aiohttp",
    "aiokafka",
    "alembic",
    "asyncio",
    "orjson",
    "psycopg",
    "pyarrow",
    "pydantic",
    "rich",
}


def groups() -> list[Any]:
    return [typer.main.get_command(app), typer.main.get_group(api_app)]


def test_the_help_of_a_group_is_that_of_its_commands() -> None:
    unloaded = [
        command
        for group in groups()
        for command in group.commands.values()
        if isinstance(command, UnloadedCommand)
    ]
    assert len(unloaded) > 20
    real = {command.name: command.load() for command in unloaded}
    differences = {
        command.name: (command.help, real[command.name].help)
        for command in unloaded
        if command.help != (real[command.name].help or "").partition("\n\n")[0]
        or command.name != real[command.name].name
    }
    assert differences == {}


def test_the_help_of_the_root_is_the_same_with_all_commands_loaded() -> None:
    def text(group: Any) -> str:
        return str(group.make_context("zcc", [], resilient_parsing=True).get_help())

    lazy, loaded = typer.main.get_command(app), typer.main.get_command(app)
    assert isinstance(loaded, typer.core.TyperGroup)
    loaded.commands = {name: each.load() for name, each in loaded.commands.items()}  # type: ignore[attr-defined]  # all are unloaded
    for command in loaded.commands.values():
        command.short_help = (command.help or "").partition("\n\n")[0]
    assert text(lazy) == text(loaded)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_root_alone_imports_no_client(option: str) -> None:
    program = (
        "import sys\n"
        "from operations.cli import main\n"
        f"sys.argv = ['zcc', '{option}']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in imported
    assert imported & heavy == set()


def test_a_function_of_the_checkout_is_refused_with_its_reason_where_that_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="no simulator here"):
        load_from_checkout("simulator.nowhere:run", error="no simulator here")
    with pytest.raises(ModuleNotFoundError):
        load_from_checkout("operations.nowhere:run", error="no simulator here")


def test_one_module_alone_imports_late() -> None:
    late = {"import_module", "resolve_name", "__import__"}
    modules = {
        path.relative_to(root).as_posix()
        for package in product_packages(root)
        for path in sorted((root / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in late
    }
    # An event's model is loaded by its family; the contract stands below the runtime.
    assert modules == {"runtime/lazy.py", "schemas/models/registry.py"}


def test_a_command_loads_no_rich_for_its_logs() -> None:
    program = (
        "import sys\n"
        "from operations.cli import commands, root\n"
        "from operations.command_group import UnloadedCommand\n"
        "root(version=False, log_level='info')\n"
        "UnloadedCommand('ingest', commands['ingest']).load()\n"
        "print(*sys.modules)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in finished.stdout.split()}
    assert "structlog" in loaded
    assert "rich" not in loaded
