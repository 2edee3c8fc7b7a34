-- The desk: tasks and their queues, recordings, inboxes, users, queues, teams, hours, assets; and
-- what the REST API says of them, logs included.
-- The comment of a column that holds personal data begins with "personal:" and the class.
-- A stamp orders what may set the columns of its name; see zcc.engagement.
-- No table is partitioned: those of things grow slowly, and in those of moments (moves, changes of
-- state, logins) each row is read with the next one of its key, which one look into an index finds.

create table zcc.task (
    account_id            text        collate "C" not null,
    task_id               text        collate "C" not null,
    engagement_id         text        collate "C",
    channel_id            text        collate "C",
    auto_assign           boolean,
    caller_number         text        collate "C",
    callee_number         text        collate "C",
    status                text        collate "C",
    priority              integer,
    timeout_seconds       integer,
    channel               text        collate "C",
    channel_source        text        collate "C",
    cc_queue_id           text        collate "C",
    queue_name            text,
    flow_id               text        collate "C",
    flow_name             text,
    created_at            timestamptz,
    modified_at           timestamptz,
    assigned_at           timestamptz,
    completed_at          timestamptz,
    canceled_at           timestamptz,
    deleted_at            timestamptz,
    engagement_stamp      bytea       not null,
    channel_id_stamp      bytea       not null,
    auto_assign_stamp     bytea       not null,
    caller_number_stamp   bytea       not null,
    callee_number_stamp   bytea       not null,
    status_stamp          bytea       not null,
    priority_stamp        bytea       not null,
    timeout_seconds_stamp bytea       not null,
    channel_stamp         bytea       not null,
    queue_stamp           bytea       not null,
    flow_stamp            bytea       not null,
    primary key (account_id, task_id)
) with (fillfactor = 80);
comment on table zcc.task is
    'Routing tasks: what the newest events tell of each; a follow-up task is none.';
comment on column zcc.task.caller_number is 'personal: phone';
comment on column zcc.task.callee_number is 'personal: phone';

create table zcc.task_reservation (
    account_id          text        collate "C" not null,
    task_reservation_id text        collate "C" not null,
    task_id             text        collate "C",
    engagement_id       text        collate "C",
    assigned_user_id    text        collate "C",
    direction           text        collate "C",
    request_id          text        collate "C",
    state               text        collate "C",
    created_at          timestamptz,
    accepted_at         timestamptz,
    ended_at            timestamptz,
    task_stamp          bytea       not null,
    engagement_stamp    bytea       not null,
    user_stamp          bytea       not null,
    direction_stamp     bytea       not null,
    request_stamp       bytea       not null,
    state_stamp         bytea       not null,
    primary key (account_id, task_reservation_id)
) with (fillfactor = 80);
comment on table zcc.task_reservation is
    'Offers of a task to a user, and what became of them.';
comment on column zcc.task_reservation.assigned_user_id is 'personal: user_ref';

create table zcc.task_queue_move (
    account_id                       text        collate "C" not null,
    task_id                          text        collate "C" not null,
    occurred_at                      timestamptz not null,
    event_id                         text        collate "C" not null,
    event_ts                         timestamptz not null,
    move                             text        collate "C",
    engagement_id                    text        collate "C",
    channel                          text        collate "C",
    channel_source                   text        collate "C",
    cc_queue_id                      text        collate "C",
    queue_name                       text,
    flow_id                          text        collate "C",
    flow_name                        text,
    max_wait_time                    integer,
    wrap_up_time                     integer,
    max_engagement_in_queue          integer,
    short_abandon_enable             boolean,
    short_abandon_threshold          integer,
    distribution_type                integer,
    distribution_duration_in_seconds integer,
    revision                         integer     not null,
    primary key (account_id, task_id, occurred_at, event_id, event_ts)
);
comment on table zcc.task_queue_move is
    'Each entry of a task into a queue and each exit; zcc.task_queue_stay pairs them.';

