"""Invents single values for members of REST replies, by their names, all plainly fictional.

Source of the shapes: Zoom Contact Center REST API; addresses come from ranges reserved for examples
(RFC 5737, RFC 7042, RFC 2606), numbers from those reserved for fiction.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from simulator.synthetic_values import (
    company_number,
    consumer_number,
    family_names,
    given_names,
    messages,
    notes,
    opaque_id,
    person_name,
)

_later: Final = timedelta(minutes=12)
_zones: Final = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo")
_countries: Final = ("US", "DE", "JP", "BR")
_subjects: Final = ("Orders", "Réclamations", "Billing", "Rückgabe", "Soporte", "Claims")


@dataclass(frozen=True, slots=True)
class Scene:
    """The context of a value: origin of the API's links, time of the entity."""

    origin: str
    at: datetime


def moment(name: str, scene: Scene) -> str:
    """Return the time of the entity; an end is later."""
    at = scene.at + (_later if "end" in name or "exit" in name else timedelta())
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def word(name: str, scene: Scene, rng: Random) -> str:
    """Invent a string for a member of this name."""
    for pattern, make in _makers:
        if pattern.search(name):
            return make(name, scene, rng)
    return f"{name.replace('_', ' ').capitalize()} {rng.randint(1, 99)}"


def mail_address(rng: Random) -> str:
    """Invent a mail address."""
    return f"somebody.{rng.randint(1, 999)}@example.com"


def mac_address(rng: Random) -> str:
    """Invent a hardware address."""
    return f"00:00:5E:00:53:{rng.randrange(256):02X}"


def network_address(rng: Random) -> str:
    """Invent an IPv4 address."""
    return f"192.0.2.{rng.randint(1, 254)}"


_Maker = Callable[[str, Scene, Random], str]


def _file_link(path: str) -> _Maker:
    base = "{}/v2/contact_center/" + path
    return lambda _name, scene, rng: base.format(scene.origin, opaque_id(rng))


_makers: Final[tuple[tuple[re.Pattern[str], _Maker], ...]] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        ("transcript_url$", _file_link("recording/transcripts/download/{}?type=voice")),
        ("playback_url$", _file_link("recording/playback/{}?type=voice")),
        ("attachment_url$", _file_link("attachments/{}/download?type=screenshot")),
        ("download_url$", _file_link("recording/download/{}?type=voice")),
        ("_file_url$|voice_message_url$", _file_link("attachments/{}/download?type=file")),
        ("url$|hyperlink$", lambda name, _scene, _rng: f"https://www.example.com/{name}"),
        ("(^|_)ids?$", lambda _name, _scene, rng: opaque_id(rng)),
        ("mac_address$", lambda _name, _scene, rng: mac_address(rng)),
        ("ip_address$", lambda _name, _scene, rng: network_address(rng)),
        ("email|^address$", lambda _name, _scene, rng: mail_address(rng)),
        ("timezone$", lambda _name, _scene, rng: rng.choice(_zones)),
        ("(^|_)time(_interval)?$|_at$", lambda name, scene, _rng: moment(name, scene)),
        ("_date$", lambda _name, scene, _rng: f"{scene.at:%Y-%m-%d}"),
        ("country_(iso_)?code$", lambda _name, _scene, rng: rng.choice(_countries)),
        ("^(contact_)?first_name$", lambda _name, _scene, rng: rng.choice(given_names)),
        ("^(contact_)?last_name$", lambda _name, _scene, rng: rng.choice(family_names)),
        (
            "(display|user|agent|consumer|contact|owner|participant)_name$|^operator$",
            lambda _name, _scene, rng: person_name(rng),
        ),
        (
            "(flow|entry|center)_number$|^caller_ids?$|^dnis",
            lambda _name, _scene, rng: company_number(rng.randrange(100)),
        ),
        (
            "number|phone|^ani",
            lambda _name, _scene, rng: consumer_number(rng.randrange(10_000)),
        ),
        ("^note|comment|reason", lambda _name, _scene, rng: rng.choice(notes)),
        ("^(text|content|value|subject)$", lambda _name, _scene, rng: rng.choice(messages)),
        (
            "_(name|description)$",
            lambda name, _scene, rng: (
                f"{rng.choice(_subjects)} {name.rpartition('_')[0].replace('_', ' ')}"
            ),
        ),
        ("^(charge|rate|rates)$", lambda _name, _scene, rng: f"$0.{rng.randint(1, 99):03d}"),
    )
)
"""By name, the first that fits."""
