"""Pure: which entities each event names, and where, as a table.

A path leads from ``payload.object`` to a member; ``[]`` stands for the items of an array. The last
name of a path says the kind of entity (`references.members_of_known_events`), but for ``owner_id``,
where ``owner_type`` beside it does. A path to the present id of a queue includes the deprecated id
in the same object. A test compares the table with the schemas: each id of each event stands here,
or has a reason there.
"""

from collections.abc import Collection, Mapping
from typing import Final

from processors.entities.paths import Branch, branch_of, collect
from processors.entities.references import Entity, EntityReference, references_anywhere
from schemas.envelope import JsonObject

_work: Final = "cc_queue_id flow_id teams[].team_id"
_agent: Final = f"user_id {_work}"
_users: Final = "users[].user_id users[].teams[].team_id"
_transfer: Final = f"{_agent} transfer_to_user_id transfer_to_cc_queue_id"
_person: Final = "user_id teams[].team_id"
_person_of_queue: Final = f"{_person} cc_queue_id"
_queue: Final = "cc_queue_id overflow_to_cc_queue_id overflow_to_flow_id overflow_to_inbox_id"
_reservation: Final = f"assigned_user_id {_work}"
_recording: Final = f"cc_queue_id flow_id owner_id {_users}"
_recording_of_user: Final = f"user_id {_recording}"
_upgrade: Final = f"cc_queue_id flow_id {_users}"
_conference: Final = "flow_id teams[].team_id conference_participants[].participant_user_id"
_statuses: Final = (
    "previous_status_id previous_sub_status_id current_status_id current_sub_status_id"
)

