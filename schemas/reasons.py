"""Pure: why a record was quarantined or dead-lettered.

The words are a public contract and closed sets for labels.
"""

from enum import StrEnum


class QuarantineReason(StrEnum):
    """Why a signed body went to ``zcc.quarantine.v1``."""

    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_ENVELOPE = "not_an_envelope"
    NO_EVENT_TIME = "no_event_time"
    ENCODED = "encoded"
    """Not JSON, and sent with a content-encoding, which Zoom never does; kept unchanged."""
    FOREIGN_ACCOUNT = "foreign_account"
    """An event of an account that the app is not set up for."""
    REFUSED_BY_TOPIC = "refused_by_topic"
    """The topic of its family refuses it, as too large for example; ``zcc-error`` names the
    limit."""
    DEFECT = "defect"
    """Our code failed on it."""


class DeadLetterReason(StrEnum):
    """Why a record went to ``zcc.dead-letter.<worker>.v1``."""

    UNREADABLE = "unreadable"
    """The value is not the JSON that the topic promises, or a promised header is missing."""
    TOO_LARGE = "too_large"
    """The record to produce for it is larger than its topic allows."""
    REFUSED_BY_TOPIC = "refused_by_topic"
    """Its topic refuses the record to produce for it, for another reason than its size."""
    STORE_REFUSED = "store_refused"
    """The store refused the row itself, not the connection."""
    NOT_READY = "not_ready"
    """The handler deferred it until its last delay was over."""
    PARKED = "parked"
    """An earlier record of its key became a dead letter, and this one makes no sense without it."""
    DEFECT = "defect"
    """Our code failed on it in every allowed attempt."""
