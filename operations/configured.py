"""Pure: which settings the environment holds, and which of its variables are no setting."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic_settings import BaseSettings

_ours: Final = "ZCC_"
_of_commands: Final = frozenset({"ZCC_UP_SOCKET"})
"""Variables that stand for an option of a command."""


def variable_names(settings: type[BaseSettings]) -> Iterator[str]:
    """Yield the environment variables of a settings class."""
    prefix = settings.model_config.get("env_prefix", "")
    for name in settings.model_fields:
        yield f"{prefix}{name}".upper()


def is_configured(settings: type[BaseSettings], environment: Mapping[str, str]) -> bool:
    """Whether the environment sets anything of a settings class."""
    given = {name.upper() for name in environment}
    return not given.isdisjoint(variable_names(settings))


def unknown_variables(
    known: Iterable[type[BaseSettings]], environment: Mapping[str, str]
) -> list[str]:
    """Return the variables that look like settings of ours and are none."""
    names = {name for settings in known for name in variable_names(settings)} | _of_commands
    return sorted(
        name for name in environment if name.upper().startswith(_ours) and name.upper() not in names
    )