create table zcc.recording (
    account_id             text        collate "C" not null,
    recording_id           text        collate "C" not null,
    engagement_id          text        collate "C",
    channel                text        collate "C",
    transcript_url         text        collate "C",
    direction              text        collate "C",
    type                   text        collate "C",
    duration_seconds       integer,
    owner_type             text        collate "C",
    owner_id               text        collate "C",
    owner_name             text,
    cc_queue_id            text        collate "C",
    queue_name             text,
    flow_id                text        collate "C",
    flow_name              text,
    user_ids               text[]      collate "C",
    users                  jsonb,
    consumer_ids           text[]      collate "C",
    consumer_numbers       text[]      collate "C",
    consumers              jsonb,
    phase                  text        collate "C",
    started_at             timestamptz,
    ended_at               timestamptz,
    completed_at           timestamptz,
    transcript_ready_at    timestamptz,
    deleted_at             timestamptz,
    purged_at              timestamptz,
    engagement_stamp       bytea       not null,
    channel_stamp          bytea       not null,
    transcript_url_stamp   bytea       not null,
    direction_stamp        bytea       not null,
    type_stamp             bytea       not null,
    duration_seconds_stamp bytea       not null,
    owner_stamp            bytea       not null,
    queue_stamp            bytea       not null,
    flow_stamp             bytea       not null,
    users_stamp            bytea       not null,
    consumers_stamp        bytea       not null,
    phase_stamp            bytea       not null,
    state text collate "C" not null generated always as (
        case
            when purged_at is not null then 'permanently_deleted'
            when deleted_at is not null then 'deleted'
            when completed_at is not null then 'completed'
            else coalesce(phase, 'unknown')
        end
    ) stored,
    primary key (account_id, recording_id)
) with (fillfactor = 80);
comment on table zcc.recording is
    'Recordings of engagements; what deletes one does not name the engagement.';
comment on column zcc.recording.transcript_url is 'personal: url';
comment on column zcc.recording.owner_id is 'personal: user_ref';
comment on column zcc.recording.owner_name is 'personal: person_name';
comment on column zcc.recording.user_ids is 'personal: user_ref';
comment on column zcc.recording.users is 'personal: document';
comment on column zcc.recording.consumer_ids is 'personal: pseudonymous_id';
comment on column zcc.recording.consumer_numbers is 'personal: phone';
comment on column zcc.recording.consumers is 'personal: document';

create table zcc.inbox_message (
    account_id                  text        collate "C" not null,
    message_id                  text        collate "C" not null,
    inbox_id                    text        collate "C",
    inbox_name                  text,
    engagement_id               text        collate "C",
    channel                     text        collate "C",
    flow_number                 text        collate "C",
    consumer_number             text        collate "C",
    consumer_id                 text        collate "C",
    consumer_display_name       text,
    direction                   text        collate "C",
    transcript_url              text        collate "C",
    duration_seconds            integer,
    voicemail_status            text        collate "C",
    cc_queue_id                 text        collate "C",
    queue_name                  text,
    flow_id                     text        collate "C",
    flow_name                   text,
    user_id                     text        collate "C",
    user_display_name           text,
    assigned_user_id            text        collate "C",
    assigned_user_display_name  text,
    assign_type                 text        collate "C",
    previous_user_id            text        collate "C",
    previous_user_display_name  text,
    phase                       text        collate "C",
    download_type               text        collate "C",
    delete_type                 text        collate "C",
    deleted_at                  timestamptz,
    received_at                 timestamptz,
    assigned_at                 timestamptz,
    opened_at                   timestamptz,
    downloaded_at               timestamptz,
    resolved_at                 timestamptz,
    reopened_at                 timestamptz,
    transcript_ready_at         timestamptz,
    inbox_stamp                 bytea       not null,
    engagement_stamp            bytea       not null,
    channel_stamp               bytea       not null,
    flow_number_stamp           bytea       not null,
    consumer_number_stamp       bytea       not null,
    consumer_id_stamp           bytea       not null,
    consumer_display_name_stamp bytea       not null,
    direction_stamp             bytea       not null,
    transcript_url_stamp        bytea       not null,
    duration_seconds_stamp      bytea       not null,
    voicemail_status_stamp      bytea       not null,
    queue_stamp                 bytea       not null,
    flow_stamp                  bytea       not null,
    user_stamp                  bytea       not null,
    assignment_stamp            bytea       not null,
    phase_stamp                 bytea       not null,
    download_stamp              bytea       not null,
    deletion_stamp              bytea       not null,
    deleted_stamp               bytea       not null,
    state text collate "C" not null generated always as (
        case when deleted_at is not null then 'deleted' else coalesce(phase, 'unknown') end
    ) stored,
    primary key (account_id, message_id)
) with (fillfactor = 80);
comment on table zcc.inbox_message is
    'Messages in inboxes, from their arrival to their deletion.';
comment on column zcc.inbox_message.flow_number is 'personal: org_phone';
comment on column zcc.inbox_message.consumer_number is 'personal: phone';
comment on column zcc.inbox_message.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.inbox_message.consumer_display_name is 'personal: person_name';
comment on column zcc.inbox_message.transcript_url is 'personal: url';
comment on column zcc.inbox_message.user_display_name is 'personal: person_name';
comment on column zcc.inbox_message.assigned_user_id is 'personal: user_ref';
comment on column zcc.inbox_message.assigned_user_display_name is 'personal: person_name';
comment on column zcc.inbox_message.previous_user_id is 'personal: user_ref';
comment on column zcc.inbox_message.previous_user_display_name is 'personal: person_name';

