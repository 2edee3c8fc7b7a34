-- What is known of engagements beyond their state: channels, people, work about them, transfers,
-- conferences, conversations, delivery, consent, commands.
-- The comment of a column that holds personal data begins with "personal:" and the class.
-- A stamp orders the events that may set the columns before it; see zcc.engagement.
-- Partitioned are the tables that grow by every word that is said and are kept for a limited time;
-- consent must outlive the messages, and the others grow slowly.

alter table zcc.engagement
    add column flow_number text collate "C",
    add column flow_number_stamp bytea not null default '',
    add column contact_center_number text collate "C",
    add column contact_center_number_stamp bytea not null default '',
    add column consumer_invite_number text collate "C",
    add column consumer_invite_email text,
    add column invite_stamp bytea not null default '',
    add column upgrade_state text collate "C",
    add column upgrade_to_channel text collate "C",
    add column upgrade_to_channel_source text collate "C",
    add column upgrade_told_at timestamptz,
    add column upgrade_stamp bytea not null default '',
    add column transcript_ready_at timestamptz,
    add column transcript_url text,
    add column transcript_stamp bytea not null default '',
    add column reported_started_at timestamptz,
    add column reported_start_stamp bytea not null default '';
comment on column zcc.engagement.last_user_id is 'personal: user_ref';
comment on column zcc.engagement.last_user_display_name is 'personal: person_name';
comment on column zcc.engagement.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.engagement.consumer_number is 'personal: phone';
comment on column zcc.engagement.consumer_display_name is 'personal: person_name';
comment on column zcc.engagement.flow_number is 'personal: org_phone';
comment on column zcc.engagement.contact_center_number is 'personal: org_phone';
comment on column zcc.engagement.consumer_invite_number is 'personal: phone';
comment on column zcc.engagement.consumer_invite_email is 'personal: email';
comment on column zcc.engagement.transcript_url is 'personal: url';

comment on column zcc.engagement_timeline.user_id is 'personal: user_ref';
comment on column zcc.engagement_timeline.user_display_name is 'personal: person_name';

comment on column zcc.raw_event.payload is 'personal: document; the webhook body.';
comment on column zcc.raw_event.enrichment is 'personal: document';
comment on column zcc.raw_event.body is
    'personal: document; the webhook body byte for byte, only where jsonb cannot hold it.';

create table zcc.engagement_channel (
    account_id     text        collate "C" not null,
    engagement_id  text        collate "C" not null,
    channel        text        collate "C" not null,
    channel_source text        collate "C" not null,
    first_seen_at  timestamptz not null,
    primary key (account_id, engagement_id, channel, channel_source)
);
comment on table zcc.engagement_channel is
    'The channels that an engagement used; channel_source is empty where none was told.';

create table zcc.engagement_participant (
    account_id        text        collate "C" not null,
    engagement_id     text        collate "C" not null,
    kind              text        collate "C" not null,
    participant_id    text        collate "C" not null,
    display_name      text,
    name_stamp        bytea       not null,
    phone_number      text        collate "C",
    number_stamp      bytea       not null,
    team_ids          text[]      collate "C",
    team_names        text[],
    teams_stamp       bytea       not null,
    first_seen_at     timestamptz not null,
    first_answered_at timestamptz,
    last_ended_at     timestamptz,
    primary key (account_id, engagement_id, kind, participant_id)
) with (fillfactor = 80);
comment on table zcc.engagement_participant is
    'Users, consumers and supervisors of an engagement, as they were first told.';
comment on column zcc.engagement_participant.participant_id is 'personal: pseudonymous_id';
comment on column zcc.engagement_participant.display_name is 'personal: person_name';
comment on column zcc.engagement_participant.phone_number is 'personal: phone';

create table zcc.engagement_disposition (
    account_id              text        collate "C" not null,
    engagement_id           text        collate "C" not null,
    disposition_id          text        collate "C" not null,
    user_id                 text        collate "C" not null,
    disposition_name        text,
    disposition_description text,
    status                  text        collate "C",
    definition_modified_at  timestamptz,
    definition_modified_by  text        collate "C",
    disposition_stamp       bytea       not null,
    first_added_at          timestamptz,
    last_added_at           timestamptz,
    primary key (account_id, engagement_id, disposition_id, user_id)
);
comment on table zcc.engagement_disposition is
    'Dispositions that users chose, with their definition as it was then.';
comment on column zcc.engagement_disposition.user_id is 'personal: user_ref';
comment on column zcc.engagement_disposition.definition_modified_by is 'personal: user_ref';

