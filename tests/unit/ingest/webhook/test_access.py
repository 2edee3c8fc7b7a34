"""Who may send, in addition to the signature: by network, and by a header of the operator's own."""

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from ingest.apps.registry import App, Credential
from ingest.webhook.access import AccessFault, ForeignAccounts, access_fault
from ingest.webhook.responses import Unavailable

networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
credential = Credential(b"x-zoom", "right-välue".encode())


def fault(
    app: App,
    *,
    peer: str = "192.0.2.1",
    forwarded: Sequence[bytes] = (),
    credentials: Sequence[bytes] = (),
    hops: int = 0,
) -> AccessFault | None:
    return access_fault(app, peer=peer, forwarded=forwarded, credentials=credentials, hops=hops)


def test_an_app_that_asks_for_nothing_lets_everybody_pass() -> None:
    assert fault(App("a", (b"s",)), peer="anything", hops=3) is None


@pytest.mark.parametrize(
    "peer", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.1", "::ffff:c000:201", "2001:db8::1"]
)
def test_a_peer_of_a_listed_network_passes(peer: str) -> None:
    assert fault(App("a", (b"s",), networks=networks), peer=peer) is None


@pytest.mark.parametrize(
    "peer",
    ["192.0.3.0", "::ffff:192.0.3.1", "2001:db9::1", "::192.0.2.1", "", "unix", "192.0.2.1/"],
)
def test_any_other_peer_does_not(peer: str) -> None:
    assert fault(App("a", (b"s",), networks=networks), peer=peer) is AccessFault.NETWORK


@pytest.mark.parametrize(
    ("forwarded", "hops"),
    [
        ([b"192.0.2.1"], 1),
        ([b"203.0.113.9, 192.0.2.1"], 1),
        ([b"203.0.113.9", b"192.0.2.1"], 1),
        ([b"203.0.113.9,192.0.2.1 ,198.51.100.1"], 2),
        ([b"203.0.113.9", b"192.0.2.1, 198.51.100.1"], 2),
        ([b"192.0.2.1:51234"], 1),
        ([b"[2001:db8::1]:51234"], 1),
        ([b"[2001:db8::1]"], 1),
        ([b"::ffff:192.0.2.1"], 1),
    ],
)
def test_behind_proxies_the_address_that_the_outermost_of_ours_saw_counts(
    forwarded: list[bytes], hops: int
) -> None:
    app = App("a", (b"s",), networks=networks)
    assert fault(app, peer="198.51.100.7", forwarded=forwarded, hops=hops) is None


@pytest.mark.parametrize(
    ("forwarded", "hops"),
    [
        ([], 1),
        ([b""], 1),
        ([b"192.0.2.1, 203.0.113.9"], 1),
        ([b"192.0.2.1"], 2),
        ([b"192.0.2.1", b""], 1),
        ([b"unknown"], 1),
        ([b"\xff\xfe"], 1),
        ([b"192.0.2.1\x00"], 1),
    ],
)
def test_an_address_that_only_the_sender_wrote_or_nobody_does_not_pass(
    forwarded: list[bytes], hops: int
) -> None:
    app = App("a", (b"s",), networks=networks)
    assert fault(app, forwarded=forwarded, hops=hops) is AccessFault.NETWORK


def test_without_proxies_what_was_forwarded_does_not_count() -> None:
    app = App("a", (b"s",), networks=networks)
    assert fault(app, peer="203.0.113.9", forwarded=[b"192.0.2.1"]) is AccessFault.NETWORK


def test_the_right_credential_passes() -> None:
    app = App("a", (b"s",), credential=credential)
    assert fault(app, credentials=["right-välue".encode()]) is None


@pytest.mark.parametrize(
    "credentials",
    [
        [],
        [b""],
        [b"right-v"],
        ["right-välue ".encode()],
        ["Right-välue".encode()],
        ["right-välue".encode("latin-1")],
        ["right-välue".encode()] * 2,
        [b"\xff"],
    ],
)
def test_a_missing_wrong_or_repeated_credential_does_not(credentials: list[bytes]) -> None:
    app = App("a", (b"s",), credential=credential)
    assert fault(app, credentials=credentials) is AccessFault.CREDENTIAL


def test_of_both_the_network_is_named_first() -> None:
    app = App("a", (b"s",), networks=networks, credential=credential)
    assert fault(app, peer="203.0.113.9") is AccessFault.NETWORK
    assert fault(app) is AccessFault.CREDENTIAL
    assert fault(app, credentials=[credential.value]) is None


def test_each_fault_is_a_reason_why_a_signed_request_was_not_kept() -> None:
    assert {fault.value for fault in AccessFault} <= {reason.value for reason in Unavailable}


def test_each_account_has_its_hour_and_another_one_once_the_list_was_changed() -> None:
    foreign = ForeignAccounts(grace_s=3600)
    app = App("a", (b"s",), accounts=frozenset({"A"}))

    def sent_again(account: str, now_s: float, *, of: App = app, age_s: float = 0) -> bool:
        return foreign.should_retry(of, account, age_s=age_s, now_s=now_s)

    assert sent_again("B", 0)
    assert sent_again("B", 3599)
    assert not sent_again("B", 3600)
    assert sent_again("C", 3600)
    assert sent_again("B", 3600, of=App("a", (b"s",), accounts=frozenset({"A", "C"})))
    assert sent_again("B", 3600, of=App("b", (b"s",), accounts=frozenset({"A"})))


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(-60, True), (3599, True), (3600, False), (85 * 60, False), (3 * 3600, True)],
)
def test_a_late_attempt_is_kept_because_it_may_be_the_last(age_s: float, expected: bool) -> None:  # noqa: FBT001 - what a case expects
    foreign = ForeignAccounts(grace_s=3600)
    app = App("a", (b"s",), accounts=frozenset({"A"}))
    assert foreign.should_retry(app, "B", age_s=age_s, now_s=0) is expected


def test_of_very_many_accounts_the_first_are_forgotten() -> None:
    foreign = ForeignAccounts(grace_s=10)
    app = App("a", (b"s",), accounts=frozenset({"A"}))
    for number in range(1025):
        assert foreign.should_retry(app, f"{number}", age_s=0, now_s=0)
    assert foreign.should_retry(app, "0", age_s=0, now_s=20)
    assert not foreign.should_retry(app, "1024", age_s=0, now_s=20)
