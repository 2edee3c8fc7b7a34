"""Pure: which texts can be the id of an entity of the account."""

from typing import Final

longest_id: Final = 200
"""Characters; Zoom's ids have 22 to 36."""


def is_id(text: str) -> bool:
    """Return whether an entity can have this id; other texts would address something else.

    An id comes from an event and may be anything. ``me`` and e-mail addresses identify users too,
    but no event uses them.
    """
    return (
        0 < len(text) <= longest_id
        and text.strip(".") != ""
        and text.casefold() != "me"
        and "@" not in text
        and text.isprintable()
    )