create table zcc.engagement_note (
    account_id        text        collate "C" not null,
    note_id           text        collate "C" not null,
    engagement_id     text        collate "C",
    note              text,
    note_modified_at  timestamptz,
    user_id           text        collate "C",
    user_display_name text,
    note_stamp        bytea       not null,
    added_at          timestamptz,
    primary key (account_id, note_id)
);
comment on table zcc.engagement_note is
    'Notes of users, as they were last written.';
comment on column zcc.engagement_note.note is 'personal: free_text';
comment on column zcc.engagement_note.user_id is 'personal: user_ref';
comment on column zcc.engagement_note.user_display_name is 'personal: person_name';

create table zcc.follow_up_task (
    account_id        text        collate "C" not null,
    follow_up_task_id text        collate "C" not null,
    engagement_id     text        collate "C",
    content           text,
    content_stamp     bytea       not null,
    created_by        text        collate "C",
    created_stamp     bytea       not null,
    updated_by        text        collate "C",
    updated_stamp     bytea       not null,
    created_at        timestamptz,
    updated_at        timestamptz,
    primary key (account_id, follow_up_task_id)
);
comment on table zcc.follow_up_task is
    'What is to be done after an engagement; no routing task, though Zoom calls its id task_id.';
comment on column zcc.follow_up_task.content is 'personal: free_text';
comment on column zcc.follow_up_task.created_by is 'personal: user_ref';
comment on column zcc.follow_up_task.updated_by is 'personal: user_ref';

create table zcc.engagement_survey (
    account_id           text        collate "C" not null,
    engagement_id        text        collate "C" not null,
    survey_id            text        collate "C" not null,
    survey_question_id   text        collate "C" not null,
    survey_status        text        collate "C",
    survey_trigger_from  text        collate "C",
    user_id              text        collate "C",
    status_told_at       timestamptz,
    status_stamp         bytea       not null,
    consumer_email       text,
    consumer_email_stamp bytea       not null,
    sent_at              timestamptz,
    completed_at         timestamptz,
    primary key (account_id, engagement_id, survey_id, survey_question_id)
);
comment on table zcc.engagement_survey is
    'Surveys, and their questions where survey_question_id is not empty; no event holds an answer.';
comment on column zcc.engagement_survey.user_id is 'personal: user_ref';
comment on column zcc.engagement_survey.consumer_email is 'personal: email';

create table zcc.engagement_supervision (
    account_id              text        collate "C" not null,
    engagement_id           text        collate "C" not null,
    event_id                text        collate "C" not null,
    event_ts                timestamptz not null,
    occurred_at             timestamptz not null,
    action_type             text        collate "C",
    boundary                text        collate "C",
    user_id                 text        collate "C",
    user_display_name       text,
    supervisor_id           text        collate "C",
    supervisor_display_name text,
    revision                integer not null,
    primary key (account_id, engagement_id, event_id, event_ts)
);
comment on table zcc.engagement_supervision is
    'Supervisors who listen, whisper, barge or take over: one row per event.';
comment on column zcc.engagement_supervision.user_id is 'personal: user_ref';
comment on column zcc.engagement_supervision.user_display_name is 'personal: person_name';
comment on column zcc.engagement_supervision.supervisor_id is 'personal: user_ref';
comment on column zcc.engagement_supervision.supervisor_display_name is 'personal: person_name';

create table zcc.transfer (
    account_id                    text        collate "C" not null,
    task_id                       text        collate "C" not null,
    transfer_to_task_id           text        collate "C" not null,
    engagement_id                 text        collate "C",
    state                         text        collate "C",
    channel                       text        collate "C",
    direction                     text        collate "C",
    state_told_at                 timestamptz,
    state_stamp                   bytea       not null,
    transfer_level                text        collate "C",
    level_stamp                   bytea       not null,
    transfer_type                 text        collate "C",
    type_stamp                    bytea       not null,
    user_id                       text        collate "C",
    user_display_name             text,
    user_stamp                    bytea       not null,
    cc_queue_id                   text        collate "C",
    queue_name                    text,
    queue_stamp                   bytea       not null,
    flow_id                       text        collate "C",
    flow_name                     text,
    flow_stamp                    bytea       not null,
    transfer_to_user_id           text        collate "C",
    transfer_to_user_display_name text,
    to_user_stamp                 bytea       not null,
    transfer_to_cc_queue_id       text        collate "C",
    transfer_to_queue_name        text,
    to_queue_stamp                bytea       not null,
    transfer_to_flow_id           text        collate "C",
    transfer_to_flow_name         text,
    to_flow_stamp                 bytea       not null,
    transfer_to_inbox_id          text        collate "C",
    transfer_to_inbox_name        text,
    to_inbox_stamp                bytea       not null,
    transfer_to_number            text        collate "C",
    to_number_stamp               bytea       not null,
    task_status                   text        collate "C",
    task_status_stamp             bytea       not null,
    transfer_to_task_status       text        collate "C",
    to_task_status_stamp          bytea       not null,
    task_timeout_s                integer,
    task_timeout_stamp            bytea       not null,
    transfer_to_task_timeout_s    integer,
    to_task_timeout_stamp         bytea       not null,
    initiated_at                  timestamptz,
    accepted_at                   timestamptz,
    refused_at                    timestamptz,
    finished_at                   timestamptz,
    last_told_at                  timestamptz not null,
    primary key (account_id, task_id, transfer_to_task_id)
) with (fillfactor = 80);
comment on table zcc.transfer is
    'Transfers by the pair of their tasks. A cold one ends as accepted.';
