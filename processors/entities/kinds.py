"""Pure: the 25 kinds of reference entities: how each is listed and looked up, and what is kept.

Lists, lookups, and the lookups that follow webhooks must give the same state of an entity, or each
of them would seem to change it. So a state holds the kept members only: those that the items of
the list and the answer to a lookup share. Where a kind needs ``detail``, each item of the list is
looked up as well, and the members of that answer are kept. A member that is null, empty text, or
missing is left out.

Not kept are members that say how much an entity is in use or where it stands in its day (counts,
the work state of a user, the state of a campaign), and who changed it when: they would make a
change of each look.

Detail costs a call per entity, so few kinds have it: queues, for their service level and times;
dispositions, for the sub dispositions that agents choose; sets, for their dispositions; assets,
because only a lookup says that one is archived; campaigns, for their queue and dialing method.

Source: Zoom Contact Center REST API, OpenAPI 3.0.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from processors.entities.kind import Kind, ListDivision, Ttl, aliases, names
from schemas.envelope import JsonObject

_units: Final = ListDivision("unit_id", operation="list_address_book_units", member="unit_id")


_all: Final = (
    Kind(
        entity="user",
        list_operation="list_users",
        get_operation="get_user",
        id_field="user_id",
        alias_fields=("cc_user_id",),
        lower_case=True,
        kept=names(
            "user_id cc_user_id display_name user_email role_id role_name client_integration "
            "user_access country_iso_code region_id region_name package_name teams"
        ),
        ttl=Ttl.ANNOUNCED,
    ),
    Kind(
        entity="queue",
        list_operation="list_queues",
        get_operation="get_queue",
        id_field="cc_queue_id",
        alias_fields=("queue_id",),
        detail=True,
        kept=names(
            "cc_queue_id queue_id queue_name queue_description channel channel_types "
            "max_wait_time wrap_up_time max_engagement_in_queue short_abandon "
            "service_level_threshold_in_seconds service_level_target_in_percentage "
            "service_level_exclude_short_abandoned_calls "
            "service_level_exclude_long_abandoned_calls "
            "service_level_exclude_abandoned_quit_engagements agent_routing_profile_id "
            "agent_routing_profile_name consumer_routing_profile_id consumer_routing_profile_name "
            "teams"
        ),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="flow",
        list_operation="list_flows",
        get_operation="get_flow",
        id_field="flow_id",
        kept=names("flow_id flow_name flow_description channel channel_type channel_source status"),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="team",
        list_operation="list_teams",
        get_operation="get_team",
        id_field="team_id",
        kept=names("team_id team_name team_description parent_team_id parent_team_name"),
        ttl=Ttl.ANNOUNCED,
    ),
    Kind(
        entity="disposition",
        list_operation="list_dispositions",
        get_operation="get_disposition",
        id_field="disposition_id",
        detail=True,
        kept=names(
            "disposition_id disposition_name disposition_description disposition_type status "
            "sub_dispositions"
        ),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="disposition_set",
        list_operation="list_disposition_sets",
        get_operation="get_disposition_set",
        id_field="disposition_set_id",
        detail=True,
        kept=names(
            "disposition_set_id disposition_set_name disposition_set_description status "
            "dispositions"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="skill",
        list_operation="list_skills",
        get_operation="get_skill",
        id_field="skill_id",
        kept=names(
            "skill_id skill_name skill_type max_proficiency_level skill_category_id "
            "skill_category_name"
        ),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="skill_category",
        list_operation="list_skill_categories",
        get_operation="get_skill_category",
        id_field="skill_category_id",
        kept=names(
            "skill_category_id skill_category_name skill_category_description skill_type "
            "max_proficiency_level"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="role",
        list_operation="list_roles",
        get_operation="get_role",
        id_field="role_id",
        kept=names("role_id role_name role_description"),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="system_status",
        list_operation="list_system_statuses",
        get_operation="get_system_status",
        id_field="status_id",
        kept=names("status_id status_name status_type status_category enable"),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="inbox",
        list_operation="list_inboxes",
        get_operation="get_inbox",
        id_field="inbox_id",
        kept=names("inbox_id inbox_name inbox_type"),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="business_hour",
        list_operation="list_business_hours",
        get_operation="get_business_hour",
        id_field="business_hour_id",
        kept=names("business_hour_id business_hour_name timezone account_default hours"),
        ttl=Ttl.ANNOUNCED,
    ),
    Kind(
        entity="closure_set",
        list_operation="list_closure_sets",
        get_operation="get_closure_set",
        id_field="closure_set_id",
        kept=names("closure_set_id closure_set_name timezone account_default closures"),
        ttl=Ttl.ANNOUNCED,
    ),
    Kind(
        entity="asset",
        list_operation="list_assets",
        get_operation="get_asset",
        id_field="asset_id",
        detail=True,
        kept=names(
            "asset_id asset_name asset_description asset_type asset_language_code category_id "
            "category_name archived archived_time"
        ),
        ttl=Ttl.ANNOUNCED,
    ),
    Kind(
        entity="asset_category",
        list_operation="list_asset_categories",
        get_operation="get_asset_category",
        id_field="category_id",
        kept=names("category_id category_name category_scope"),
        ttl=Ttl.SILENT,
    ),
    Kind(
        entity="region",
        list_operation="list_regions",
        get_operation="get_region",
        id_field="region_id",
        kept=names("region_id region_name is_main_region sip_zone_id sip_zone_name"),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="address_book",
        list_operation="list_address_books",
        get_operation="get_address_book",
        id_field="address_book_id",
        division=_units,
        kept=names("address_book_id address_book_name address_book_description unit_id unit_name"),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="address_book_contact",
        list_operation="list_address_book_contacts",
        # A lookup needs the address book too, and nothing that names a contact says it.
        get_operation=None,
        id_field="contact_id",
        alias_fields=("consumer_ids",),
        division=ListDivision(
            "address_book_id",
            operation="list_address_books",
            member="address_book_id",
            division=_units,
        ),
        # Numbers and addresses of consumers stay at Zoom.
        kept=names(
            "contact_id display_name company address_book_id address_book_name consumer_ids"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="outbound_campaign",
        list_operation="list_campaigns",
        get_operation="get_campaign",
        id_field="outbound_campaign_id",
        detail=True,
        kept=names(
            "outbound_campaign_id outbound_campaign_name outbound_campaign_description queue_id "
            "queue_name dialing_method"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="variable_group",
        list_operation="list_variable_groups",
        get_operation="get_variable_group",
        id_field="variable_group_id",
        kept=names(
            "variable_group_id variable_group_name variable_group_description variable_group_type"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="agent_routing_profile",
        list_operation="list_agent_routing_profiles",
        get_operation="get_agent_routing_profile",
        id_field="agent_routing_profile_id",
        kept=names(
            "agent_routing_profile_id agent_routing_profile_name "
            "agent_routing_profile_description wait_time_agent_in_seconds"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="consumer_routing_profile",
        list_operation="list_consumer_routing_profiles",
        get_operation="get_consumer_routing_profile",
        id_field="consumer_routing_profile_id",
        kept=names(
            "consumer_routing_profile_id consumer_routing_profile_name "
            "consumer_routing_profile_description"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="flow_entry_point",
        list_operation="list_entry_points_of_flows",
        get_operation=None,
        id_field="entry_id",
        division=ListDivision("channel", ("email", "messaging", "video", "voice")),
        kept=names("entry_id entry_name entry_number entry_email channel channel_source"),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="queue_template",
        list_operation="list_queue_templates",
        get_operation="get_queue_template",
        id_field="template_id",
        renamed={
            f"queue_template_{name}": f"template_{name}"
            for name in ("id", "name", "description", "type", "status")
        },
        kept=names(
            "template_id template_name template_description channel template_type template_status"
        ),
        ttl=Ttl.RARE,
    ),
    Kind(
        entity="storage_location",
        list_operation="list_storage_locations",
        get_operation=None,
        id_field="storage_location_code",
        kept=names("storage_location_code storage_location_name"),
        ttl=Ttl.RARE,
    ),
)

kinds: Final[Mapping[str, Kind]] = MappingProxyType({kind.entity: kind for kind in _all})
"""All kinds by the name of their entity."""


def aliases_of(entity: str, id_: str, state: JsonObject) -> tuple[str, ...]:
    """Return the other ids of an entity: a `processors.entities.table.Aliases`."""
    return aliases(kinds[entity], id_, state)
