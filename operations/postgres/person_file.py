"""Pure: reads the person to erase from lines, so that no value appears on a command line.

There it would be seen by everybody who may list processes, and kept in the shell's history.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from runtime.errors import ConfigurationError

names: Final = ("consumer-number", "consumer-id", "email", "user")

Named = Mapping[str, Sequence[str]]
"""The values that were given, by name."""


def read_person(lines: Iterable[str]) -> Named:
    """Return what lines ``name: value`` say; empty ones and those that begin with # say nothing.

    Raises:
        ConfigurationError: a line has another form, or the lines name no person or several.
            The message repeats no value.
    """
    values: dict[str, list[str]] = {name: [] for name in names}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, _, value = text.partition(":")
        if name.strip() not in values or not value.strip():
            raise ConfigurationError(
                f"line {number}: expected {', '.join(names)}, a colon, a value"
            )
        values[name.strip()].append(value.strip())
    users = len(values["user"])
    if users > 1 or bool(users) == any(values[name] for name in names if name != "user"):
        raise ConfigurationError(
            "name one person: one user, or consumer-number, consumer-id and email of a consumer"
        )
    return values