create table zcc.app_user (
    account_id                        text        collate "C" not null,
    user_id                           text        collate "C" not null,
    display_name                      text,
    user_email                        text,
    role_id                           text        collate "C",
    role_name                         text,
    client_integration                text        collate "C",
    user_access                       text        collate "C",
    country_iso_code                  text        collate "C",
    emergency_calling                 boolean,
    user_intents                      jsonb,
    cc_user_id                        text        collate "C",
    region_id                         text        collate "C",
    region_name                       text,
    concurrent_message_capacity       integer,
    concurrent_email_capacity         integer,
    messaging_occupied                boolean,
    email_occupied                    boolean,
    max_agent_load                    integer,
    email_max_agent_load              integer,
    multi_channel_enabled             boolean,
    external_launch_url               text        collate "C",
    external_url_enabled              boolean,
    package_name                      text,
    add_ons_plans                     text[]      collate "C",
    team_ids                          text[]      collate "C",
    team_names                        text[],
    status_id                         text        collate "C",
    status_name                       text,
    sub_status_id                     text        collate "C",
    sub_status_name                   text,
    deleted_at                        timestamptz,
    created_at                        timestamptz,
    looked_up_at                      timestamptz,
    display_name_stamp                bytea       not null,
    user_email_stamp                  bytea       not null,
    role_id_stamp                     bytea       not null,
    role_name_stamp                   bytea       not null,
    client_integration_stamp          bytea       not null,
    user_access_stamp                 bytea       not null,
    country_iso_code_stamp            bytea       not null,
    emergency_calling_stamp           bytea       not null,
    user_intents_stamp                bytea       not null,
    cc_user_id_stamp                  bytea       not null,
    region_id_stamp                   bytea       not null,
    region_name_stamp                 bytea       not null,
    concurrent_message_capacity_stamp bytea       not null,
    concurrent_email_capacity_stamp   bytea       not null,
    messaging_occupied_stamp          bytea       not null,
    email_occupied_stamp              bytea       not null,
    max_agent_load_stamp              bytea       not null,
    email_max_agent_load_stamp        bytea       not null,
    multi_channel_enabled_stamp       bytea       not null,
    external_launch_url_stamp         bytea       not null,
    external_url_enabled_stamp        bytea       not null,
    package_name_stamp                bytea       not null,
    add_ons_plans_stamp               bytea       not null,
    teams_stamp                       bytea       not null,
    status_stamp                      bytea       not null,
    sub_status_stamp                  bytea       not null,
    deleted_stamp                     bytea       not null,
    primary key (account_id, user_id)
) with (fillfactor = 80);
comment on table zcc.app_user is
    'Users, as the newest events and the REST API tell of them.';
comment on column zcc.app_user.user_id is 'personal: user_ref';
comment on column zcc.app_user.display_name is 'personal: person_name';
comment on column zcc.app_user.user_email is 'personal: email';
comment on column zcc.app_user.country_iso_code is 'personal: location';
comment on column zcc.app_user.cc_user_id is 'personal: user_ref';
comment on column zcc.app_user.region_name is 'personal: location';
comment on column zcc.app_user.external_launch_url is 'personal: url';

create table zcc.user_skill (
    account_id     text        collate "C" not null,
    user_id        text        collate "C" not null,
    skill_id       text        collate "C" not null,
    assigned       boolean,
    assigned_stamp bytea       not null,
    primary key (account_id, user_id, skill_id)
) with (fillfactor = 80);
comment on table zcc.user_skill is
    'Skills that were assigned to users, and whether they still are.';
comment on column zcc.user_skill.user_id is 'personal: user_ref';

create table zcc.user_phone_number (
    account_id         text        collate "C" not null,
    user_id            text        collate "C" not null,
    phone_number_id    text        collate "C" not null,
    phone_number       text        collate "C",
    assigned           boolean,
    phone_number_stamp bytea       not null,
    assigned_stamp     bytea       not null,
    primary key (account_id, user_id, phone_number_id)
);
comment on table zcc.user_phone_number is
    'Telephone numbers that were assigned to users, and whether they still are.';
comment on column zcc.user_phone_number.user_id is 'personal: user_ref';
comment on column zcc.user_phone_number.phone_number is 'personal: phone';

create table zcc.user_status_change (
    account_id               text        collate "C" not null,
    user_id                  text        collate "C" not null,
    occurred_at              timestamptz not null,
    event_id                 text        collate "C" not null,
    event_ts                 timestamptz not null,
    status_id                text        collate "C",
    status_name              text,
    sub_status_id            text        collate "C",
    sub_status_name          text,
    previous_status_id       text        collate "C",
    previous_status_name     text,
    previous_sub_status_id   text        collate "C",
    previous_sub_status_name text,
    revision                 integer     not null,
    primary key (account_id, user_id, occurred_at, event_id, event_ts)
);
comment on table zcc.user_status_change is
    'Each change of a user''s state of work; zcc.user_status_history closes them.';
