"""Groups of commands that are loaded when they are called; their help is known before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from runtime.lazy import load


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command by reference: to a function, or to a `typer.Typer` of one command or several.

    ``help`` is the line that the help of the group shows; a test compares it with the command's.
    """

    reference: str
    help: str


def group_of(commands: Mapping[str, LazyCommand]) -> type[TyperGroup]:
    """Return a class of groups with these commands, in their order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - the library's own
            super().__init__(**attributes)
            unloaded = {name: UnloadedCommand(name, each) for name, each in commands.items()}
            self.commands = {**unloaded, **self.commands}

    return LazyGroup


class UnloadedCommand(TyperCommand):
    """Stands for a command in the help of its group; to call it loads the real one."""

    def __init__(self, name: str, command: LazyCommand) -> None:
        super().__init__(name, help=command.help, short_help=command.help)
        self._reference = command.reference

    def load(self) -> Any:  # noqa: ANN401 - the library does not publish the class
        """Return the real command."""
        command = _command_of(load(self._reference), self.name or "")
        command.name = self.name
        return command

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's
        """Return the context of the real command; the group invokes the command of the context."""
        return self.load().make_context(*arguments, **options)


def _command_of(loaded: object, name: str) -> Any:  # noqa: ANN401 - as above
    if not isinstance(loaded, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(cast("Callable[..., None]", loaded))
        return get_command(alone)
    one_command = len(loaded.registered_commands) == 1
    return get_command(loaded) if one_command else get_group(loaded)
