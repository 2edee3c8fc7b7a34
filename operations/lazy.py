"""Loads code by name when a command needs it. No other module imports late.

`zcc --help` and `zcc --version` answer without the clients of Kafka, Postgres and HTTP, and a
worker holds no more in memory than it uses. A reference is ``module:attribute``.
"""

import pkgutil
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from runtime.errors import ConfigurationError

_only_in_the_checkout: Final = frozenset({"simulator", "devstack"})


def load(reference: str) -> object:
    """Import the module of a reference and return the attribute."""
    attribute: object = pkgutil.resolve_name(reference)
    return attribute


def load_function(reference: str) -> Callable[..., object]:
    """Return the function that a reference names."""
    return cast("Callable[..., object]", load(reference))


def load_coroutine(reference: str) -> Callable[..., Coroutine[Any, Any, object]]:
    """Return the coroutine function that a reference names."""
    return cast("Callable[..., Coroutine[Any, Any, object]]", load(reference))


def load_from_checkout(reference: str, *, error: str) -> Callable[..., object]:
    """Return a function that needs packages of the checkout.

    Raises:
        ConfigurationError: the installed product does not carry them; the message is ``error``.
    """
    try:
        return load_function(reference)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _only_in_the_checkout:
            raise
        raise ConfigurationError(error) from None