comment on column zcc.user_status_change.user_id is 'personal: user_ref';

create table zcc.user_presence (
    account_id  text        collate "C" not null,
    user_id     text        collate "C" not null,
    occurred_at timestamptz not null,
    event_id    text        collate "C" not null,
    event_ts    timestamptz not null,
    presence    text        collate "C",
    revision    integer     not null,
    primary key (account_id, user_id, occurred_at, event_id, event_ts)
);
comment on table zcc.user_presence is
    'Each login and logout; zcc.user_session pairs them.';
comment on column zcc.user_presence.user_id is 'personal: user_ref';

create table zcc.queue (
    account_id                                             text        collate "C" not null,
    cc_queue_id                                            text        collate "C" not null,
    queue_name                                             text,
    queue_description                                      text,
    dispositions_count                                     integer,
    disposition_sets_count                                 integer,
    channel_types                                          text[]      collate "C",
    max_wait_time                                          integer,
    wrap_up_time                                           integer,
    max_engagement_in_queue                                integer,
    short_abandon_enable                                   boolean,
    short_abandon_threshold                                integer,
    distribution_type                                      integer,
    distribution_duration_in_seconds                       integer,
    connecting_media_id                                    text        collate "C",
    connecting_media_name                                  text,
    transferring_media_id                                  text        collate "C",
    transferring_media_name                                text,
    holding_media_id                                       text        collate "C",
    holding_media_name                                     text,
    waiting_room_id                                        text        collate "C",
    waiting_room_name                                      text,
    message_accept                                         text        collate "C",
    wrap_up_expiration                                     boolean,
    overflow_to_goodbye_message                            boolean,
    overflow_to_cc_queue_id                                text        collate "C",
    overflow_to_flow_id                                    text        collate "C",
    overflow_to_inbox_id                                   text        collate "C",
    auto_close_message_enabled                             boolean,
    auto_close_message                                     text,
    auto_close_timeout                                     integer,
    auto_close_alert_message_enabled                       boolean,
    auto_close_alert_message                               text,
    auto_close_alert_message_time                          integer,
    recording_storage_location                             text        collate "C",
    queue_created_time                                     timestamptz,
    legacy_queue_id                                        text        collate "C",
    service_level_threshold_in_seconds                     integer,
    service_level_target_in_percentage                     integer,
    service_level_exclude_short_abandoned_calls            boolean,
    service_level_exclude_long_abandoned_calls             boolean,
    service_level_exclude_abandoned_quit_engagements       boolean,
    business_hour_id                                       text        collate "C",
    business_hour_name                                     text,
    closure_set_id                                         text        collate "C",
    closure_set_name                                       text,
    account_default_business_hour                          boolean,
    account_default_closure_set                            boolean,
    channel                                                text        collate "C",
    team_ids                                               text[]      collate "C",
    team_names                                             text[],
    deleted_at                                             timestamptz,
    looked_up_at                                           timestamptz,
    queue_name_stamp                                       bytea       not null,
    queue_description_stamp                                bytea       not null,
    dispositions_count_stamp                               bytea       not null,
    disposition_sets_count_stamp                           bytea       not null,
    channel_types_stamp                                    bytea       not null,
    max_wait_time_stamp                                    bytea       not null,
    wrap_up_time_stamp                                     bytea       not null,
    max_engagement_in_queue_stamp                          bytea       not null,
    short_abandon_enable_stamp                             bytea       not null,
    short_abandon_threshold_stamp                          bytea       not null,
    distribution_type_stamp                                bytea       not null,
    distribution_duration_in_seconds_stamp                 bytea       not null,
    connecting_media_id_stamp                              bytea       not null,
    connecting_media_name_stamp                            bytea       not null,
    transferring_media_id_stamp                            bytea       not null,
    transferring_media_name_stamp                          bytea       not null,
    holding_media_id_stamp                                 bytea       not null,
    holding_media_name_stamp                               bytea       not null,
    waiting_room_id_stamp                                  bytea       not null,
    waiting_room_name_stamp                                bytea       not null,
    message_accept_stamp                                   bytea       not null,
    wrap_up_expiration_stamp                               bytea       not null,
    overflow_to_goodbye_message_stamp                      bytea       not null,
    overflow_to_cc_queue_id_stamp                          bytea       not null,
    overflow_to_flow_id_stamp                              bytea       not null,
    overflow_to_inbox_id_stamp                             bytea       not null,
    auto_close_message_enabled_stamp                       bytea       not null,
    auto_close_message_stamp                               bytea       not null,
    auto_close_timeout_stamp                               bytea       not null,
    auto_close_alert_message_enabled_stamp                 bytea       not null,
    auto_close_alert_message_stamp                         bytea       not null,
    auto_close_alert_message_time_stamp                    bytea       not null,
    recording_storage_location_stamp                       bytea       not null,
    queue_created_time_stamp                               bytea       not null,
    legacy_queue_id_stamp                                  bytea       not null,
    service_level_threshold_in_seconds_stamp               bytea       not null,
    service_level_target_in_percentage_stamp               bytea       not null,
    service_level_exclude_short_abandoned_calls_stamp      bytea       not null,
    service_level_exclude_long_abandoned_calls_stamp       bytea       not null,
    service_level_exclude_abandoned_quit_engagements_stamp bytea       not null,
    business_hour_id_stamp                                 bytea       not null,
    business_hour_name_stamp                               bytea       not null,
    closure_set_id_stamp                                   bytea       not null,
    closure_set_name_stamp                                 bytea       not null,
    account_default_business_hour_stamp                    bytea       not null,
    account_default_closure_set_stamp                      bytea       not null,
    channel_stamp                                          bytea       not null,
    teams_stamp                                            bytea       not null,
    deleted_stamp                                          bytea       not null,
    primary key (account_id, cc_queue_id)
);
comment on table zcc.queue is
    'Queues, as the newest events and the REST API tell of them.';

