"""Values taken apart, and what jsonb cannot hold."""

import orjson
import pytest

from schemas.envelope import UnreadableError
from sinks.postgres.model.content import read_content


def test_the_body_and_the_enrichment_are_cut_apart_byte_for_byte() -> None:
    body = b'{ "a" : 1.10, "b": 123456789012345678901234567890 }\n'
    value = body.replace(b"}", b',"enrichment":{"status":"complete"}}')
    content = read_content(value)
    assert (content.payload, content.enrichment) == (body, b'{"status":"complete"}')
    assert content.verbatim is None
    assert content.parsed["enrichment"] == {"status": "complete"}


def test_a_value_without_enrichment_is_all_body() -> None:
    content = read_content(b'{"a":{"x":1,"enrichment":{}}}')
    assert (content.payload, content.enrichment) == (b'{"a":{"x":1,"enrichment":{}}}', None)


def test_a_member_of_that_name_that_is_not_ours_stays_in_the_body() -> None:
    content = read_content(b'{"enrichment": {"a": 1}}')
    assert (content.payload, content.enrichment) == (b'{"enrichment": {"a": 1}}', None)


def test_nul_is_replaced_and_the_body_kept() -> None:
    content = read_content(b'{"a\\u0000":["x\\u0000y"],"enrichment":{"n":"\\u0000"}}')
    assert orjson.loads(content.payload) == {"a\ufffd": ["x\ufffdy"]}
    assert content.enrichment == '{"n":"\ufffd"}'.encode()
    assert content.verbatim == b'{"a\\u0000":["x\\u0000y"]}'
    assert content.parsed == {"a\ufffd": ["x\ufffdy"], "enrichment": {"n": "\ufffd"}}


def test_nul_in_the_enrichment_alone_leaves_the_body_as_it_is() -> None:
    content = read_content(b'{"a": 1,"enrichment":{"n":"\\u0000"}}')
    assert (content.payload, content.verbatim) == (b'{"a": 1}', None)


@pytest.mark.parametrize(
    "number",
    [b"1e-16384", b"12.5e-16383", b"1E-99999999999", b"0." + b"1" * 16_384, b"-1e-20000"],
)
def test_a_number_beyond_jsonb_becomes_zero_and_the_body_is_kept(number: bytes) -> None:
    content = read_content(b'{"a":%b}' % number)
    assert content.payload == b'{"a":0.0}'
    assert content.verbatim == b'{"a":%b}' % number


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":1e-16383}',
        b'{"a":1e-00001}',
        b'{"a":0.' + b"1" * 16_383 + b"}",
        b'{"a":"uuid-1e-12345"}',
        b'{"a":"\\\\u0000"}',
    ],
)
def test_what_only_looks_like_it_is_left_alone(value: bytes) -> None:
    content = read_content(value)
    assert (content.payload, content.verbatim) == (value, None)


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[" * 300 + b"]" * 300])
def test_what_is_no_json_cannot_be_read(value: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_content(value)


def test_what_is_no_object_has_no_members() -> None:
    assert read_content(b'["\\u0000"]').parsed == {}
