"""What an answer of Zoom's means, by status first."""

from datetime import UTC, datetime

import pytest

from tests.zoom_stand_in import reply
from zoom.errors import (
    Fault,
    ForbiddenError,
    RefusedError,
    UnavailableError,
    code_of,
    error_in,
    error_in_token_answer,
    retry_after_s,
    token_is_refused,
)
from zoom.exchange import Response

now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def html(status: int) -> Response:
    return Response(status, {}, b"<html>busy</html>")


@pytest.mark.parametrize(
    ("response", "fault", "kind"),
    [
        (reply(200), Fault.EMPTY, UnavailableError),
        (Response(200, {}, b" \n"), Fault.EMPTY, UnavailableError),
        (reply(204), Fault.UNEXPECTED, UnavailableError),
        (reply(302), Fault.UNEXPECTED, UnavailableError),
        (reply(400, {"code": 300}), Fault.REFUSED, RefusedError),
        (reply(400, {"code": 124}), Fault.TOKEN_REFUSED, ForbiddenError),
        (reply(401, {"code": 124}), Fault.TOKEN_REFUSED, ForbiddenError),
        (reply(401, {"code": 1002}), Fault.TOKEN_REFUSED, ForbiddenError),
        (html(401), Fault.TOKEN_REFUSED, ForbiddenError),
        (reply(403, {"code": 9001}), Fault.FORBIDDEN, ForbiddenError),
        (reply(403, {"code": 1021}), Fault.FORBIDDEN, ForbiddenError),
        (reply(403, {"code": 1022}), Fault.FORBIDDEN, ForbiddenError),
        (html(403), Fault.FORBIDDEN, ForbiddenError),
        (html(404), Fault.UNEXPECTED, UnavailableError),
        (reply(409, {"code": 2820}), Fault.UNEXPECTED, UnavailableError),
        (reply(429, {"code": 4001}), Fault.RATE_LIMITED, UnavailableError),
        (reply(429, {"code": 429}), Fault.RATE_LIMITED, UnavailableError),
        (html(429), Fault.RATE_LIMITED, UnavailableError),
        (reply(444), Fault.UNEXPECTED, UnavailableError),
        (reply(500), Fault.OUTAGE, UnavailableError),
        (html(502), Fault.OUTAGE, UnavailableError),
        (reply(503, {"code": 124}), Fault.OUTAGE, UnavailableError),
    ],
)
def test_an_answer_that_is_none_is_an_error_by_fault(
    response: Response, fault: Fault, kind: type[Exception]
) -> None:
    error = error_in(response, now=now)
    assert error is not None
    assert isinstance(error, kind)
    assert error.fault is fault
    assert str(response.status) in str(error)


@pytest.mark.parametrize(
    "response",
    [
        reply(200, {"user_id": "u"}),
        reply(404, {"code": 1001, "message": "El usuario no existe"}),
        reply(404, {"code": "1201"}),
        reply(410, {"code": 1001}),
    ],
)
def test_found_and_absent_are_answers(response: Response) -> None:
    assert error_in(response, now=now) is None


@pytest.mark.parametrize(
    ("response", "renewable"),
    [
        (reply(401, {"code": 124}), True),
        (reply(401), True),
        (reply(401, {"code": 1002}), False),
        (reply(400, {"code": 124}), True),
        (reply(400, {"code": 300}), False),
        (reply(403, {"code": 124}), False),
    ],
)
def test_a_new_token_is_worth_a_try_where_the_token_was_the_trouble(
    response: Response, *, renewable: bool
) -> None:
    assert token_is_refused(response) is renewable


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (reply(200, {}), None),
        (reply(400, {"error": "invalid_client"}), Fault.CREDENTIALS),
        (reply(401, {"code": 4702}), Fault.CREDENTIALS),
        (html(404), Fault.CREDENTIALS),
        (reply(408), Fault.OUTAGE),
        (reply(429), Fault.RATE_LIMITED),
        (reply(302), Fault.OUTAGE),
        (html(503), Fault.OUTAGE),
    ],
)
def test_the_token_endpoint_refuses_credentials_or_is_down(
    response: Response, fault: Fault | None
) -> None:
    error = error_in_token_answer(response, now=now)
    assert (error.fault if error else None) is fault


def test_refused_credentials_name_the_settings_to_look_at() -> None:
    message = str(error_in_token_answer(reply(401), now=now))
    assert "ZCC_ZOOM_CLIENT_ID" in message
    assert "ZCC_ZOOM_CLIENT_SECRET" in message


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
    assert code_of(Response(400, {}, body)) == code


@pytest.mark.parametrize(
    ("headers", "wish_s"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "2026-01-01T12:00:30Z"}, 30.0),
        ({"retry_after": "2026-01-01T12:00:30"}, 30.0),
        ({"retry_after": "Thu, 01 Jan 2026 12:01:00 GMT"}, 60.0),
        ({"retry_after": "2026-01-01T11:00:00Z"}, 0.0),
        ({"retry_after": "2027-01-01T00:00:00Z"}, 86_400.0),
        ({"retry_after": "99999999999"}, 86_400.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"x_ratelimit_reset": str(int(now.timestamp()) + 2)}, 2.0),
        ({"x_ratelimit_reset": "1"}, 0.0),
        ({"x_ratelimit_reset": "tomorrow"}, None),
        ({"retry_after": "3", "x_ratelimit_reset": "1"}, 3.0),
    ],
)
def test_the_wish_to_wait_is_read_in_all_its_forms(
    headers: dict[str, str], wish_s: float | None
) -> None:
    assert retry_after_s(reply(429, **headers), now) == wish_s


def test_an_outage_and_a_limit_pass_their_wish_on() -> None:
    for status in (429, 503):
        error = error_in(reply(status, retry_after="4"), now=now)
        assert isinstance(error, UnavailableError)
        assert error.retry_after_s == 4.0
