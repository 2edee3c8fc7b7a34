"""Pure: finds the settings and the unknown variables in the environment."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic_settings import BaseSettings

_prefix: Final = "ZCC_"
_other: Final = re.compile(
    r"ZCC_METRICS_PLACE|ZCC_UP_SOCKET|ZCC_TEST_.*|ZCC_.*_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_(TCP|UDP).*)"
)
"""Variables that are no settings: between processes and commands of ours, of tests, and those that
Kubernetes makes of a Service. Source: Kubernetes, Service, environment variables.
"""


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
    """Return the variables with our prefix that are not settings."""
    names = {name for settings in known for name in variable_names(settings)}
    return sorted(
        name
        for name in environment
        if name.upper().startswith(_prefix)
        and name.upper() not in names
        and not _other.fullmatch(name.upper())
    )


def suggestions(
    known: Iterable[type[BaseSettings]], environment: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the unknown variables, each with the most similar setting, or an empty text."""
    kinds = tuple(known)
    names = [name for settings in kinds for name in variable_names(settings)]
    return {
        unknown: next(iter(get_close_matches(unknown.upper(), names, n=1)), "")
        for unknown in unknown_variables(kinds, environment)
    }