comment on column zcc.transfer.user_id is 'personal: user_ref';
comment on column zcc.transfer.user_display_name is 'personal: person_name';
comment on column zcc.transfer.transfer_to_user_id is 'personal: user_ref';
comment on column zcc.transfer.transfer_to_user_display_name is 'personal: person_name';
comment on column zcc.transfer.transfer_to_number is 'personal: phone';

create table zcc.conference_event (
    account_id               text        collate "C" not null,
    conference_id            text        collate "C" not null,
    event_id                 text        collate "C" not null,
    event_ts                 timestamptz not null,
    occurred_at              timestamptz not null,
    engagement_id            text        collate "C",
    action                   text        collate "C",
    participant_user_id      text        collate "C",
    participant_phone_number text        collate "C",
    participant_queue_id     text        collate "C",
    division_id              text        collate "C",
    division_name            text,
    team_ids                 text[]      collate "C",
    team_names               text[],
    participants             jsonb,
    revision                 integer not null,
    primary key (account_id, conference_id, event_id, event_ts)
);
comment on table zcc.conference_event is
    'What happened in conferences, one row per event, with all who were in it.';
comment on column zcc.conference_event.participant_user_id is 'personal: pseudonymous_id';
comment on column zcc.conference_event.participant_phone_number is 'personal: phone';
comment on column zcc.conference_event.participants is 'personal: document';

create table zcc.conversation_message (
    account_id     text        collate "C" not null,
    event_id       text        collate "C" not null,
    event_ts       timestamptz not null,
    sent_at        timestamptz not null,
    engagement_id  text        collate "C",
    sender         text        collate "C",
    channel_source text        collate "C",
    user_id        text        collate "C",
    consumer_id    text        collate "C",
    message_text   text,
    revision       integer not null,
    primary key (account_id, event_id, event_ts)
) partition by range (event_ts);
comment on table zcc.conversation_message is
    'Messages of conversations, one row per event.';
comment on column zcc.conversation_message.user_id is 'personal: user_ref';
comment on column zcc.conversation_message.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.conversation_message.message_text is 'personal: free_text';
create table zcc.conversation_message_default partition of zcc.conversation_message default;

create table zcc.conversation_file (
    account_id     text        collate "C" not null,
    event_id       text        collate "C" not null,
    event_ts       timestamptz not null,
    position       integer not null,
    sent_at        timestamptz not null,
    engagement_id  text        collate "C",
    sender         text        collate "C",
    channel_source text        collate "C",
    user_id        text        collate "C",
    consumer_id    text        collate "C",
    file_id        text        collate "C",
    file_name      text,
    file_type      text        collate "C",
    size_bytes     bigint,
    download_url   text,
    revision       integer not null,
    primary key (account_id, event_id, event_ts, position)
) partition by range (event_ts);
comment on table zcc.conversation_file is
    'Files of conversations, one row per event and file.';
comment on column zcc.conversation_file.user_id is 'personal: user_ref';
comment on column zcc.conversation_file.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.conversation_file.file_name is 'personal: file_name';
comment on column zcc.conversation_file.download_url is 'personal: url';
create table zcc.conversation_file_default partition of zcc.conversation_file default;

create table zcc.message_delivery (
    account_id                  text        collate "C" not null,
    message_id                  text        collate "C" not null,
    channel                     text        collate "C" not null,
    status                      text        collate "C",
    reason                      text,
    error_detail                text,
    status_stamp                bytea       not null,
    engagement_id               text        collate "C",
    engagement_stamp            bytea       not null,
    contact_center_number       text        collate "C",
    contact_center_number_stamp bytea       not null,
    consumer_number             text        collate "C",
    consumer_number_stamp       bytea       not null,
    from_address                text        collate "C",
    sender_stamp                bytea       not null,
    to_address                  text        collate "C",
    recipient_stamp             bytea       not null,
    sent_at                     timestamptz,
    delivered_at                timestamptz,
    read_at                     timestamptz,
    failed_at                   timestamptz,
    last_told_at                timestamptz not null,
    primary key (account_id, message_id, channel)
) with (fillfactor = 80);
comment on table zcc.message_delivery is
    'How the delivery of each message stands.';