create table zcc.queue_member (
    account_id     text        collate "C" not null,
    cc_queue_id    text        collate "C" not null,
    user_id        text        collate "C" not null,
    persona        text        collate "C" not null,
    assigned       boolean,
    opted_in       boolean,
    assigned_stamp bytea       not null,
    opted_in_stamp bytea       not null,
    primary key (account_id, cc_queue_id, user_id, persona)
) with (fillfactor = 80);
comment on table zcc.queue_member is
    'Agents and supervisors of queues: whether they still are, and whether they opted in.';
comment on column zcc.queue_member.user_id is 'personal: user_ref';

create table zcc.scheduled_callback (
    account_id    text        collate "C" not null,
    cc_queue_id   text        collate "C" not null,
    start_time    timestamptz not null,
    attendee_id   text        collate "C" not null,
    first_name    text,
    last_name     text,
    email         text,
    phone_number  text        collate "C",
    channel       text        collate "C",
    booked_at     timestamptz,
    event_id      text        collate "C",
    booking_stamp bytea       not null,
    primary key (account_id, cc_queue_id, start_time, attendee_id)
);
comment on table zcc.scheduled_callback is
    'Calls back that were booked; Zoom gives them no id and tells of no cancellation.';
comment on column zcc.scheduled_callback.attendee_id is 'personal: pseudonymous_id';
comment on column zcc.scheduled_callback.first_name is 'personal: person_name';
comment on column zcc.scheduled_callback.last_name is 'personal: person_name';
comment on column zcc.scheduled_callback.email is 'personal: email';
comment on column zcc.scheduled_callback.phone_number is 'personal: phone';

create table zcc.team (
    account_id             text        collate "C" not null,
    team_id                text        collate "C" not null,
    team_name              text,
    team_description       text,
    parent_team_id         text        collate "C",
    parent_team_name       text,
    deleted_at             timestamptz,
    created_at             timestamptz,
    looked_up_at           timestamptz,
    team_name_stamp        bytea       not null,
    team_description_stamp bytea       not null,
    parent_stamp           bytea       not null,
    deleted_stamp          bytea       not null,
    primary key (account_id, team_id)
);
comment on table zcc.team is
    'Teams, as the newest events and the REST API tell of them.';

create table zcc.team_member (
    account_id     text        collate "C" not null,
    team_id        text        collate "C" not null,
    user_id        text        collate "C" not null,
    team_role      text        collate "C" not null,
    assigned       boolean,
    assigned_stamp bytea       not null,
    primary key (account_id, team_id, user_id, team_role)
);
comment on table zcc.team_member is
    'Agents and supervisors of teams, and whether they still are.';
comment on column zcc.team_member.user_id is 'personal: user_ref';

create table zcc.business_hour (
    account_id            text        collate "C" not null,
    business_hour_id      text        collate "C" not null,
    timezone              text        collate "C",
    account_default       boolean,
    name                  text,
    description           text,
    hour_type             integer,
    custom_hours          jsonb,
    modified_by           text        collate "C",
    deleted_at            timestamptz,
    created_at            timestamptz,
    modified_at           timestamptz,
    timezone_stamp        bytea       not null,
    account_default_stamp bytea       not null,
    name_stamp            bytea       not null,
    description_stamp     bytea       not null,
    hour_type_stamp       bytea       not null,
    custom_hours_stamp    bytea       not null,
    modified_by_stamp     bytea       not null,
    deleted_stamp         bytea       not null,
    primary key (account_id, business_hour_id)
);
comment on table zcc.business_hour is
    'Business hours, as the newest events tell of them.';
