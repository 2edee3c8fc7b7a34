"""Pure: the expected id of an event, by code of the simulator's own.

The ledger compares sent and stored events by this id. An id from the receiver's code would hide its
mistakes.

Source: identity version ``zcc1`` of the contract with downstream teams.
"""

import hashlib
import json
from math import isinf
from typing import Any, Final

links: Final = ("download_url", "transcript_url", "asset_item_file_url", "download_token")
"""Members in which two notifications of one event may differ."""


def event_id(body: bytes) -> str:
    """Return the id of a body's event, 64 hexadecimal digits."""
    notification = json.loads(body, parse_float=_number)
    payload = _without_links(notification["payload"])
    identity = [
        "zcc1",
        payload.pop("account_id"),
        notification["event"],
        notification["event_ts"],
        payload.pop("object", {}),
    ]
    if payload:
        identity.append(payload)
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def event_ts_ms(body: bytes) -> int:
    """Return the body's own time of sending, epoch milliseconds."""
    moment: int = json.loads(body)["event_ts"]
    return moment


def variant_with_other_links(body: bytes) -> bytes:
    """Return the same event with other download links; the body itself where it has none.

    Source: observed duplicates differ in download link and token only.
    """
    notification = json.loads(body)
    if not _change_links(notification["payload"]):
        return body
    return json.dumps(notification, separators=(",", ":"), ensure_ascii=False).encode()


def _number(literal: str) -> float | str:
    """Return the text of a literal outside the range of a double, as the contract counts it."""
    return literal if isinf(float(literal)) else float(literal)


def _without_links(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return {name: _without_links(value) for name, value in node.items() if name not in links}
    if isinstance(node, list):
        return [_without_links(item) for item in node]
    return node


def _change_links(node: object) -> bool:
    """Change the links below a node in place and say whether there were any."""
    changed = False
    if isinstance(node, dict):
        for name, value in node.items():
            if name in links and isinstance(value, str):
                node[name] = _other_link(value)
                changed = True
            else:
                changed |= _change_links(value)
    elif isinstance(node, list):
        for item in node:
            changed |= _change_links(item)
    return changed


def _other_link(link: str) -> str:
    mark = hashlib.sha256(link.encode()).hexdigest()[:12]
    return f"{link}{'&' if '?' in link else '?'}delivery={mark}"
