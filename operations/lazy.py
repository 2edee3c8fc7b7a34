"""Loads packages that only a checkout has, when a command needs them."""

from collections.abc import Callable
from typing import Final

from runtime.errors import ConfigurationError
from runtime.lazy import load_function

_only_in_the_checkout: Final = frozenset({"simulator", "devstack"})


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
