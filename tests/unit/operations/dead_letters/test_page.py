"""The page about dead letters shows commands that there are, and leaves no option out."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from operations.dead_letters.commands import dead_letters_app
from schemas.reasons import DeadLetterReason

page = (Path(__file__).parents[4] / "docs/how-to/dead-letters.md").read_text()
shown = [line.strip() for line in page.splitlines() if line.strip().startswith("zcc dead-letters ")]


def commands() -> dict[str, Any]:
    group = get_command(dead_letters_app)
    assert isinstance(group, TyperGroup)
    return dict(group.commands)


@pytest.mark.parametrize("line", shown)
def test_a_command_of_the_page_is_understood(line: str) -> None:
    _, _, name, *arguments = shlex.split(line)
    commands()[name].make_context(name, arguments)


def test_the_page_shows_each_command() -> None:
    assert {shlex.split(line)[2] for line in shown} == set(commands())


def test_the_page_names_every_option_and_reason() -> None:
    options = {
        option
        for command in commands().values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert len(options) > 15
    assert [option for option in sorted(options) if option not in page] == []
    assert [reason for reason in DeadLetterReason if f"`{reason}`" not in page] == []
