"""Pure: the access rules of an app: networks, a credential, accounts.

They are a second lock behind the signature, for deployments that want one. A refusal may come from
a mistake in our settings, so the request gets 503, and Zoom retries it while there is time to
correct them.
"""

import hmac
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from ingest.apps.registry import App, Network
from ingest.http.client_address import Address, source_address

_max_accounts: Final = 1024
"""Accounts remembered. Only Zoom can name them, because the body is signed."""

_late_s: Final = 7200.0
"""Zoom's last attempt comes 85 minutes after the event (source: Zoom webhooks, retry rules)."""


class AccessFault(StrEnum):
    """Why a request is refused; a closed set for labels."""

    NETWORK = "network"
    CREDENTIAL = "credential"


def access_fault(
    app: App, *, peer: str, forwarded: Sequence[bytes], credentials: Sequence[bytes], hops: int
) -> AccessFault | None:
    """Return why the request is refused, None if it is not.

    ``peer`` is the address at the other end of the connection. ``forwarded`` are all values of
    X-Forwarded-For, in order, into which ``hops`` proxies of ours wrote. With 0 the peer counts,
    else the n-th address from the right, because the sender may have written those to its left.
    ``credentials`` are all values of the header that the app's credential names. A second value is
    refused, because two readers could pick differently.
    """
    if app.networks and not _is_in(source_address(peer, forwarded, hops), app.networks):
        return AccessFault.NETWORK
    if app.credential is None:
        return None
    right = len(credentials) == 1 and hmac.compare_digest(credentials[0], app.credential.value)
    return None if right else AccessFault.CREDENTIAL


class ForeignAccounts:
    """Decides whether Zoom should retry an event of an account that its app does not list.

    The grace period begins with the first event of an account, and again when the accounts of the
    app change. It is over for an event that is older than that: this is a late attempt, perhaps
    Zoom's last, and another process may have answered the first.
    """

    def __init__(self, *, grace_s: float) -> None:
        self._grace_s = grace_s
        self._first_s: dict[tuple[str, frozenset[str], str], float] = {}

    def should_retry(self, app: App, account_id: str, *, age_s: float, now_s: float) -> bool:
        """Decide for an event of this age; ``now_s`` is of the monotonic clock."""
        key = (app.name, app.accounts, account_id)
        if key not in self._first_s and len(self._first_s) >= _max_accounts:
            del self._first_s[next(iter(self._first_s))]
        first_s = self._first_s.setdefault(key, now_s)
        is_late = self._grace_s <= age_s < self._grace_s + _late_s
        return now_s - first_s < self._grace_s and not is_late


def _is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
