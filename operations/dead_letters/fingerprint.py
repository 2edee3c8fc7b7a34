"""Pure: a fingerprint of dead letters that ignores the numbers and ids in their errors."""

import hashlib
import re
from functools import lru_cache
from typing import Final

_varying: Final = re.compile(
    r"[\w+=-]*\d[\w+=-]*"  # a word with a digit in it: numbers, times, hashes, most ids
    r"|(?<![\w+-])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[\w+-]{22}(?:==)?(?![\w+-])"
    # An id of Zoom's: 16 bytes in Base64, of which every fortieth is without a digit.
)
_length: Final = 12


@lru_cache(maxsize=4_096)  # few different errors come in many letters
def fingerprint(worker: str, reason: str, event: str, error: str) -> str:
    """Return 12 hexadecimal digits, equal for letters that failed alike."""
    text = "\0".join((worker, reason, event, normalised(error)))
    return hashlib.sha256(text.encode()).hexdigest()[:_length]


def normalised(error: str) -> str:
    """Return an error with ``#`` for all that varies between two of its kind, on one line."""
    return " ".join(_varying.sub("#", error).split())