table: Final[Mapping[str, str]] = {
    # engagement
    "engagement_started": "flow_id",
    "engagement_ended": "flow_id",
    "cx_engagement_end_data_ready": "",
    "legacy_engagement_end_data_ready": "",
    "engagement_user_answered": _agent,
    "engagement_user_ended": _agent,
    "engagement_user_hold": _agent,
    "engagement_user_unhold": _agent,
    "engagement_user_muted": _agent,
    "engagement_user_unmuted": _agent,
    "engagement_user_dtmf_sent": _agent,
    "engagement_consumer_notified": _agent,
    "engagement_consumer_answered": _agent,
    "engagement_consumer_ended": _agent,
    "engagement_wrap_up_started": _agent,
    "engagement_wrap_up_ended": _agent,
    "engagement_disposition_added": f"{_agent} disposition_id modified_by",
    "engagement_note_added": _agent,
    "engagement_follow_up_task_created": "user_id",
    "engagement_follow_up_task_updated": "user_id",
    "engagement_survey_status": _agent,
    "engagement_monitor_started": f"{_agent} monitoring_user_id",
    "engagement_monitor_ended": f"{_agent} monitoring_user_id",
    "engagement_takeover_started": f"{_agent} takeover_user_id",
    "engagement_upgrade_initiated": _upgrade,
    "engagement_upgrade_completed": _upgrade,
    "engagement_upgrade_expired": _upgrade,
    "outbound_campaign_dialer_status": "",
    # transfer
    "engagement_transfer_initiated": f"{_transfer} transfer_to_flow_id transfer_to_inbox_id",
    "engagement_transfer_queued": _transfer,
    "engagement_transfer_reserved": _transfer,
    "engagement_transfer_accepted": _transfer,
    "engagement_transfer_rejected": _transfer,
    "engagement_transfer_timeout": _transfer,
    "engagement_transfer_canceled": f"{_transfer} transfer_to_flow_id",
    "engagement_transfer_completed": f"{_transfer} transfer_to_flow_id",
    # conference
    "engagement_conference_participant_invited": (
        f"{_conference} invited_participant.participant_user_id"
        " invited_participant.participant_queue_id"
    ),
    "engagement_conference_participant_canceled": (
        f"{_conference} canceled_participant.participant_user_id"
        " canceled_participant.participant_queue_id"
    ),
    "engagement_conference_participant_rejected": (
        f"{_conference} rejecting_participant.participant_user_id"
        " rejecting_participant.participant_queue_id"
    ),
    "engagement_conference_participant_timeout": (
        f"{_conference} timed_out_participant.participant_user_id"
        " timed_out_participant.participant_queue_id"
    ),
    "engagement_conference_participant_joined": (
        f"{_conference} joining_participant.participant_user_id"
        " joining_participant.participant_queue_id"
    ),
    "engagement_conference_participant_left": (
        f"{_conference} leaving_participant.participant_user_id"
        " leaving_participant.participant_queue_id"
    ),
    "engagement_conference_canceled": "flow_id teams[].team_id",
    # conversation
    "engagement_consumer_sent_message": _agent,
    "engagement_user_sent_message": _agent,
    "engagement_consumer_sent_file": _agent,
    "engagement_user_sent_file": _agent,
    "engagement_messaging_transcript_completed": "flow_id",
    "engagement_email_transcript_completed": "flow_id",
    # message_delivery
    "sms_status": "",
    "message_status": "",
    # consent
    "consumer_messaging_opt_in": "",
    "consumer_messaging_opt_out": "",
    # task
    "task_created": _work,
    "task_updated": _work,
    "task_deleted": _work,
    "task_completed": _work,
    "task_canceled": _work,
    "task_entered_queue": _work,
    "task_exited_queue": _work,
    "task_reservation_created": _reservation,
    "task_reservation_accepted": _reservation,
    "task_reservation_rejected": _reservation,
    "task_reservation_completed": _reservation,
    "task_reservation_canceled": _reservation,
    "task_reservation_timeout": _reservation,
    # recording
    "recording_started": _recording_of_user,
    "recording_paused": _recording_of_user,
    "recording_resumed": _recording_of_user,
    "recording_stopped": _recording_of_user,
    "recording_completed": _recording_of_user,
    "recording_transcript_completed": _recording,
    "recording_deleted": "",
    "recording_permanently_deleted": "",
    # inbox
    "inbox_message_received": f"{_work} inbox_id",
    "inbox_message_opened": f"{_agent} inbox_id",
    "inbox_message_assigned": f"{_agent} inbox_id previous_user_id",
    "inbox_message_resolved": f"{_agent} inbox_id",
    "inbox_message_reopened": f"{_agent} inbox_id",
    "inbox_message_downloaded": f"{_agent} inbox_id",
    "inbox_message_deleted": f"{_agent} inbox_id",
    "voicemail_transcript_completed": f"{_work} inbox_id",
    # call_control
    "call_control_make_call_executed": "user_id",
    "call_control_answer_call_executed": "user_id",
    "call_control_end_call_executed": "user_id",
    "call_control_hold_call_executed": "user_id",
    "call_control_unhold_call_executed": "user_id",
    "call_control_conference_warm_invite_executed": "user_id",
    # user
    "user_created": "user_id role_id status_id",
    "user_updated": f"{_person} updates.role_id updates.status_id updates.sub_status_id",
    "user_deleted": "users[].user_id",
    "user_login": _person,
    "user_logout": _person,
    "user_status_changed": f"{_person} {_statuses}",
    "user_opt_in": _person_of_queue,
    "user_opt_out": _person_of_queue,
    "user_skills_assigned": f"{_person} role_id skills[].skill_id",
    "user_skills_unassigned": f"{_person} role_id skills[].skill_id",
    "user_phone_numbers_assigned": f"{_person} role_id",
    "user_phone_numbers_unassigned": f"{_person} role_id",
    # queue
    "queue_created": _queue,
    "queue_deleted": _queue,
    "queue_agent_assigned": _person_of_queue,
    "queue_agent_unassigned": _person_of_queue,
    "queue_supervisor_assigned": _person_of_queue,
    "queue_supervisor_unassigned": _person_of_queue,
    "queue_inbound_sla_updated": "cc_queue_id",
    "queue_operating_hours_updated": (
        "cc_queue_id updates.business_hour_id updates.closure_set_id"
    ),
    "queue_scheduled_callback_created": "cc_queue_id",
    # team
    "team_created": "team_id parent_team_id",
    "team_updated": "team_id",
    "team_deleted": "team_id parent_team_id",
    "team_moved": "team_id previous_parent_team_id new_parent_team_id",
    "team_members_assigned": "team_id user_ids[]",
    "team_members_unassigned": "team_id user_ids[]",
    # operating_hours
    "business_hours_created": "business_hour_id modified_by",
    "business_hours_updated": "business_hour_id modified_by",
    "business_hours_deleted": "business_hour_id modified_by",
    "closure_created": "closure_set_id modified_by",
    "closure_updated": "closure_set_id modified_by",
    "closure_deleted": "closure_set_id modified_by",
    # asset
    "asset_created": "asset_id category_id modified_by",
    "asset_updated": "asset_id updates.category_id modified_by",
    "asset_deleted": "asset_id modified_by",
}
"""Event, without ``contact_center.``, to the paths of its ids."""


class EntityPlan:
    """What events name of some kinds of entities; compiled once."""

    def __init__(self, kinds: Collection[Entity]) -> None:
        self._kinds = frozenset(kinds)
        self._branches: Mapping[str, Branch] = {
            f"contact_center.{event}": branch_of(paths.split(), self._kinds)
            for event, paths in table.items()
        }

    def references(self, event: str, entity: JsonObject) -> tuple[EntityReference, ...]:
        """Return what an event's object names, each once, in an order that its name fixes.

        Ids are as the event has them: any text of an id's length, which `zoom.entity_ids.is_id` may
        still refuse. Members of another type name nothing. An event of an unknown name is searched
        for members that are known.
        """
        branch = self._branches.get(event)
        if branch is None:
            return references_anywhere(entity, self._kinds)
        named: dict[EntityReference, None] = {}
        collect(branch, entity, named)
        return tuple(named)
