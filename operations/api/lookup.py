"""Finds an operation by a typed name."""

from runtime.errors import ConfigurationError
from zoom.catalogue import Operation, UnknownOperationError, find


def find_operation(name: str) -> Operation:
    """Return the operation of this name.

    Raises:
        ConfigurationError: there is none; the nearest names.
    """
    try:
        return find(name)
    except UnknownOperationError as error:
        raise ConfigurationError(str(error)) from None
