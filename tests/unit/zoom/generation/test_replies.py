"""Replies: how a list pages, which statuses and codes there are."""

from tests.support.generated_operations import only, thing_deleted
from tests.support.vendor_rest_document import document, in_path, listing, operation, query


def test_a_list_pages_by_a_token_and_names_its_array() -> None:
    size = query("page_size", type="integer", default=30, maximum=300)
    replied = listing(
        page_size={"type": "integer", "maximum": 100},
        total_records={"type": "integer"},
        has_more={"type": "boolean"},
    )
    taken = (query("next_page_token"), size)
    read = only(document(**{"get_/things": operation(parameters=taken, reply=replied)}))
    assert (read.name, read.reply.items) == ("list_things", "things")
    assert read.paging is not None
    assert (read.paging.style, read.paging.size_default, read.paging.size_max) == (
        "next_page_token",
        30,
        300,
    )
    assert (read.paging.reply_size_max, read.paging.total_records) == (100, True)
    assert read.paging.has_more


def test_a_size_that_is_typed_as_a_text_has_no_number() -> None:
    taken = (query("next_page_token"), query("page_size", default="30"))
    read = only(document(**{"get_/things": operation(parameters=taken, reply=listing())}))
    assert read.paging is not None
    assert read.paging.size_default is None


def test_a_token_that_no_request_takes_and_page_numbers_are_styles_of_their_own() -> None:
    token = only(document(**{"get_/things": operation(reply=listing())}))
    assert token.paging is not None
    assert token.paging.style == "reply_token_only"

    replied = {"type": "object", "properties": {"data": {"type": "array"}}}
    taken = (query("page", type="integer"), query("page_size", type="integer"))
    numbers = only(document(**{"get_/things": operation(parameters=taken, reply=replied)}))
    assert numbers.paging is not None
    assert numbers.paging.style == "page_number"


def test_a_single_thing_does_not_page_and_its_inner_arrays_make_it_no_list() -> None:
    replied = {"type": "object", "properties": {"parts": {"type": "array"}}}
    published = operation(parameters=(in_path("thingId"),), reply=replied)
    one = only(document(**{"get_/things/{thingId}": published}))
    assert (one.paging, one.reply.items) == (None, None)


def test_codes_stand_by_their_status_each_once_and_a_status_without_codes_has_none() -> None:
    code = "**Error Code:**"
    text = f"{code} `300` <br> prose {code} `300 ` <br> {code}`124` <br> {code} `` prose"
    read = only(document(**{"get_/a": operation(failures={"400": text, "429": "Too many."})}))
    assert read.errors == {400: (300, 124), 429: ()}


def test_a_reply_without_a_body_has_no_content_type() -> None:
    read = only(document(**{"delete_/things/{thingId}": thing_deleted()}))
    assert (read.reply.status, read.reply.content_type) == (204, None)
