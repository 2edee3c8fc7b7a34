"""A file that is no OpenAPI document, or not whole, is refused with the place and the cause."""

import json

import pytest

from schemas.generation import SchemaSourceError, read_document
from schemas.generation.document import JsonPointer
from tests.support.vendor_document import document, text_of, webhook

good = document(first=webhook("first", {"a~b/c": {"type": "string"}}), second=webhook("second", {}))


def refused(text: bytes) -> SchemaSourceError:
    with pytest.raises(SchemaSourceError) as raised:
        read_document(text)
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_good_document_is_read_with_or_without_a_byte_order_mark() -> None:
    assert read_document(text_of(good)) == good
    assert read_document(b"\xef\xbb\xbf" + text_of(good)) == good


@pytest.mark.parametrize(
    ("text", "pointer", "cause"),
    [
        (b"", "", "the text ends here, in line 1: it is not whole"),
        (b"openapi: 3.1.0\n", "", "expected JSON: line 1 column 1: Expecting value"),
        (b"\xff\xfe{", "", "expected UTF-8: byte 0 is not"),
        (b"[]", "", "expected an object, got an array"),
        (b"null", "", "expected an object, got null"),
        (b"true", "", "expected an object, got a boolean"),
        (b"7", "", "expected an object, got a number"),
        (b'"x"', "", "expected an object, got a string"),
        (b'{"swagger":"2.0"}', "", "expected an OpenAPI document: it has no member 'openapi'"),
        (b'{"openapi":3.1}', "/openapi", "expected a string, got a number"),
        (b'{"openapi":{}}', "/openapi", "expected a string, got an object"),
        (b'{"openapi":"2.0"}', "/openapi", "expected OpenAPI 3, got '2.0'"),
        (b'{"openapi":NaN}', "", "expected JSON, got NaN"),
        (b"[" * 100_000, "", "nested too deeply to be read"),
        (b'{"a":{"b/c":[1,{"d":[[],"x"', "/a/b~1c/1/d/1", "the text ends here, in line 1"),
        (b'{"a":{"b":1},"c', "", "the text ends here, in line 1"),
        (b'{"a":{"b":"x\\"', "/a/b", "the text ends here, in line 1"),
        (b'{\n"a":[1,2,\n', "/a/2", "the text ends here, in line 3"),
        (b'{"a":[1,oops]}', "/a/1", "expected JSON: line 1 column 9: Expecting value"),
    ],
)
def test_what_is_no_document_is_refused_at_its_place(text: bytes, pointer: str, cause: str) -> None:
    error = refused(text)
    assert error.pointer == pointer
    assert error.cause.startswith(cause)
    assert str(error).startswith(f"#{pointer}: {cause}")


def test_a_document_cut_anywhere_is_refused() -> None:
    whole = text_of(good)
    for end in range(0, len(whole) - 1, 7):
        assert refused(whole[:end])


def test_an_event_that_stands_twice_is_refused_where_it_stands() -> None:
    item = f'"contact_center.first":{json.dumps(webhook("first", {}))}'
    text = f'{{"openapi":"3.1.0","webhooks":{{{item},{item}}}}}'
    error = refused(text.encode())
    assert (error.pointer, error.cause) == ("/webhooks/contact_center.first", "stands twice")


def test_a_member_that_stands_twice_in_an_item_of_an_array_is_refused() -> None:
    error = refused(b'{"openapi":"3.1.0","x":[{},{"a":1,"b":2,"b":3}]}')
    assert error.pointer == "/x/1/b"


def test_a_place_that_is_no_array_says_so() -> None:
    with pytest.raises(SchemaSourceError, match="#/required: expected an array, got a string"):
        JsonPointer("x", "/required").as_list()
