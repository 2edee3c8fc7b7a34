"""Invents ids, names, numbers and texts in the shapes that Zoom uses, all plainly fictional.

Phone numbers come from 555-0100 to 555-0199, the range that every North American area code reserves
for fiction; mail addresses and links use the names that RFC 2606 reserves.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final, TypeVar
from uuid import UUID

Item = TypeVar("Item")

download_origin: Final = "https://zoom.example"
"""Where the links of invented payloads point: nowhere."""

given_names: Final = (
    "Avery", "Zoë", "Mika", "Søren", "Noor", "Łucja", "Ren", "Chloé",
    "Amara", "Björn", "Inés", "Tomáš", "Yuki", "Çağla", "Robin", "Ngọc",
)  # fmt: skip
family_names: Final = (
    "Alder", "Birch", "Cedar", "Lönn", "Elm", "Hêtre", "Hazel",
    "Świerk", "Linden", "Ñandubay", "Rowan", "Çam", "Willow",
)  # fmt: skip

messages: Final = (
    "Hello, I have a question about my order.",
    "Danke schön, das hat geholfen 👍",
    "Où est mon colis ? Il devait arriver hier.",
    "I see, let me look that up for you.",
    "ありがとうございます 😊",
    'The reference is 4711/A, "blue" model.\nIs it in stock?',
    "Perfect, thank you! 🎉🎉",
    "Could you send me a picture of the label?",
)  # fmt: skip
notes: Final = (
    "Asked for a refund, explained the terms.",
    "Wants a call back next week, prefers mornings.",
    "Réglé au premier contact ✅",
    "Escalated to the second line.",
)

area_codes: Final = range(201, 990)


def opaque_id(rng: Random) -> str:
    """Invent the usual id: 16 bytes as 22 characters of base64url."""
    return urlsafe_b64encode(rng.randbytes(16))[:22].decode()


def prefixed_id(prefix: str, rng: Random) -> str:
    """Invent an id of the routing engine: three letters and 32 hexadecimal digits."""
    return f"{prefix}{rng.getrandbits(128):032X}"


def uuid(rng: Random) -> str:
    """Invent a random UUID."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def person_name(rng: Random) -> str:
    """Invent a given and a family name."""
    return f"{rng.choice(given_names)} {rng.choice(family_names)}"


def consumer_number(ordinal: int) -> str:
    """Return the phone number of the nth consumer, E.164; they repeat after 78,900."""
    rest, line = divmod(ordinal, 100)
    return f"+1{area_codes[rest % len(area_codes)]}55501{line:02d}"


def company_number(ordinal: int) -> str:
    """Return the nth toll-free number of a company, E.164; they repeat after 100."""
    return f"+180055501{ordinal % 100:02d}"


def some(items: Sequence[Item], rng: Random, *, at_most: int) -> list[Item]:
    """Choose up to ``at_most`` of the items, in random order."""
    return rng.sample(items, rng.randint(0, min(at_most, len(items))))


def to_the_millisecond(epoch_ms: int) -> str:
    """Write a time as members that end in ``_ms`` do: RFC 3339, UTC, three decimals."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def to_the_second(epoch_ms: int) -> str:
    """Write a time as the deprecated members do: RFC 3339, UTC, no decimals."""
    return f"{datetime.fromtimestamp(epoch_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
