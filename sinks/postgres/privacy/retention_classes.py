"""Pure: which tables expire together."""

from collections.abc import Mapping
from typing import Final, Literal

RetentionClass = Literal["raw", "timeline", "conversation", "history", "kept"]

classes: Final[Mapping[RetentionClass, tuple[str, ...]]] = {
    "raw": ("raw_event",),
    "timeline": ("engagement_timeline",),
    "conversation": ("conversation_message", "conversation_file"),
    "history": (
        "engagement_channel",
        "engagement_participant",
        "engagement_disposition",
        "engagement_note",
        "engagement_survey",
        "engagement_supervision",
        "engagement",
        "engagement_outcome",
        "follow_up_task",
        "transfer",
        "conference_event",
        "message_delivery",
        "call_control_command",
        "task",
        "task_reservation",
        "task_queue_move",
        "recording",
        "inbox_message",
        "user_status_change",
        "user_presence",
        "scheduled_callback",
        "sms_log",
        "voice_call_log",
    ),
    "kept": (
        "consent",
        "consent_history",
        "app_user",
        "user_skill",
        "user_phone_number",
        "queue",
        "queue_member",
        "team",
        "team_member",
        "business_hour",
        "closure_set",
        "closure",
        "asset",
        "asset_item",
        "reference_entity",
    ),
}
"""Each table once. States and the evidence of consent are kept, histories are not."""
