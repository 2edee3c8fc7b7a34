"""Pure: the answers of an operation: the successful reply, its pages, and error codes."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final, Literal

from schemas.generation.document import JsonPointer, SchemaSourceError
from zoom.catalogue import Paging, Parameter, Reply
from zoom.generation.optional_members import number, optional, text

_json: Final = "application/json"
_code: Final = re.compile(r"\*\*Error Code:\*\* ?`(\d+) ?`")


def success(operation: JsonPointer) -> tuple[int, JsonPointer | None]:
    """Return the status of success, and the schema of its body, if it has one.

    Raises:
        SchemaSourceError: there is none or more than one, or its body is not JSON.
    """
    responses = operation.member("responses")
    successes = [each for each in responses.members() if int(each[0]) < HTTPStatus.MULTIPLE_CHOICES]
    if len(successes) != 1:
        raise SchemaSourceError(responses.pointer, "expected one status that means success")
    ((status, replied),) = successes
    content = optional(replied, "content")
    if content is None:
        return int(status), None
    if list(content.as_object()) != [_json]:
        raise SchemaSourceError(content.pointer, f"expected {_json} alone")
    return int(status), content.member(_json).member("schema")


def paging(parameters: Sequence[Parameter], schema: JsonPointer | None) -> Paging | None:
    """Return how the operation pages, None where it does not.

    Raises:
        SchemaSourceError: a bound of a page's size cannot be read.
    """
    sent = {parameter.name: parameter for parameter in parameters if parameter.location == "query"}
    replied = optional(schema, "properties") if schema else None
    members = replied.as_object() if replied else {}
    style = _style(sent, members)
    if style is None:
        return None
    size = sent.get("page_size")
    text_of_reply = optional(replied, "page_size") if replied else None
    return Paging(
        style=style,
        size_default=size.default if size and isinstance(size.default, int) else None,
        size_max=size.maximum if size else None,
        reply_size_max=number(text_of_reply, "maximum") if text_of_reply else None,
        total_records="total_records" in members,
        has_more="has_more" in members,
    )


def _style(
    sent: Collection[str], replied: Collection[str]
) -> Literal["next_page_token", "reply_token_only", "page_number"] | None:
    if "next_page_token" in sent:
        return "next_page_token"
    if "next_page_token" in replied:
        return "reply_token_only"
    return "page_number" if "page" in sent and "page_size" in sent else None


def reply(status: int, schema: JsonPointer | None, *, is_list: bool) -> Reply:
    """Describe the successful reply.

    Raises:
        SchemaSourceError: it is a list, but has not exactly one array.
    """
    if schema is None:
        return Reply(status=status)
    arrays = list(_arrays(schema)) if is_list else []
    if is_list and len(arrays) != 1:
        raise SchemaSourceError(schema.pointer, "expected one array: the operation is a list")
    return Reply(status=status, content_type=_json, items=arrays[0] if arrays else None)


def error_codes(operation: JsonPointer) -> Mapping[int, tuple[int, ...]]:
    """Return the codes of each failing status; empty where the document has only the status.

    Raises:
        SchemaSourceError: the replies cannot be read.
    """
    return {
        int(status): tuple(dict.fromkeys(int(code) for code in _code.findall(text_of_reply)))
        for status, node in operation.member("responses").members()
        if int(status) >= HTTPStatus.BAD_REQUEST
        for text_of_reply in [text(node, "description")]
    }


def _arrays(schema: JsonPointer) -> Iterator[str]:
    properties = optional(schema, "properties")
    for name, member in properties.members() if properties else ():
        if text(member, "type") == "array":
            yield name