comment on column zcc.business_hour.modified_by is 'personal: user_ref';

create table zcc.closure_set (
    account_id            text        collate "C" not null,
    closure_set_id        text        collate "C" not null,
    timezone              text        collate "C",
    account_default       boolean,
    name                  text,
    description           text,
    modified_by           text        collate "C",
    deleted_at            timestamptz,
    created_at            timestamptz,
    modified_at           timestamptz,
    timezone_stamp        bytea       not null,
    account_default_stamp bytea       not null,
    name_stamp            bytea       not null,
    description_stamp     bytea       not null,
    modified_by_stamp     bytea       not null,
    deleted_stamp         bytea       not null,
    primary key (account_id, closure_set_id)
);
comment on table zcc.closure_set is
    'Sets of closures, as the newest events tell of them.';
comment on column zcc.closure_set.modified_by is 'personal: user_ref';

create table zcc.closure (
    account_id                     text        collate "C" not null,
    closure_set_id                 text        collate "C" not null,
    closure_id                     text        collate "C" not null,
    start_time                     timestamptz,
    end_time                       timestamptz,
    recurring_frequency            integer,
    recurring_frequency_type       integer,
    recurring_month                integer,
    recurring_week_interval        integer,
    recurring_days_of_week         jsonb,
    name                           text,
    hour_type                      integer,
    start_time_stamp               bytea       not null,
    end_time_stamp                 bytea       not null,
    recurring_frequency_stamp      bytea       not null,
    recurring_frequency_type_stamp bytea       not null,
    recurring_month_stamp          bytea       not null,
    recurring_week_interval_stamp  bytea       not null,
    recurring_days_of_week_stamp   bytea       not null,
    name_stamp                     bytea       not null,
    hour_type_stamp                bytea       not null,
    primary key (account_id, closure_set_id, closure_id)
);
comment on table zcc.closure is
    'The closures of the sets; that one was taken out of a set, no event tells.';

create table zcc.asset (
    account_id                text        collate "C" not null,
    asset_id                  text        collate "C" not null,
    asset_name                text,
    asset_description         text,
    asset_type                text        collate "C",
    asset_language_code       text        collate "C",
    category_id               text        collate "C",
    category_name             text,
    modified_by               text        collate "C",
    archived                  boolean,
    archived_at               timestamptz,
    deleted_at                timestamptz,
    created_at                timestamptz,
    modified_at               timestamptz,
    asset_name_stamp          bytea       not null,
    asset_description_stamp   bytea       not null,
    asset_type_stamp          bytea       not null,
    asset_language_code_stamp bytea       not null,
    category_id_stamp         bytea       not null,
    category_name_stamp       bytea       not null,
    modified_by_stamp         bytea       not null,
    archive_stamp             bytea       not null,
    deleted_stamp             bytea       not null,
    primary key (account_id, asset_id)
);
comment on table zcc.asset is
    'Assets of the library; an archived one can be restored, a deleted one cannot.';
comment on column zcc.asset.modified_by is 'personal: user_ref';

create table zcc.asset_item (
    account_id          text        collate "C" not null,
    asset_id            text        collate "C" not null,
    asset_item_id       text        collate "C" not null,
    is_default          boolean,
    name                text,
    language_code       text        collate "C",
    file_url            text        collate "C",
    content             text,
    voice               text,
    deleted_at          timestamptz,
    is_default_stamp    bytea       not null,
    name_stamp          bytea       not null,
    language_code_stamp bytea       not null,
    file_url_stamp      bytea       not null,
    content_stamp       bytea       not null,
    voice_stamp         bytea       not null,
    deleted_stamp       bytea       not null,
    primary key (account_id, asset_id, asset_item_id)
);
comment on table zcc.asset_item is
    'The items of assets, one for each language.';
comment on column zcc.asset_item.file_url is 'personal: url';

create table zcc.reference_entity (
    account_id    text        collate "C" not null,
    entity        text        collate "C" not null,
    id            text        collate "C" not null,
    state         jsonb,
    deleted_at    timestamptz,
    looked_up_at  timestamptz,
    state_stamp   bytea       not null,
    deleted_stamp bytea       not null,
    primary key (account_id, entity, id)
);
comment on table zcc.reference_entity is
    'What the reference topic says of entities that have no table of their own.';
comment on column zcc.reference_entity.id is
    'personal: pseudonymous_id; of most entities it is nobody''s.';
