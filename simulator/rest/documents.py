"""Pure: documents and errors of the REST API."""

from collections.abc import Mapping

Document = dict[str, object]


class ApiError(Exception):
    """An answer other than 200: HTTP status, a document with Zoom's own code, and headers."""

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.document: Document = {"code": code, "message": message}
        self.headers = headers or {}
