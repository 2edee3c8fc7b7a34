"""Signatures computed by another program (`openssl dgst -sha256 -mac HMAC`) over the same bytes.

Bodies are what breaks a verifier that parses and writes again: spaces, escapes, emoji, duplicate
keys, a byte order mark, bytes that are no text.
"""

import json

import pytest

from zoom.signature import encrypted_token, sign, verify

timestamp = b"1751364000"
secret = b"vector-secret"

vectors = {
    "canonical": (
        b'{"event":"a","event_ts":1}',
        "d45e1983986466922ea06afce5a56018152b17405cb65454a04337673ee8c9d6",
    ),
    "spaces and exponents": (
        b'{ "event" : "a",\n  "event_ts": 1.0e0 }\n',
        "a5b26ad1196bf12520de3bba3eea9b049503c59f10f08e516a399a0394f7b984",
    ),
    "emoji as UTF-8": (
        '{"name":"😀 Zoë"}'.encode(),
        "6e50d96e0b75c742591b657b24be86bbd9e17d9d4905f584706c5e6b2bd388d6",
    ),
    "emoji escaped": (
        b'{"name":"\\ud83d\\ude00 Zo\\u00eb"}',
        "05306251a071d5b7b96bf1616dac77965c9a65e9b92320eb92669b9fd9089147",
    ),
    "duplicate keys": (
        b'{"a":1,"a":2}',
        "c323822f25a987423b1b38b9512794d9dc4439613ce93641d69c40d330478a06",
    ),
    "escaped slashes": (
        b'{"url":"https:\\/\\/example.com\\/"}',
        "4d6eafdb4b7441469e88d0011b6780107cfdd9a2c345f7208eb08eb9643b2aa1",
    ),
    "empty": (b"", "5715f200d6cf45b14377ebedace7ff4ac595c8ebdbe9c7e96eb9290dc0198260"),
    "byte order mark": (
        b"\xef\xbb\xbf{}",
        "c82f300739f02322d05d156d8c95490787f471821a78b26f7ab3b63662811bdf",
    ),
    "no text": (
        b"\xff\xfe\x01\x02",
        "191e0ed684cbb56dca5dd18a9dfadf4389115e6f2ff2fc5fbd997d589a6b64b9",
    ),
}


@pytest.mark.parametrize("name", vectors)
def test_the_signature_of_a_vector_is_that_of_the_other_program(name: str) -> None:
    body, digest = vectors[name]
    assert sign(body, timestamp=timestamp, secret=secret) == b"v0=" + digest.encode()


@pytest.mark.parametrize("name", vectors)
def test_a_vector_verifies_on_its_raw_bytes(name: str) -> None:
    body, digest = vectors[name]
    index = verify(
        body,
        timestamps=[timestamp],
        signatures=[b"v0=" + digest.encode()],
        secrets=[b"another", secret],
        now_s=int(timestamp) + 1,
        window_s=300,
    )
    assert index == 1


@pytest.mark.parametrize(
    "name", ["spaces and exponents", "emoji as UTF-8", "duplicate keys", "escaped slashes"]
)
def test_a_body_that_was_written_again_has_another_signature(name: str) -> None:
    body, digest = vectors[name]
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert sign(again, timestamp=timestamp, secret=secret) != b"v0=" + digest.encode()


def test_a_secret_that_is_not_ascii_signs_as_utf_8() -> None:
    signature = sign(
        b'{"event":"a","event_ts":1}', timestamp=timestamp, secret="vector-schlüssel-🔑".encode()
    )
    assert signature == b"v0=9f65f42fb651e2843b0325b15fb9d6de405ec3e4636e2ac30ff20f8c4409f46e"


def test_the_answer_to_a_challenge_is_that_of_the_other_program() -> None:
    answer = encrypted_token("plain-token-of-a-vector", secret=secret)
    assert answer == "8081cac2e520b43f949fb3b273fb6266d8933620d61234ebe7b5fcbd33f4f28d"