comment on column zcc.reference_entity.state is 'personal: document';

create table zcc.sms_log (
    account_id              text        collate "C" not null,
    log_id                  text        collate "C" not null,
    engagement_id           text        collate "C",
    consumer_number         text        collate "C",
    direction               text        collate "C",
    consumer_display_name   text,
    start_time              timestamptz,
    end_time                timestamptz,
    country_name            text,
    contact_center_number   text        collate "C",
    sms_types               text[]      collate "C",
    total_sent_messages     bigint,
    total_received_messages bigint,
    total_sent_files        bigint,
    total_received_files    bigint,
    cc_queue_ids            text[]      collate "C",
    user_ids                text[]      collate "C",
    row                     jsonb,
    polled_at               timestamptz,
    row_stamp               bytea       not null,
    primary key (account_id, log_id)
);
comment on table zcc.sms_log is
    'The log of text messages that the REST API keeps, one row per engagement.';
comment on column zcc.sms_log.consumer_number is 'personal: phone';
comment on column zcc.sms_log.consumer_display_name is 'personal: person_name';
comment on column zcc.sms_log.country_name is 'personal: location';
comment on column zcc.sms_log.contact_center_number is 'personal: org_phone';
comment on column zcc.sms_log.user_ids is 'personal: user_ref';
comment on column zcc.sms_log.row is 'personal: document';

create table zcc.voice_call_log (
    account_id            text        collate "C" not null,
    log_id                text        collate "C" not null,
    engagement_id         text        collate "C",
    consumer_number       text        collate "C",
    direction             text        collate "C",
    consumer_display_name text,
    start_time            timestamptz,
    end_time              timestamptz,
    country_name          text,
    call_legs             text[]      collate "C",
    distributions         text[]      collate "C",
    types                 text[]      collate "C",
    sub_types             text[]      collate "C",
    caller_number         text        collate "C",
    callee_number         text        collate "C",
    caller_id             text        collate "C",
    caller_number_type    text        collate "C",
    callee_number_type    text        collate "C",
    calling_party         text        collate "C",
    result                text        collate "C",
    total_duration        bigint,
    recorded              boolean,
    monitored             boolean,
    inbox                 boolean,
    charge                text        collate "C",
    charge_type           text        collate "C",
    rates                 text[]      collate "C",
    cc_queue_ids          text[]      collate "C",
    user_ids              text[]      collate "C",
    row                   jsonb,
    polled_at             timestamptz,
    row_stamp             bytea       not null,
    primary key (account_id, log_id)
);
comment on table zcc.voice_call_log is
    'The log of voice calls that the REST API keeps, one row per engagement.';
comment on column zcc.voice_call_log.consumer_number is 'personal: phone';
comment on column zcc.voice_call_log.consumer_display_name is 'personal: person_name';
comment on column zcc.voice_call_log.country_name is 'personal: location';
comment on column zcc.voice_call_log.caller_number is 'personal: phone';
comment on column zcc.voice_call_log.callee_number is 'personal: phone';
comment on column zcc.voice_call_log.caller_id is 'personal: phone';
comment on column zcc.voice_call_log.user_ids is 'personal: user_ref';
comment on column zcc.voice_call_log.row is 'personal: document';

comment on column zcc.task_queue_move.max_wait_time is
    'This and the columns after it: the settings of the queue as they were then; times in seconds.';
comment on column zcc.inbox_message.user_id is
    'personal: user_ref; whom the newest event names, whatever that user did.';
comment on column zcc.app_user.looked_up_at is 'As of when the REST API said so.';
comment on column zcc.queue.legacy_queue_id is 'The id that older members of events use.';
comment on column zcc.queue.looked_up_at is 'As of when the REST API said so.';
comment on column zcc.team.looked_up_at is 'As of when the REST API said so.';
comment on column zcc.sms_log.log_id is
    'The engagement, followed by the start where a log has several rows of it.';
comment on column zcc.voice_call_log.log_id is
    'The engagement, followed by the start where a log has several rows of it.';

-- All that belongs to one engagement.
create index task_by_engagement on zcc.task (account_id, engagement_id);
create index recording_by_engagement on zcc.recording (account_id, engagement_id);
create index inbox_message_by_engagement on zcc.inbox_message (account_id, engagement_id);
create index sms_log_by_engagement on zcc.sms_log (account_id, engagement_id);
create index voice_call_log_by_engagement on zcc.voice_call_log (account_id, engagement_id);

-- What came to a queue in a period; who was offered a task; what a user was offered in a period.
create index task_queue_move_by_queue
    on zcc.task_queue_move (account_id, cc_queue_id, occurred_at);
