"""Pure: reads JSON that RFC 8259 allows and a strict parser refuses.

Three things are valid and refused: half of a surrogate pair written as an escape (section 8.2
leaves it to the receiver), a number that no double holds (section 6 sets no bound), and a byte
order mark before the text (section 8.1: generators must not write one, parsers may ignore it).
This reader takes them, and nothing that the grammar does not have: no NaN, no comma at the end, no
bytes that are not UTF-8.

`exact` keeps what was written, for identities: half a pair stays half a pair, and a number that no
double holds is the text of its literal. `repaired` makes of it what every parser and store takes:
U+FFFD for the half, null for the number.
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
"""What an integer of 64 bits has at most, its sign included."""


class _Beyond(str):
    """The literal of a number that no double holds."""

    __slots__ = ()


def number(literal: str) -> float | str:
    """Return the double nearest to a literal, or the literal where no double holds it."""
    nearest = float(literal)
    return _Beyond(literal) if isinf(nearest) else nearest


def exact(body: bytes, *, number: Callable[[str], float | str] = number) -> object:
    """Parse a text. Whole pairs of escapes become one character, as everywhere.

    ``number`` reads the literals that are no integers of 64 bits.

    Raises:
        ValueError: it is not JSON as RFC 8259 defines it.
        RecursionError: it is nested more deeply than the stack allows.
    """

    def integer(literal: str) -> float | str:
        # Of many digits `int` takes quadratic time, and refuses more than 4,300.
        if len(literal) <= _integer_digits and _min_integer <= int(literal) <= _max_integer:
            return int(literal)
        return number(literal)

    text = body.removeprefix(byte_order_mark).decode()
    parsed: object = json.loads(text, parse_float=number, parse_int=integer, parse_constant=_refuse)
    return parsed


def repaired(node: object) -> object:
    """Return a parsed value with what no other parser or store takes replaced.

    Of members whose names become equal the last one stays, as of members that were equal before.
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
    """Write what `exact` returned, members sorted by name and without spaces.

    A half pair is written as the three bytes that UTF-8 would have for it.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"expected JSON, and {constant} is none")
