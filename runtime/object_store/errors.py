"""Raises the errors of obstore by fault.

Sources: `obstore.exceptions`; obstore raises `FileNotFoundError` and `FileExistsError` of Python as
well, and `GenericError` for a list that is refused (findings/obstore_refused_list.sh).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from obstore import exceptions

from runtime.errors import ConfigurationError, TransientError

already_exists: Final = (exceptions.AlreadyExistsError, FileExistsError)
not_found: Final = (exceptions.NotFoundError, FileNotFoundError)

_refusals: Final = (
    exceptions.PermissionDeniedError,
    exceptions.UnauthenticatedError,
    exceptions.InvalidPathError,
    exceptions.NotSupportedError,
    exceptions.UnknownConfigurationKeyError,
)
_status: Final = re.compile(r"non-2xx status code: (401|403|404)\b")
_no_such_bucket: Final = "404"


class ObjectGoneError(TransientError):
    """An object is not there, or no longer."""


@contextmanager
def errors_by_fault(url_variable: str) -> Iterator[None]:
    """Raise what obstore raises in the block as an error of ours, which names the variable.

    Raises:
        ConfigurationError: the store refuses.
        TransientError: it does not answer.
    """
    try:
        yield
    except _refusals as error:
        raise _refused(url_variable, type(error).__name__) from error
    except not_found as error:
        raise _refused(url_variable, _no_such_bucket) from error
    except (exceptions.BaseError, OSError) as error:  # a TimeoutError is an OSError
        status = _status.search(str(error))
        if status is not None:
            raise _refused(url_variable, status[1]) from error
        raise TransientError(
            f"{url_variable}: object storage does not answer: {type(error).__name__}"
        ) from error


@contextmanager
def missing_object(path: str) -> Iterator[None]:
    """Raise ObjectGoneError where the object is not there."""
    try:
        yield
    except not_found as error:
        raise ObjectGoneError(f"{path} is not there, or no longer") from error


def _refused(url_variable: str, cause: str) -> ConfigurationError:
    if cause == _no_such_bucket:
        return ConfigurationError(f"{url_variable}: there is no such bucket; create it")
    return ConfigurationError(
        f"{url_variable}: object storage refuses: {cause}; check it and the keys"
    )