create index task_reservation_by_task on zcc.task_reservation (account_id, task_id);
create index task_reservation_by_user
    on zcc.task_reservation (account_id, assigned_user_id, created_at);

-- States of work and logins of all users in a period.
create index user_status_change_by_time on zcc.user_status_change (account_id, occurred_at);
create index user_presence_by_time on zcc.user_presence (account_id, occurred_at);

-- What lies in an inbox; queues and teams of a user.
create index inbox_message_by_inbox on zcc.inbox_message (account_id, inbox_id, received_at);
create index queue_member_by_user on zcc.queue_member (account_id, user_id);
create index team_member_by_user on zcc.team_member (account_id, user_id);

-- The logs of a period; those of a number.
create index sms_log_by_time on zcc.sms_log (account_id, start_time);
create index sms_log_by_number on zcc.sms_log (account_id, consumer_number);
create index voice_call_log_by_time on zcc.voice_call_log (account_id, start_time);
create index voice_call_log_by_number on zcc.voice_call_log (account_id, consumer_number);

-- A stay ends with the first of: the exit, another entry, a reservation that is accepted, an
-- assignment, the end of the task. An exit is promised only for moves from queue to queue.
create view zcc.task_queue_stay as
select
    entry.account_id,
    entry.task_id,
    entry.engagement_id,
    entry.cc_queue_id,
    entry.queue_name,
    entry.channel,
    entry.channel_source,
    entry.occurred_at as entered_at,
    ending.at as ended_at,
    ending.how as ended_by,
    entry.max_wait_time,
    entry.short_abandon_enable,
    entry.short_abandon_threshold
from zcc.task_queue_move as entry
left join lateral (
    select at, how
    from (
        (
            select move.occurred_at, move.move, 3
            from zcc.task_queue_move as move
            where
                move.account_id = entry.account_id
                and move.task_id = entry.task_id
                and (move.occurred_at, move.event_id) > (entry.occurred_at, entry.event_id)
                and (move.move = 'entered' or move.cc_queue_id = entry.cc_queue_id)
            order by move.occurred_at, move.move desc -- the exit, where both are of one moment
            limit 1
        )
        union all
        select min(accepted_at), 'accepted', 1
        from zcc.task_reservation as reservation
        where
            reservation.account_id = entry.account_id
            and reservation.task_id = entry.task_id
            and reservation.accepted_at >= entry.occurred_at
        union all
        select moment.at, moment.how, moment.rank
        from zcc.task,
            lateral (
                values
                    (task.assigned_at, 'assigned', 2),
                    (task.completed_at, 'completed', 4),
                    (task.canceled_at, 'canceled', 5),
                    (task.deleted_at, 'deleted', 6)
            ) as moment (at, how, rank)
        where
            task.account_id = entry.account_id
            and task.task_id = entry.task_id
            and moment.at >= entry.occurred_at
    ) as possible (at, how, rank)
    where at is not null
    order by at, rank
    limit 1
) as ending on true
where entry.move = 'entered';
comment on view zcc.task_queue_stay is
    'From when to when a task waited in a queue, and what ended the wait: exited, entered (another '
    'queue), accepted, assigned, completed, canceled, deleted; null while it lasts.';

create view zcc.user_status_history as
select
    change.account_id,
    change.user_id,
    change.occurred_at as started_at,
    next.occurred_at as ended_at,
    change.status_id,
    change.status_name,
    change.sub_status_id,
    change.sub_status_name,
    next.previous_status_id is distinct from change.status_id
        and next.occurred_at is not null as followed_by_gap
from zcc.user_status_change as change
left join lateral (
    select occurred_at, previous_status_id
    from zcc.user_status_change as later
    where
        later.account_id = change.account_id
        and later.user_id = change.user_id
        and (later.occurred_at, later.event_id) > (change.occurred_at, change.event_id)
    order by later.occurred_at, later.event_id
    limit 1
) as next on true;
comment on view zcc.user_status_history is
    'From when to when a user was in a state of work. followed_by_gap: the next change came from '
    'another state, so that a change between the two is missing.';

create view zcc.user_session as
select
    login.account_id,
    login.user_id,
    login.occurred_at as login_at,
    case when next.presence = 'logout' then next.occurred_at end as logout_at,
    next.presence = 'login' as replaced
from zcc.user_presence as login
left join lateral (
    select occurred_at, presence
    from zcc.user_presence as later
    where
        later.account_id = login.account_id
        and later.user_id = login.user_id
        and (later.occurred_at, later.event_id) > (login.occurred_at, login.event_id)
    order by later.occurred_at, later.event_id
    limit 1
) as next on true
where login.presence = 'login';
comment on view zcc.user_session is
    'From login to logout. replaced: the next login came without a logout before it; null while '
    'the session lasts.';
