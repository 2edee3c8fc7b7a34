"""What becomes of one event."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from processors.enrichment.background import Background
from processors.enrichment.handler import Enrichment
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.service import queue_ids, user_ids
from processors.enrichment.settings import EnrichmentSettings
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.values import Delivery, Record
from schemas.reasons import DeadLetterReason
from schemas.topics import all_families
from tests.zoom_stand_in import VirtualClock
from zoom.entities import Queue, User

headers = (
    ("ce_id", b"id-1"),
    ("zcc-revision", b"1"),
    ("zcc-event-id", b"id-1"),
    ("zcc-request-id", b"r"),
    ("x", b"\xff"),
)


class Known[Value] if False else object:  # type: ignore[misc]
    pass
