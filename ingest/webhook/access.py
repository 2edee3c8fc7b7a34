"""Pure: whether a request came from where, with what, and of whom its app wants it to come.

Asked after the signature was found right: this is a second lock, for deployments that want one.
What it keeps out may be kept out by a mistake in our settings, so Zoom is told to send it again
while there is time to mend them.
"""

import hmac
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from ingest.apps.registry import App, Network
from ingest.http.client_address import Address, source_address

_most_accounts: Final = 1024
"""Accounts remembered; they are signed, so only Zoom names them."""

_late_s: Final = 7200.0
"""Zoom's last attempt comes 85 minutes after the event (source: Zoom webhooks, retry rules)."""


class AccessFault(StrEnum):
    """What keeps a request out; a closed set for labels."""

    NETWORK = "network"
    CREDENTIAL = "credential"


def access_fault(
    app: App, *, peer: str, forwarded: Sequence[bytes], credentials: Sequence[bytes], hops: int
) -> AccessFault | None:
    """Return what keeps the request out, None where nothing does.

    ``peer`` is the address at the other end of the connection. ``forwarded`` are all values of
    X-Forwarded-For, in order; ``hops`` says how many proxies of ours wrote into it: with 0 the peer
    counts, else the address so far from the right, because what stands to the left of it is the
    sender's own word. ``credentials`` are all values of the header that the app's credential
    names; a second one is refused, because two readers could pick differently.
    """
    if app.networks and not _is_in(source_address(peer, forwarded, hops), app.networks):
        return AccessFault.NETWORK
    if app.credential is None:
        return None
    right = len(credentials) == 1 and hmac.compare_digest(credentials[0], app.credential.value)
    return None if right else AccessFault.CREDENTIAL


class ForeignAccounts:
    """Says whether an event of an account that its app does not list is to be sent again.

    The time to mend begins when the first event of an account is seen, and anew when the accounts
    of the app were changed. It ends for an event of its own once that is old enough: what comes
    then is a late attempt, perhaps Zoom's last, and another process may have seen the first.
    """

    def __init__(self, *, grace_s: float) -> None:
        self._grace_s = grace_s
        self._first_s: dict[tuple[str, frozenset[str], str], float] = {}

    def is_sent_again(self, app: App, account_id: str, *, age_s: float, now_s: float) -> bool:
        """Take note of an event that happened so long ago; ``now_s`` is of the monotonic clock."""
        key = (app.name, app.accounts, account_id)
        if key not in self._first_s and len(self._first_s) >= _most_accounts:
            del self._first_s[next(iter(self._first_s))]
        first_s = self._first_s.setdefault(key, now_s)
        is_late = self._grace_s <= age_s < self._grace_s + _late_s
        return now_s - first_s < self._grace_s and not is_late


def _is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
