"""Pure: verifies signatures of webhooks, and answers challenges.

The signature is ``v0=`` and the lower-case hexadecimal HMAC-SHA256 of ``v0:<timestamp>:<body>``
under the app's secret. It covers the received bytes: a body that was parsed and written again
verifies only until the first emoji or unusual space. Everything here compares bytes, because
`hmac.compare_digest` refuses non-ASCII text, and a header may hold anything.

Zoom signs each attempt with a fresh timestamp, so a retry after an hour is inside a window of
minutes. Source: Zoom webhooks, "Verify webhook events"; the window is ours (Zoom names none).
"""

import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

signature_header: Final = b"x-zm-signature"
timestamp_header: Final = b"x-zm-request-timestamp"

_signature: Final = re.compile(rb"v0=[0-9a-f]{64}")

_longest_timestamp: Final = 12
"""Digits. Seconds since 1970 have 10; milliseconds (13) are not a timestamp of a signature."""


class SignatureFault(StrEnum):
    """Why a request is not accepted as Zoom's; a closed set for labels."""

    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_REPEATED = "signature_repeated"
    SIGNATURE_WRONG = "signature_wrong"
    TIMESTAMP_MISSING = "timestamp_missing"
    TIMESTAMP_REPEATED = "timestamp_repeated"
    TIMESTAMP_MALFORMED = "timestamp_malformed"
    TIMESTAMP_OUTSIDE_WINDOW = "timestamp_outside_window"
    """The signature is right, but too old: a replay, or one of the two clocks is wrong."""


class SignatureError(Exception):
    """The request is not accepted as Zoom's. ``fault`` says why, without its content."""

    def __init__(self, fault: SignatureFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def verify(
    body: bytes,
    *,
    timestamps: Sequence[bytes],
    signatures: Sequence[bytes],
    secrets: Sequence[bytes],
    now_s: float,
    window_s: float,
) -> int:
    """Return the index of the secret that signed the body.

    ``timestamps`` and ``signatures`` are all values of the two headers. A second value is refused,
    because two readers could pick differently. The time is checked last, so
    `SignatureFault.TIMESTAMP_OUTSIDE_WINDOW` is never a forgery.

    Raises:
        SignatureError: not signed with any of the secrets, or outside of the window.
    """
    signature = _only(
        signatures, SignatureFault.SIGNATURE_MISSING, SignatureFault.SIGNATURE_REPEATED
    )
    timestamp = _only(
        timestamps, SignatureFault.TIMESTAMP_MISSING, SignatureFault.TIMESTAMP_REPEATED
    )
    if not _is_timestamp(timestamp):
        raise SignatureError(SignatureFault.TIMESTAMP_MALFORMED)
    index = _signing_secret(body, timestamp=timestamp, signature=signature, secrets=secrets)
    if abs(now_s - int(timestamp)) > window_s:
        raise SignatureError(SignatureFault.TIMESTAMP_OUTSIDE_WINDOW)
    return index


def is_claimed(*, timestamps: Sequence[bytes], signatures: Sequence[bytes]) -> bool:
    """Return whether a request has both headers in the form of a valid signature.

    It proves nothing; it serves requests whose body will not be read.
    """
    if len(timestamps) != 1 or len(signatures) != 1:
        return False
    (timestamp,), (signature,) = timestamps, signatures
    return _is_timestamp(timestamp) and _signature.fullmatch(signature) is not None


def sign(body: bytes, *, timestamp: bytes, secret: bytes) -> bytes:
    """Return the value of `signature_header` for a body."""
    digest = hmac.digest(secret, b"v0:%b:%b" % (timestamp, body), "sha256")
    return b"v0=" + digest.hex().encode()


def encrypted_token(plain_token: str, *, secret: bytes) -> str:
    """Return the answer to a challenge, which proves to Zoom that we hold the secret."""
    return hmac.digest(secret, plain_token.encode(), "sha256").hex()


def _signing_secret(
    body: bytes, *, timestamp: bytes, signature: bytes, secrets: Sequence[bytes]
) -> int:
    for index, secret in enumerate(secrets):
        if hmac.compare_digest(sign(body, timestamp=timestamp, secret=secret), signature):
            return index
    raise SignatureError(SignatureFault.SIGNATURE_WRONG)


def _is_timestamp(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _longest_timestamp


def _only(values: Sequence[bytes], missing: SignatureFault, repeated: SignatureFault) -> bytes:
    if not values or not values[0]:
        raise SignatureError(missing)
    if len(values) > 1:
        raise SignatureError(repeated)
    return values[0]
