"""Pure: reads the headers of an enriched record, for all stores of such records.

One reader, so that all stores accept and refuse the same records for the same reasons.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

from . import headers as names
from .headers import Headers

earliest_ms: Final = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z: the first time that both Python and Postgres can hold in UTC."""
latest_ms: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z: the last one."""

_event_id_digits: Final = 64
_digits: Final = b"0123456789abcdef"
_revision_digits: Final = 9  # what 32 bits surely hold
_epoch: Final = datetime.fromtimestamp(0, UTC)
_millisecond: Final = timedelta(milliseconds=1)


class UnreadableRecordError(ValueError):
    """The record violates its topic's contract; the message holds no personal data."""


class EnrichedHeaders(NamedTuple):
    """The values of the headers. Times are epoch milliseconds.

    One is created per record, so it is a named tuple: a frozen dataclass takes five times as long.
    """

    event_id: str
    event: str
    occurred_at_ms: int
    received_at_ms: int
    revision: int
    subject: str | None
    partition_key: str | None
    app: str | None
    request_id: str | None


def read_enriched_headers(headers: Headers) -> EnrichedHeaders:
    """Read the headers; of a repeated header the last one counts.

    Raises:
        UnreadableRecordError: a header is missing, or violates the contract.
    """
    values = dict(headers)
    optional = values.get
    return EnrichedHeaders(  # by position: by name takes half a microsecond more
        _event_id(values),
        _event(values),
        _time_ms(values, names.ce_time),
        _time_ms(values, names.received_at_header),
        _revision(values),
        _text(optional(names.ce_subject)),
        _text(optional(names.ce_partitionkey)),
        _text(optional(names.app_header)),
        _text(optional(names.request_id_header)),
    )


def _event_id(values: dict[str, bytes]) -> str:
    value = values.get(names.event_id_header) or _missing(names.event_id_header)
    if len(value) != _event_id_digits or value.translate(None, _digits):
        raise UnreadableRecordError(
            f"{names.event_id_header}: expected {_event_id_digits} hexadecimal digits"
        )
    return value.decode("ascii")


def _event(values: dict[str, bytes]) -> str:
    try:
        return (values.get(names.ce_type) or _missing(names.ce_type)).decode()
    except UnicodeDecodeError:
        raise UnreadableRecordError(f"{names.ce_type}: expected UTF-8") from None


def _time_ms(values: dict[str, bytes], name: str) -> int:
    value = values.get(name) or _missing(name)
    try:
        time_ms = (datetime.fromisoformat(value.decode("ascii")) - _epoch) // _millisecond
    except (ValueError, TypeError):  # TypeError: a time without a zone
        raise UnreadableRecordError(f"{name}: expected a time by RFC 3339") from None
    if not earliest_ms <= time_ms <= latest_ms:
        raise UnreadableRecordError(f"{name}: expected a time from year 1 to 9999 in UTC")
    return time_ms


def _revision(values: dict[str, bytes]) -> int:
    value = values.get(names.revision_header)
    if value is None:
        return 1
    if not value.isdigit() or len(value) > _revision_digits:
        raise UnreadableRecordError(f"{names.revision_header}: expected a small number")
    return int(value)


def _missing(name: str) -> NoReturn:
    raise UnreadableRecordError(f"the record has no header {name}")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
