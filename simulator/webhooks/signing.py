"""Pure: Zoom's two uses of the app's secret token, independent of the product's code.

Source: Zoom webhooks, "Verify webhook events" and "Validate your webhook endpoint".
"""

import hashlib
import hmac


def signature(secret: str, *, timestamp_s: int, body: bytes) -> str:
    """Return the value of ``x-zm-signature`` for a body sent at this epoch second."""
    return "v0=" + _hmac_hex(secret, f"v0:{timestamp_s}:".encode() + body)


def encrypted_token(secret: str, plain_token: str) -> str:
    """Return the answer of an endpoint with the secret to this ``plainToken``."""
    return _hmac_hex(secret, plain_token.encode())


def _hmac_hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
