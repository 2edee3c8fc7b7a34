"""The tree of errors, and what is read from an answer whatever it means."""

from datetime import UTC, datetime

import pytest

from runtime.errors import ConfigurationError, TransientError
from tests.support.fakes.zoom import reply
from zoom.errors import (
    AbsentError,
    ArgumentError,
    ConflictError,
    ForbiddenError,
    GoneError,
    LicenceMissingError,
    MissingScopeError,
    NoAnswerError,
    NotFoundError,
    NotReadyError,
    OutageError,
    RateLimitedError,
    RefusedError,
    RoleError,
    UnavailableError,
    WritesNotAllowedError,
    ZoomError,
    ZoomFault,
    code_of,
    error_of,
    operators_faults,
    retry_after_s,
)
from zoom.messages import ApiResponse

now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ZoomFault.TIMEOUT, UnavailableError),
        (ZoomFault.NETWORK, UnavailableError),
        (ZoomFault.OVER_BUDGET, UnavailableError),
        (ZoomFault.NOT_JSON, UnavailableError),
        (ZoomFault.UNEXPECTED, UnavailableError),
        (ZoomFault.RATE_LIMITED, RateLimitedError),
        (ZoomFault.OUTAGE, OutageError),
        (ZoomFault.NOT_READY, NotReadyError),
        (ZoomFault.CREDENTIALS, ForbiddenError),
        (ZoomFault.TOKEN_REFUSED, ForbiddenError),
        (ZoomFault.FORBIDDEN, ForbiddenError),
        (ZoomFault.MISSING_SCOPE, MissingScopeError),
        (ZoomFault.NO_LICENCE, LicenceMissingError),
        (ZoomFault.ROLE, RoleError),
        (ZoomFault.REFUSED, RefusedError),
        (ZoomFault.CONFLICT, ConflictError),
        (ZoomFault.NOT_FOUND, NotFoundError),
        (ZoomFault.GONE, GoneError),
        (ZoomFault.NO_ANSWER, NoAnswerError),
    ],
)
def test_each_fault_has_its_class(fault: ZoomFault, kind: type[ZoomError]) -> None:
    error = error_of(fault, "the detail")
    assert type(error) is kind
    assert error.fault is fault
    assert str(error) == f"{fault.value}: the detail"


def test_errors_are_distinguished_by_who_has_to_act() -> None:
    for fault in ZoomFault:
        error = error_of(fault, "detail")
        assert isinstance(error, ConfigurationError) is (fault in operators_faults)
        families = (UnavailableError, ForbiddenError, RefusedError, ConflictError, AbsentError)
        assert sum(isinstance(error, family) for family in families) == 1
        assert isinstance(error, TransientError) is isinstance(error, UnavailableError)


def test_what_passes_carries_the_wish_to_wait() -> None:
    for fault in (ZoomFault.OVER_BUDGET, ZoomFault.RATE_LIMITED, ZoomFault.OUTAGE):
        error = error_of(fault, "detail", retry_after_s=4.0)
        assert isinstance(error, UnavailableError)
        assert error.retry_after_s == 4.0


def test_a_wrong_argument_is_a_wrong_value_and_a_refusal_before_sending() -> None:
    error = ArgumentError("get_user", "user_id", "is required")
    assert isinstance(error, ValueError)
    assert isinstance(error, RefusedError)
    assert str(error) == "refused: get_user: user_id: is required"


def test_a_write_that_is_not_allowed_is_the_operators_matter() -> None:
    assert issubclass(WritesNotAllowedError, ConfigurationError)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code": 124}', 124),
        (b'{"code": "124"}', 124),
        (b'{"code": "12x"}', None),
        (b'{"code": true}', None),
        (b'{"code": null}', None),
        (b"[124]", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_a_code_is_read_where_there_is_one(body: bytes, code: int | None) -> None:
    assert code_of(ApiResponse(400, {}, body)) == code


@pytest.mark.parametrize(
    ("headers", "minimum_delay_s"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "2026-01-01T12:00:30Z"}, 30.0),
        ({"retry_after": "2026-01-01T12:00:30"}, 30.0),
        ({"retry_after": "Thu, 01 Jan 2026 12:01:00 GMT"}, 60.0),
        ({"retry_after": "2026-01-01T11:00:00Z"}, 0.0),
        ({"retry_after": "2027-01-01T00:00:00Z"}, 86_400.0),
        ({"retry_after": "99999999999"}, 86_400.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "20261130"}, 86_400.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "30s"}, None),
        ({"retry_after": "2, 3"}, None),
        ({"retry_after": "1e3"}, None),
        ({"retry_after": "Wed, 31 Nov 2026 10:00:00 GMT"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "Thu, 01 Jan 2026 12:01:00 +99999999999999"}, None),
        ({"retry_after": "Thu, 01 Jan 2026 99999999999:01:00 GMT"}, None),
        ({"x_ratelimit_reset": str(int(now.timestamp()) + 2)}, 2.0),
        ({"x_ratelimit_reset": "1"}, 0.0),
        ({"x_ratelimit_reset": "tomorrow"}, None),
        ({"retry_after": "3", "x_ratelimit_reset": "1"}, 3.0),
    ],
)
def test_the_wish_to_wait_is_read_in_all_its_forms(
    headers: dict[str, str], minimum_delay_s: float | None
) -> None:
    assert retry_after_s(reply(429, **headers), now) == minimum_delay_s
