"""Reading the envelope: what is an event, and what goes to quarantine under which reason."""

import orjson
import pytest

from schemas.envelope import (
    Envelope,
    UnreadableError,
    deepest_nesting,
    parse_json,
    read_envelope,
    read_json,
)
from schemas.reasons import QuarantineReason

good = {"event": "e", "event_ts": 1, "payload": {"account_id": "A", "object": {"x": 1}}}


def body(**changes: object) -> bytes:
    return orjson.dumps({name: v for name, v in {**good, **changes}.items() if v is not ...})


def test_an_envelope_is_read() -> None:
    assert read_envelope(body()) == Envelope("A", "e", 1, {"x": 1})


def test_an_event_without_an_object_has_an_empty_one() -> None:
    assert read_envelope(body(payload={"account_id": "A"})).object == {}


def test_a_null_character_in_a_string_is_readable() -> None:
    text = b'{"event":"e","event_ts":1,"payload":{"account_id":"A","object":{"x":"\\u0000"}}}'
    assert read_envelope(text).object == {"x": "\0"}


@pytest.mark.parametrize(
    ("odd", "value", "exact"),
    [
        (b'"cut \\ud83d"', "cut \ufffd", "cut \ud83d"),
        (
            b'"\\ude00\\ud83d\\ud83d\\ude00"',
            "\ufffd\ufffd\N{GRINNING FACE}",
            "\ude00\ud83d\N{GRINNING FACE}",
        ),
        (b'{"\\udfff":{"\\ud800":[1]}}', {"\ufffd": {"\ufffd": [1]}}, {"\udfff": {"\ud800": [1]}}),
        (b"1e309", None, "1e309"),
        (b"-1.5E+400", None, "-1.5E+400"),
        (b"9" * 400, None, "9" * 400),
        (b"9" * 5_000, None, "9" * 5_000),
        (b'["\\ud800",18446744073709551616,-1,1.5,true]', ["\ufffd", 2.0**64, -1, 1.5, True], ...),
    ],
    ids=["half", "order", "names", "exponent", "negative", "digits", "more-digits", "others"],
)
def test_what_is_valid_and_a_strict_parser_refuses_is_read(
    odd: bytes, value: object, exact: object
) -> None:
    text = b'{"x":%b}' % odd
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text)
    parsed = parse_json(text)
    assert parsed.value == read_json(text) == {"x": value}
    assert isinstance(parsed.exact, dict)
    if exact is not ...:
        assert parsed.exact == {"x": exact}
    assert orjson.loads(orjson.dumps(parsed.value)) == parsed.value


def test_a_mark_of_the_byte_order_is_ignored() -> None:
    assert read_envelope(b"\xef\xbb\xbf" + body()) == read_envelope(body())


def test_a_text_that_a_strict_parser_reads_has_no_other_form() -> None:
    assert parse_json(body()).exact is None


def test_members_next_to_the_object_are_kept_and_stand_in_for_it() -> None:
    envelope = read_envelope(body(payload={"account_id": "A", "operator": "o", "object": {"x": 1}}))
    assert (envelope.object, envelope.extra_members, envelope.entity) == (
        {"x": 1},
        {"operator": "o"},
        {"x": 1},
    )
    envelope = read_envelope(body(payload={"account_id": "A", "engagement_id": "E"}))
    assert (envelope.object, envelope.entity) == ({}, {"engagement_id": "E"})
    assert read_envelope(body()).extra_members == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", QuarantineReason.NOT_JSON),
        (b"not json", QuarantineReason.NOT_JSON),
        (b"\xff\xfe", QuarantineReason.NOT_JSON),
        (b"\xef\xbb\xbf{]", QuarantineReason.NOT_JSON),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", QuarantineReason.NOT_JSON),
        (b'{"a":Infinity}', QuarantineReason.NOT_JSON),
        (b'{"a":-Infinity,"b":1e309}', QuarantineReason.NOT_JSON),
        (b'{"a":["\\ud800",]}', QuarantineReason.NOT_JSON),
        (b'"\xed\xa0\x80"', QuarantineReason.NOT_JSON),
        (b'"\\ud800\t\x01"', QuarantineReason.NOT_JSON),
        (b'{"a":NaN}', QuarantineReason.NOT_JSON),
        (b'{"a":"\\ud800"}', QuarantineReason.NOT_AN_ENVELOPE),
        (b'{"a":' + b"1" * 5000 + b"}", QuarantineReason.NOT_AN_ENVELOPE),
        (b"[" * 100_000, QuarantineReason.TOO_DEEP),
        (b"[" * 1_100 + b"]" * 1_100, QuarantineReason.TOO_DEEP),
        (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", QuarantineReason.TOO_DEEP),
        (b"[]", QuarantineReason.NOT_AN_ENVELOPE),
        (b"null", QuarantineReason.NOT_AN_ENVELOPE),
        (b'"' + b"[" * 300 + b'"', QuarantineReason.NOT_AN_ENVELOPE),
        (body(event=...), QuarantineReason.NOT_AN_ENVELOPE),
        (body(event=""), QuarantineReason.NOT_AN_ENVELOPE),
        (body(event=7), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload=...), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload=[]), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload={"object": {}}), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload={"account_id": "", "object": {}}), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload={"account_id": 5, "object": {}}), QuarantineReason.NOT_AN_ENVELOPE),
        (body(payload={"account_id": "A", "object": []}), QuarantineReason.NOT_AN_ENVELOPE),
        (body(event_ts=...), QuarantineReason.NO_EVENT_TIME),
        (body(event_ts="1"), QuarantineReason.NO_EVENT_TIME),
        (body(event_ts=1.5), QuarantineReason.NO_EVENT_TIME),
        (body().replace(b":1,", b":1e309,"), QuarantineReason.NO_EVENT_TIME),
        (body(event_ts=True), QuarantineReason.NO_EVENT_TIME),
        (body(event_ts=-1), QuarantineReason.NO_EVENT_TIME),
        (body(event_ts=253_402_300_800_000), QuarantineReason.NO_EVENT_TIME),
    ],
)
def test_what_is_no_event_has_a_reason(text: bytes, reason: QuarantineReason) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_envelope(text)
    assert raised.value.reason is reason


def test_nesting_up_to_the_limit_is_readable_and_one_more_is_not() -> None:
    def nested(levels: int) -> bytes:
        return body(payload={"account_id": "A", "object": {}, "deep": _nest(levels)})

    assert read_envelope(nested(deepest_nesting - 2)).account_id == "A"
    with pytest.raises(UnreadableError):
        read_envelope(nested(deepest_nesting - 1))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_envelope(body(payload={"account_id": "A", "object": {"x": [[]] * 500}}))


def _nest(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value
