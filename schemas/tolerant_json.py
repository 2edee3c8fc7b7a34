"""Pure: reads JSON that RFC 8259 allows and a strict parser refuses.

Three valid things are refused: half of a surrogate pair written as an escape (section 8.2 leaves it
to the receiver), a number outside the range of a double (section 6 sets no bound), and a byte order
mark before the text (section 8.1: generators must not write one, parsers may ignore it). This
reader accepts them, and nothing outside the grammar: no NaN, no trailing comma, no bytes that are
not UTF-8.

`exact` keeps the original, for identities: half a pair stays half a pair, and a number outside the
range of a double is the text of its literal. `repaired` returns a value that every parser and store
accepts: U+FFFD for the half, null for the number.
"""

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Final, NoReturn

replacement: Final = "\N{REPLACEMENT CHARACTER}"

byte_order_mark: Final = b"\xef\xbb\xbf"
_half_pair: Final = re.compile("[\ud800-\udfff]")
_min_integer: Final = -(2**63)
_max_integer: Final = 2**64 - 1
"""Integers beyond 64 bits are doubles, as orjson has them."""
_integer_digits: Final = 20
"""The most characters of an integer of 64 bits, its sign included."""


class _Beyond(str):
    """The literal of a number outside the range of a double."""

    __slots__ = ()


def number(literal: str) -> float | str:
    """Return the double nearest to a literal, or the literal where it is out of range."""
    nearest = float(literal)
    return _Beyond(literal) if isinf(nearest) else nearest


def exact(body: bytes, *, number: Callable[[str], float | str] = number) -> object:
    """Parse a text. Complete pairs of escapes become one character, as everywhere.

    ``number`` reads the literals that are not integers of 64 bits.

    Raises:
        ValueError: it is not JSON as RFC 8259 defines it.
        RecursionError: it is nested more deeply than the stack allows.
    """

    def integer(literal: str) -> float | str:
        # For many digits `int` takes quadratic time, and it refuses more than 4,300.
        if len(literal) <= _integer_digits and _min_integer <= int(literal) <= _max_integer:
            return int(literal)
        return number(literal)

    text = body.removeprefix(byte_order_mark).decode()
    parsed: object = json.loads(text, parse_float=number, parse_int=integer, parse_constant=_refuse)
    return parsed


def repaired(node: object) -> object:
    """Return a parsed value in which everything is acceptable to other parsers and stores.

    Of members whose names become equal the last one stays, as of members with equal names before.
    """
    if isinstance(node, _Beyond):
        return None
    if isinstance(node, str):
        return _half_pair.sub(replacement, node)
    if isinstance(node, dict):
        return {_half_pair.sub(replacement, name): repaired(value) for name, value in node.items()}
    if isinstance(node, list):
        return [repaired(item) for item in node]
    return node


def written(value: object) -> bytes:
    """Write the result of `exact`, members sorted by name and without spaces.

    A half pair is written as the three bytes that UTF-8 would have for it.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"expected JSON, got {constant}")
