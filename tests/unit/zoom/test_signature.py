from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom.signature import SignatureError, SignatureFault, encrypted_token, is_claimed, sign, verify

now_s = 1_751_364_000.5
timestamp = b"1751364000"
secrets = (b"the-newest-secret", b"the-older-secret")
body = b'{"event":"contact_center.engagement_started"}'
signature = sign(body, timestamp=timestamp, secret=secrets[0])


def check(
    *,
    signatures: Sequence[bytes] = (signature,),
    timestamps: Sequence[bytes] = (timestamp,),
    now_s: float = now_s,
    body: bytes = body,
) -> int:
    return verify(
        body,
        timestamps=timestamps,
        signatures=signatures,
        secrets=secrets,
        now_s=now_s,
        window_s=300,
    )


def fault(**case: object) -> SignatureFault:
    with pytest.raises(SignatureError) as caught:
        check(**case)  # type: ignore[arg-type]  # each case names one argument of check
    return caught.value.fault


def test_it_tells_which_secret_verified() -> None:
    assert check() == 0
    assert check(signatures=[sign(body, timestamp=timestamp, secret=secrets[1])]) == 1


def test_a_secret_that_is_not_listed_does_not_verify() -> None:
    forged = sign(body, timestamp=timestamp, secret=b"gone")
    assert fault(signatures=[forged]) is SignatureFault.SIGNATURE_WRONG


def test_another_body_does_not_verify() -> None:
    assert fault(body=body + b" ") is SignatureFault.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "given",
    [
        signature.upper(),
        signature[:-1],
        signature + b"0",
        signature.replace(b"v0=", b"v1="),
        signature.removeprefix(b"v0="),
        b"v0=",
        "v0=ünïcödé".encode(),
        b"\xff" * 67,
        b"x" * 100_000,
    ],
)
def test_a_signature_of_another_form_is_wrong_and_nothing_else(given: bytes) -> None:
    assert fault(signatures=[given]) is SignatureFault.SIGNATURE_WRONG


@pytest.mark.parametrize("absent", [(), (b"",)])
def test_what_is_absent_or_empty_is_missing(absent: Sequence[bytes]) -> None:
    assert fault(signatures=absent) is SignatureFault.SIGNATURE_MISSING
    assert fault(timestamps=absent) is SignatureFault.TIMESTAMP_MISSING


def test_a_second_value_is_refused_even_if_it_is_the_same() -> None:
    assert fault(signatures=[signature, signature]) is SignatureFault.SIGNATURE_REPEATED
    assert fault(timestamps=[timestamp, timestamp]) is SignatureFault.TIMESTAMP_REPEATED


@pytest.mark.parametrize(
    "given",
    [
        b"-1751364000",
        b"+1751364000",
        b"1751364000.0",
        b"1751364000000",
        b"1" + b"0" * 30,
        b"1e9",
        b"0x6863f2a0",
        "\uff11\uff17\uff15".encode(),
        b"\xb2\xb3",
        b"now",
    ],
)
def test_a_timestamp_that_is_no_count_of_seconds_is_malformed(given: bytes) -> None:
    signed = sign(body, timestamp=given, secret=secrets[0])
    assert fault(timestamps=[given], signatures=[signed]) is SignatureFault.TIMESTAMP_MALFORMED


@pytest.mark.parametrize("skew_s", [-300, -0.015, 0, 299.5, 300])
def test_a_clock_may_differ_by_the_window_in_either_direction(skew_s: float) -> None:
    assert check(now_s=int(timestamp) + skew_s) == 0


@pytest.mark.parametrize("skew_s", [-300.5, 300.5, -1_700_000_000, 1e9])
def test_a_signed_request_outside_of_the_window_is_distinguished_from_a_forgery(
    skew_s: float,
) -> None:
    late = int(timestamp) + skew_s
    assert fault(now_s=late) is SignatureFault.TIMESTAMP_OUTSIDE_WINDOW
    assert fault(now_s=late, signatures=[b"v0=0"]) is SignatureFault.SIGNATURE_WRONG


def test_an_error_tells_its_fault_and_nothing_of_what_was_sent() -> None:
    with pytest.raises(SignatureError, match=r"^signature_wrong$"):
        check(signatures=[b"v0=something"])


@given(body=st.binary(max_size=200), secret=st.binary(min_size=1, max_size=80))
def test_whatever_was_signed_verifies(body: bytes, secret: bytes) -> None:
    signed = sign(body, timestamp=timestamp, secret=secret)
    index = verify(
        body,
        timestamps=[timestamp],
        signatures=[signed],
        secrets=[secret],
        now_s=now_s,
        window_s=300,
    )
    assert index == 0


@given(
    signatures=st.lists(st.binary(max_size=80), max_size=3),
    timestamps=st.lists(st.binary(max_size=40), max_size=3),
)
def test_whatever_the_headers_hold_the_only_error_is_a_fault(
    signatures: list[bytes], timestamps: list[bytes]
) -> None:
    with pytest.raises(SignatureError):
        check(signatures=signatures, timestamps=timestamps)


def test_a_challenge_is_answered_in_lower_case_hexadecimal() -> None:
    answer = encrypted_token("täken", secret=b"s")
    assert len(answer) == 64
    assert answer == answer.lower()


@pytest.mark.parametrize(
    ("timestamps", "signatures", "expected"),
    [
        ([b"1751364000"], [b"v0=" + b"a" * 64], True),
        ([], [b"v0=" + b"a" * 64], False),
        ([b"1751364000"], [], False),
        ([b"1751364000"] * 2, [b"v0=" + b"a" * 64], False),
        ([b"now"], [b"v0=" + b"a" * 64], False),
        ([b"1751364000"], [b"v0=" + b"a" * 63], False),
    ],
)
def test_headers_of_the_form_that_a_signed_request_has_claim_a_signature(
    timestamps: Sequence[bytes],
    signatures: Sequence[bytes],
    expected: bool,  # noqa: FBT001 - what a case expects
) -> None:
    assert is_claimed(timestamps=timestamps, signatures=signatures) is expected
