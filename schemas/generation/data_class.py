"""Pure: how personal a member is, by its name.

    none           says nothing about a person
    pseudonymous   an opaque id that stands for one person
    personal       a person's name, number, address or place
    sensitive      what somebody wrote, typed or said, and links that open it

Names follow one convention in all events, so the name decides wherever a member stands; numbers,
truth values, times and members with known values are never personal. The ids of users count as
pseudonymous: an agent is a person too. The company's own lines, media and opening hours are none.
"""

import re
from typing import Final, Literal

DataClass = Literal["none", "pseudonymous", "personal", "sensitive"]

_company_numbers: Final = frozenset({"flow_number", "contact_center_number"})
"""Lines of the contact center itself, whose names end like those of a person's number."""

_rules: Final[tuple[tuple[DataClass, re.Pattern[str]], ...]] = (
    ("sensitive", re.compile(r"content|note|message_text|dtmf_input")),
    ("sensitive", re.compile(r"(.*_)?url")),
    ("personal", re.compile(r"(.*_)?(display_name|first_name|last_name|owner_name|file_name)")),
    ("personal", re.compile(r"(.*_)?(email|phone_number|number)")),
    ("personal", re.compile(r"from|to")),  # the two numbers, or addresses, of a message
    ("personal", re.compile(r"reason|error_detail")),  # a network's own words may quote a number
    ("personal", re.compile(r"country_iso_code")),
    ("pseudonymous", re.compile(r"(.*_)?(user_ids?|consumer_id|attendee_id|owner_id)")),
    ("pseudonymous", re.compile(r"modified_by")),
)
"""The first that matches the whole name decides."""


def data_class(name: str) -> DataClass:
    """Return how personal the text in a member of this name is."""
    if name in _company_numbers:
        return "none"
    return next((class_ for class_, rule in _rules if rule.fullmatch(name)), "none")
