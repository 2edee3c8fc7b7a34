"""Whose fault an error of an object store is."""

import inspect

import pytest
from obstore import exceptions

from runtime.errors import ConfigurationError, TransientError
from runtime.object_store.errors import ObjectGoneError, errors_by_fault, missing_object

refusals = (
    exceptions.PermissionDeniedError,
    exceptions.UnauthenticatedError,
    exceptions.InvalidPathError,
    exceptions.NotSupportedError,
    exceptions.UnknownConfigurationKeyError,
)
absent = (exceptions.NotFoundError, FileNotFoundError)
failures = (
    exceptions.BaseError,
    exceptions.AlreadyExistsError,
    exceptions.GenericError,
    exceptions.JoinError,
    exceptions.NotModifiedError,
    exceptions.PreconditionError,
    ConnectionError,
    OSError,
    TimeoutError,
)


def test_the_tables_have_every_error_of_the_library() -> None:
    every = {each for _, each in inspect.getmembers(exceptions, inspect.isclass)}
    assert every == {
        each for each in (*refusals, *absent, *failures) if issubclass(each, exceptions.BaseError)
    }


@pytest.mark.parametrize("kind", refusals)
def test_a_refusal_is_the_operators_fault(kind: type[Exception]) -> None:
    expected = f"ZCC_X_URL: object storage refuses: {kind.__name__}; check it and the keys"
    with pytest.raises(ConfigurationError, match=expected), errors_by_fault("ZCC_X_URL"):
        raise kind("secret detail")


@pytest.mark.parametrize("kind", absent)
def test_a_bucket_that_is_absent_is_the_operators_fault(kind: type[Exception]) -> None:
    expected = "ZCC_X_URL: there is no such bucket; create it"
    with pytest.raises(ConfigurationError, match=expected), errors_by_fault("ZCC_X_URL"):
        raise kind("secret detail")


@pytest.mark.parametrize("kind", absent)
def test_an_object_that_is_absent_is_not_taken_for_its_bucket(kind: type[Exception]) -> None:
    with (
        pytest.raises(ObjectGoneError, match="a/b is not there"),
        errors_by_fault("ZCC_X_URL"),
        missing_object("a/b"),
    ):
        raise kind("secret detail")


@pytest.mark.parametrize("kind", failures)
def test_any_other_error_is_the_worlds_fault(kind: type[Exception]) -> None:
    expected = f"ZCC_X_URL: object storage does not answer: {kind.__name__}$"
    with pytest.raises(TransientError, match=expected), errors_by_fault("ZCC_X_URL"):
        raise kind("secret detail")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("401", "refuses: 401"),
        ("403", "refuses: 403"),
        ("404", "there is no such bucket"),
    ],
)
def test_a_status_in_the_message_of_a_list_is_a_refusal(status: str, expected: str) -> None:
    message = f"Server returned non-2xx status code: {status} Forbidden: <Error/>"
    with pytest.raises(ConfigurationError, match=expected), errors_by_fault("ZCC_X_URL"):
        raise exceptions.GenericError(message)


@pytest.mark.parametrize("status", ["500", "503", "429", "4031"])
def test_another_status_in_a_message_is_no_refusal(status: str) -> None:
    message = f"Server returned non-2xx status code: {status}: <Error/>"
    with pytest.raises(TransientError, match="does not answer"), errors_by_fault("ZCC_X_URL"):
        raise exceptions.GenericError(message)


def test_a_defect_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="ours"), errors_by_fault("ZCC_X_URL"):
        raise ValueError("ours")
