"""Pure: a company's initial entities that no event of a story names."""

from collections.abc import Mapping, Sequence
from typing import Final

from simulator.company import Company
from simulator.state import directory as kinds
from simulator.state.directory import DirectoryKind, derived_id
from simulator.synthetic_values import family_names, given_names

_regions: Final = ("Europe", "Americas")
_units: Final = ("Retail", "Support")
_books_per_unit: Final = 2
_contacts_per_book: Final = 3


def configuration_of(company: Company) -> Mapping[DirectoryKind, Sequence[dict[str, object]]]:
    """Return the entities by kind; the same ones for the same company."""
    units = [_named("unit", name) for name in _units]
    books = [
        _named("address_book", f"{unit['unit_name']} {number}")
        | {"address_book_description": "", "unit_id": unit["unit_id"]}
        for unit in units
        for number in range(1, _books_per_unit + 1)
    ]
    queue = company.queues[0]
    return {
        kinds.asset: [_asset("Waiting music")],
        kinds.closure_set: [_holidays()],
        kinds.disposition_set: [_named("disposition_set", "All") | {"status": "active"}],
        kinds.skill_category: [
            _named("skill_category", name) | {"skill_type": "proficiency"}
            for name in ("Languages", "Products")
        ],
        kinds.asset_category: [
            {
                "category_id": derived_id("asset category", name),
                "category_name": name,
                "category_scope": scope,
            }
            for name, scope in (("Music", "system"), ("Replies", "agent"))
        ],
        kinds.region: [
            _named("region", name) | {"is_main_region": name == _regions[0]} for name in _regions
        ],
        kinds.unit: units,
        kinds.address_book: books,
        kinds.contact: [
            _contact(str(book["address_book_id"]), number)
            for book in books
            for number in range(_contacts_per_book)
        ],
        kinds.campaign: [
            _named("outbound_campaign", "Renewals")
            | {
                "outbound_campaign_status": "ready",
                "queue_id": queue.cc_queue_id,
                "queue_name": queue.queue_name,
                "dialing_method": "progressive",
            }
        ],
        kinds.variable_group: [
            _named("variable_group", "Orders") | {"variable_group_type": "custom"}
        ],
        kinds.agent_routing_profile: [_named("agent_routing_profile", "By skill")],
        kinds.consumer_routing_profile: [_named("consumer_routing_profile", "Returning first")],
        kinds.queue_template: [
            _named("queue_template", name)
            | {
                "channel": channel,
                "queue_template_type": "add",
                "queue_template_status": "active",
                "queue_template_need_attention": False,
            }
            for name, channel in (("Hotline", "voice"), ("Chat", "messaging"))
        ],
        kinds.storage_location: [
            {"storage_location_code": code, "storage_location_name": name}
            for code, name in (("US", "United States"), ("DE", "Germany"))
        ],
    }


def _asset(name: str) -> dict[str, object]:
    return {
        **_named("asset", name),
        "asset_type": "audio",
        "asset_language_code": "en-US",
        "category_id": derived_id("asset category", "Music"),
        "category_name": "Music",
        "archived": False,
        "asset_items": [],
    }


def _holidays() -> dict[str, object]:
    return {
        **_named("closure_set", "Holidays"),
        "timezone": "UTC",
        "account_default": False,
        "closures": [
            {
                "closure_id": derived_id("closure", "New Year"),
                "closure_name": "New Year",
                "closure_hour_type": 2,
                "recurring_frequency": 0,
                "start_time": "2026-01-01T00:00:00Z",
                "end_time": "2026-01-01T23:59:59Z",
            }
        ],
    }


def _named(entity: str, name: str) -> dict[str, object]:
    return {
        f"{entity}_id": derived_id(entity, name),
        f"{entity}_name": name,
        f"{entity}_description": name,
    }


def _contact(book_id: str, number: int) -> dict[str, object]:
    contact_id = derived_id("contact", book_id, number)
    return {
        "contact_id": contact_id,
        "display_name": f"{given_names[number]} {family_names[number]}",
        "company": "Example Company",
        "phones": [],
        "address_book_id": book_id,
        "consumer_ids": [derived_id("consumer", contact_id)],
    }
