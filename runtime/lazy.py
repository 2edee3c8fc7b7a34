"""Loads code by name when it is needed. No other module imports late.

`zcc --help` and `zcc --version` answer without the clients of Kafka, Postgres and HTTP, and a
process holds no more in memory than it uses. A reference is ``module:attribute``.
"""

import pkgutil
import sys
from collections.abc import Callable, Coroutine
from typing import Any, cast


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


def load_without(optional: str, module: str) -> None:
    """Import a module as if an optional one that it uses were not installed.

    It does nothing where one of them is loaded already.
    """
    if optional not in sys.modules and module not in sys.modules:
        sys.modules[optional] = None  # type: ignore[assignment] # such an import raises ImportError
        try:
            pkgutil.resolve_name(module)
        finally:
            del sys.modules[optional]
