"""Pure: cut a list into pages by ``page_size`` and ``next_page_token``.

Source: Zoom Contact Center REST API: 30 items by default, 300 at most; tokens live 15 minutes.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from simulator.rest_documents import ApiError, Document

default_page_size: Final = 30
largest_page_size: Final = 300
token_lifetime_s: Final = 15 * 60


def page_of(
    name: str, items: Sequence[Document], query: Mapping[str, str], *, now_s: float
) -> Document:
    """Return one page of the list of this name.

    Raises:
        ApiError: 400 with code 300: a page size out of range, or a token that is unknown, of
            another list or too old.
    """
    size = _page_size(query.get("page_size", ""))
    token = query.get("next_page_token", "")
    start = _start(name, token, now_s) if token else 0
    end = start + size
    more = _token(name, end, now_s) if end < len(items) else ""
    return {
        name: list(items[start:end]),
        "next_page_token": more,
        "page_size": size,
        "total_records": len(items),
    }


def _page_size(text: str) -> int:
    if not text:
        return default_page_size
    size = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= size <= largest_page_size:
        raise ApiError(400, 300, "invalid field: page_size")
    return size


def _token(name: str, start: int, now_s: float) -> str:
    return base64.urlsafe_b64encode(f"{name} {start} {int(now_s)}".encode()).decode()


def _start(name: str, token: str, now_s: float) -> int:
    try:
        list_name, start, made_s = base64.urlsafe_b64decode(token).decode().split(" ")
        fits = list_name == name and now_s - int(made_s) <= token_lifetime_s
        if fits:
            return int(start)
    except (binascii.Error, ValueError):  # not made by us; UnicodeDecodeError is a ValueError
        pass
    raise ApiError(400, 300, "invalid field: next_page_token")
