r"""Pure: splits the value of an enriched record into texts that ``jsonb`` accepts.

The webhook body and the member ``enrichment`` are split as bytes, so that numbers keep their
notation. JSON allows two things that ``jsonb`` does not: the character NUL, and a number with more
than 16,383 digits after its point. A tolerant parser accepts further ones
(`schemas.tolerant_json`). For all these ``jsonb`` gets a sanitised form (U+FFFD, 0, null), and the
verbatim body is stored as well.

Source: PostgreSQL, 8.14 JSON types (``\u0000``) and 8.1.2 (numeric: digits after the point).
"""

import json
import re
from typing import Final, NamedTuple, cast

from schemas import tolerant_json
from schemas.envelope import JsonObject, parse_json, read_json
from schemas.tolerant_json import byte_order_mark, replacement

_member: Final = b',"enrichment":'
_digits_behind_point: Final = 16_383
_exponent_digits: Final = 6
_small_e: Final = re.compile(rb"e-[0-9]{5}").search
_small_upper_e: Final = re.compile(rb"E-[0-9]{5}").search
"""Finds the text of a short number beyond the bound, and hardly anything else. Two patterns,
because one that begins with a literal is found twenty times as fast."""
_many_digits: Final = re.compile(rb"\.[0-9]{6000}")
"""Finds a long one."""


class RecordContent(NamedTuple):
    """A record's value, parsed once. ``payload`` and ``enrichment`` are JSON texts for jsonb.

    ``verbatim`` is the webhook body where ``payload`` differs from it, else None.
    """

    parsed: JsonObject
    payload: bytes
    enrichment: bytes | None
    verbatim: bytes | None


def read_content(value: bytes) -> RecordContent:
    """Split a value.

    Raises:
        UnreadableError: not JSON, or nested too deeply.
    """
    json_text = parse_json(value)
    parsed = _members(json_text.value)
    body, enrichment = _apart(value) if "enrichment" in parsed else (value, None)
    if json_text.exact is None and _fits(value):
        return RecordContent(parsed, body, enrichment, None)
    payload, clean = _sanitised(body)
    parsed = _members(clean)
    if enrichment is not None:
        enrichment, names = _sanitised(enrichment)
        parsed = {**parsed, "enrichment": names}
    return RecordContent(parsed, payload, enrichment, body if payload is not body else None)


def without_nul(value: str) -> str:
    """Return a text that Postgres can store."""
    return value.replace("\0", replacement)


def _members(parsed: object) -> JsonObject:
    """Return the members of an object; any other value has none, and is not an event."""
    return cast("JsonObject", parsed) if isinstance(parsed, dict) else {}


def _apart(value: bytes) -> tuple[bytes, bytes | None]:
    """Undo the enrichment, which appended its member before the last brace, without spaces."""
    start = value.rfind(_member)
    if start < 0:
        return value, None
    end = value.rindex(b"}")
    return value[:start] + value[end:], value[start + len(_member) : end]


def _fits(value: bytes) -> bool:
    if b"\\u0000" in value:
        return False
    if _small_e(value) or _small_upper_e(value):
        return False
    return len(value) <= _digits_behind_point or not _many_digits.search(value)


def _sanitised(document: bytes) -> tuple[bytes, object]:
    """Return the document itself where it needs no change."""
    refused = document.startswith(byte_order_mark)

    def number(literal: str) -> float | str:
        nonlocal refused
        if _holds(literal):
            return tolerant_json.number(literal)
        refused = True
        return 0.0

    parsed = tolerant_json.exact(document, number=number)
    clean = _clean(tolerant_json.repaired(parsed))
    if refused or clean != parsed:
        document = json.dumps(clean, ensure_ascii=False, separators=(",", ":")).encode()
    return document, read_json(document)  # with numbers as in all other documents


def _holds(literal: str) -> bool:
    mantissa, _, exponent = literal.lower().partition("e")
    if len(exponent.lstrip("+-0")) > _exponent_digits:
        return False
    behind_point = len(mantissa.partition(".")[2])
    return behind_point - int(exponent or "0") <= _digits_behind_point


def _clean(node: object) -> object:
    if isinstance(node, str):
        return without_nul(node)
    if isinstance(node, dict):
        return {without_nul(name): _clean(child) for name, child in node.items()}
    if isinstance(node, list):
        return [_clean(child) for child in node]
    return node