comment on column zcc.message_delivery.reason is 'personal: free_text_low';
comment on column zcc.message_delivery.error_detail is 'personal: free_text_low';
comment on column zcc.message_delivery.contact_center_number is 'personal: org_phone';
comment on column zcc.message_delivery.consumer_number is 'personal: phone';
comment on column zcc.message_delivery.from_address is 'personal: phone';
comment on column zcc.message_delivery.to_address is 'personal: phone';

create table zcc.consent (
    account_id            text        collate "C" not null,
    channel               text        collate "C" not null,
    consumer_number       text        collate "C" not null,
    contact_center_number text        collate "C" not null,
    campaign_id           text        collate "C" not null,
    state                 text        collate "C",
    engagement_id         text        collate "C",
    state_told_at         timestamptz,
    state_stamp           bytea       not null,
    primary key (account_id, channel, consumer_number, contact_center_number, campaign_id)
);
comment on table zcc.consent is
    'Whether a consumer wants to be written to, by number, our number and campaign.';
comment on column zcc.consent.consumer_number is 'personal: phone';
comment on column zcc.consent.contact_center_number is 'personal: org_phone';

create table zcc.consent_history (
    account_id            text        collate "C" not null,
    event_id              text        collate "C" not null,
    event_ts              timestamptz not null,
    occurred_at           timestamptz not null,
    state                 text        collate "C",
    channel               text        collate "C",
    consumer_number       text        collate "C",
    contact_center_number text        collate "C",
    campaign_id           text        collate "C",
    engagement_id         text        collate "C",
    revision              integer not null,
    primary key (account_id, event_id, event_ts)
);
comment on table zcc.consent_history is
    'How consent came about: one row per event, kept as evidence.';
comment on column zcc.consent_history.consumer_number is 'personal: phone';
comment on column zcc.consent_history.contact_center_number is 'personal: org_phone';

create table zcc.call_control_command (
    account_id    text        collate "C" not null,
    event_id      text        collate "C" not null,
    event_ts      timestamptz not null,
    occurred_at   timestamptz not null,
    command       text        collate "C",
    request_id    text        collate "C",
    engagement_id text        collate "C",
    conference_id text        collate "C",
    user_id       text        collate "C",
    revision      integer not null,
    primary key (account_id, event_id, event_ts)
);
comment on table zcc.call_control_command is
    'Commands that another program gave to a telephone, one row per event.';
comment on column zcc.call_control_command.user_id is 'personal: user_ref';

-- Engagements of a period; those of a queue; those that are open; those of a number.
create index engagement_by_time on zcc.engagement (account_id, first_occurred_at);
create index engagement_by_queue on zcc.engagement (account_id, cc_queue_id, first_occurred_at);
create index engagement_open on zcc.engagement (account_id, first_occurred_at)
    where ended_at is null;
create index engagement_by_consumer_number on zcc.engagement (account_id, consumer_number)
    where consumer_number is not null;

-- Engagements in which somebody took part, by time.
create index engagement_participant_by_person
    on zcc.engagement_participant (account_id, participant_id, first_seen_at);

-- All that belongs to one engagement.
create index engagement_note_by_engagement on zcc.engagement_note (account_id, engagement_id);
create index follow_up_task_by_engagement on zcc.follow_up_task (account_id, engagement_id);
create index transfer_by_engagement on zcc.transfer (account_id, engagement_id);
create index conference_event_by_engagement on zcc.conference_event (account_id, engagement_id);
create index conversation_message_by_engagement
    on zcc.conversation_message (account_id, engagement_id, sent_at);
create index conversation_file_by_engagement
    on zcc.conversation_file (account_id, engagement_id, sent_at);

-- How a consumer's consent came about; what became of a command.
create index consent_history_by_number
    on zcc.consent_history (account_id, consumer_number, occurred_at);
create index call_control_command_by_request
    on zcc.call_control_command (account_id, request_id);

create view zcc.engagement_supervision_interval as
select
    account_id,
    engagement_id,
    supervisor_id,
    supervisor_display_name,
    action_type,
    user_id,
    user_display_name,
    occurred_at as started_at,
    case when next_boundary = 'ended' then next_at end as ended_at
from (
    select
        *,
        lead(occurred_at) over moments as next_at,
        lead(boundary) over moments as next_boundary
    from zcc.engagement_supervision
    window moments as (
        partition by account_id, engagement_id, supervisor_id, action_type
        order by occurred_at, event_ts, event_id
    )
) as moment
where boundary = 'started';
comment on view zcc.engagement_supervision_interval is
    'From when to when somebody listened, whispered or barged in; a takeover has no end of its own.';
