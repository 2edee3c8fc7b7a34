"""Every error that the vendor documents of an operation has one meaning here, and a fitting one."""

import re
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from zoom.catalogue import Operation, operations
from zoom.errors import ZoomFault, operators_faults
from zoom.http.response_errors import error_in, fault_of
from zoom.messages import ApiResponse

SHARED = Path(__file__).parents[3] / "shared" / "zoom"

FITTING = {
    400: {
        ZoomFault.REFUSED,
        ZoomFault.TOKEN_REFUSED,
        ZoomFault.FORBIDDEN,
        ZoomFault.NO_LICENCE,
        ZoomFault.NOT_FOUND,
        ZoomFault.NOT_READY,
        ZoomFault.CONFLICT,
        ZoomFault.OUTAGE,
    },
    401: {ZoomFault.TOKEN_REFUSED, ZoomFault.ROLE},
    403: {ZoomFault.FORBIDDEN, ZoomFault.NO_LICENCE, ZoomFault.ROLE, ZoomFault.CONFLICT},
    404: {
        ZoomFault.NOT_FOUND,
        ZoomFault.REFUSED,
        ZoomFault.FORBIDDEN,
        ZoomFault.CONFLICT,
        ZoomFault.NO_ANSWER,
    },
    409: {ZoomFault.CONFLICT},
    429: {ZoomFault.RATE_LIMITED},
    444: {ZoomFault.NO_ANSWER},
    500: {ZoomFault.OUTAGE},
}
"""By status: what a documented code of it may mean."""


def documented() -> list[tuple[Operation, int, int]]:
    return [
        (operation, status, code)
        for operation in operations().values()
        for status, codes in operation.errors.items()
        for code in codes
    ]


def test_every_documented_error_has_a_meaning_that_fits_its_status() -> None:
    errors = documented()
    assert len(errors) > 1500
    for operation, status, code in errors:
        assert fault_of(operation, status, code) in FITTING[status], (operation.name, status, code)


def test_an_error_that_rests_an_operation_is_never_about_one_entity() -> None:
    """An operator's fault stops the operation for all: no code of it may name a single thing."""
    codes = {(s, c) for o, s, c in documented() if fault_of(o, s, c) in operators_faults}
    assert codes == {
        (400, 124),
        (400, 400),
        (400, 1019),
        (400, 1214),
        (400, 1215),
        (400, 1503),
        (400, 4101),
        (400, 11006),
        (400, 290010),
        (401, 124),
        (401, 1001),
        (401, 1002),
        (401, 1601),
        (403, 1021),
        (403, 1022),
        (403, 9001),
        (404, 1052),
    }


def test_every_pair_of_the_vendors_list_lands_in_one_class() -> None:
    path = SHARED / "errors.json"
    if not path.is_file():
        pytest.skip("NOT CHECKED: the vendor's list of errors: there is no shared/zoom next to it")
    by_address = {(o.method, _blank(o.path)): o for o in operations().values()}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for entry in orjson.loads(path.read_bytes()):
        status, code = int(entry["http"]), entry["code"].strip()
        for address in entry["ops"]:
            method, _, path_ = address.partition(" ")
            operation = by_address[method, _blank(path_)]
            document = {"message": entry["message"]} | ({"code": int(code)} if code else {})
            response = ApiResponse(status, {}, orjson.dumps(document))
            error = error_in(operation, response, now=now, expected_since=None)
            assert error is not None
            assert error.fault in FITTING[status], (operation.name, status, code)


def _blank(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
