"""Models of reference entities: assets, address books, and where recordings are stored."""

from typing import Literal

from schemas.models.base import Maybe, Model, Moment, Open

from .record import Reference


class AssetState(Model):
    """What the REST API says of an asset."""

    asset_id: str
    asset_name: Maybe[str] = None
    asset_description: Maybe[str] = None
    asset_type: Maybe[Open[Literal["audio", "image", "slides", "text", "video", "saved_reply"]]] = (
        None
    )
    asset_language_code: Maybe[str] = None
    category_id: Maybe[str] = None
    category_name: Maybe[str] = None
    archived: Maybe[bool] = None
    archived_time: Maybe[Moment] = None


class AssetReference(Reference[AssetState]):
    """An asset; ``id`` is the ``asset_id``."""

    entity: Literal["asset"]


class AssetCategoryState(Model):
    """What the REST API says of an asset category."""

    category_id: str
    category_name: Maybe[str] = None
    category_scope: Maybe[Open[Literal["system", "agent"]]] = None


class AssetCategoryReference(Reference[AssetCategoryState]):
    """An asset category; ``id`` is the ``category_id``."""

    entity: Literal["asset_category"]


class AddressBookState(Model):
    """What the REST API says of an address book."""

    address_book_id: str
    address_book_name: Maybe[str] = None
    address_book_description: Maybe[str] = None
    unit_id: Maybe[str] = None
    unit_name: Maybe[str] = None


class AddressBookReference(Reference[AddressBookState]):
    """An address book; ``id`` is the ``address_book_id``."""

    entity: Literal["address_book"]


class AddressBookContactState(Model):
    """What the REST API says of an address book contact."""

    contact_id: str
    display_name: Maybe[str] = None
    company: Maybe[str] = None
    address_book_id: Maybe[str] = None
    address_book_name: Maybe[str] = None
    consumer_ids: Maybe[tuple[str, ...]] = None


class AddressBookContactReference(Reference[AddressBookContactState]):
    """An address book contact; ``id`` is the ``contact_id``."""

    entity: Literal["address_book_contact"]


class StorageLocationState(Model):
    """What the REST API says of a storage location."""

    storage_location_code: str
    storage_location_name: Maybe[str] = None


class StorageLocationReference(Reference[StorageLocationState]):
    """A storage location; ``id`` is the ``storage_location_code``."""

    entity: Literal["storage_location"]
