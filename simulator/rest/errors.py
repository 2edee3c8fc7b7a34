"""Pure: the API's errors of wrong requests.

Source: Zoom API, error responses: ``code``, ``message`` and ``errors`` with the field of each.
"""

from typing import Final

from simulator.rest.documents import ApiError
from zoom.catalogue import Operation

validation_code: Final = 300
enum_code: Final = 302
order_code: Final = 6002
too_long_code: Final = 6003


def refusal(
    operation: Operation, field: str, message: str, *, code: int = validation_code
) -> ApiError:
    """Return the 400 that names the fault of a parameter, or of a member of the body.

    It has a code of its own only where the vendor documents it for the operation.
    """
    documented = code in operation.errors.get(400, ())
    error = ApiError(400, code if documented else validation_code, f"invalid field: {field}")
    error.document["errors"] = [{"field": field, "message": message}]
    return error
