-- Raw events, the engagement and its timeline, offsets.
-- Ids are opaque, case-sensitive text; "C" makes their order and their indexes independent of the
-- server's language, and cheap.

create table zcc.raw_event (
    event_id          text        collate "C" not null,
    event_ts          timestamptz not null,
    occurred_at       timestamptz not null,
    received_at       timestamptz not null,
    account_id        text        collate "C" not null,
    event             text        collate "C" not null,
    family            text        collate "C" not null,
    subject           text        collate "C",
    partition_key     text        collate "C",
    source_topic      text        collate "C" not null,
    source_partition  integer     not null,
    source_offset     bigint      not null,
    revision          integer     not null,
    payload           jsonb       not null,
    enrichment        jsonb,
    enrichment_status text        collate "C",
    body              bytea,
    stored_at         timestamptz not null default clock_timestamp(),
    primary key (event_ts, event_id) -- in this order new rows meet pages that are in memory
) partition by range (event_ts);
comment on table zcc.raw_event is
    'Each event once. event_ts is part of its identity, so a repeat meets it in the same partition.';
comment on column zcc.raw_event.payload is 'The webhook body.';
comment on column zcc.raw_event.body is
    'The webhook body byte for byte, only where jsonb cannot hold it and payload is sanitised.';
comment on column zcc.raw_event.source_topic is 'Where the event was read first.';
create table zcc.raw_event_default partition of zcc.raw_event default;

create table zcc.engagement_timeline (
    account_id        text        collate "C" not null,
    engagement_id     text        collate "C" not null,
    occurred_at       timestamptz not null,
    event_id          text        collate "C" not null,
    event_ts          timestamptz not null,
    event             text        collate "C" not null,
    family            text        collate "C" not null,
    channel           text        collate "C",
    cc_queue_id       text        collate "C",
    queue_name        text,
    user_id           text        collate "C",
    user_display_name text,
    task_id           text        collate "C",
    revision          integer     not null,
    primary key (account_id, engagement_id, occurred_at, event_id, event_ts)
) partition by range (event_ts);
comment on table zcc.engagement_timeline is
    'One row per event that names an engagement; (event_id, event_ts) leads to zcc.raw_event.';
create table zcc.engagement_timeline_default partition of zcc.engagement_timeline default;

create table zcc.engagement (
    account_id                  text        collate "C" not null,
    engagement_id               text        collate "C" not null,
    direction                   text        collate "C",
    channel                     text        collate "C",
    channel_source              text        collate "C",
    started_at                  timestamptz,
    ended_at                    timestamptz,
    transfer_from               text        collate "C",
    transfer_from_id            text        collate "C",
    first_flow_id               text        collate "C",
    first_flow_name             text,
    last_flow_id                text        collate "C",
    last_flow_name              text,
    cc_queue_id                 text        collate "C",
    queue_name                  text,
    last_user_id                text        collate "C",
    last_user_display_name      text,
    consumer_id                 text        collate "C",
    consumer_number             text        collate "C",
    consumer_display_name       text,
    campaign_dialer_status      text        collate "C",
    external_engagement_id      text        collate "C",
    phase                       text        collate "C",
    state                       text        collate "C" not null generated always as
        (case when ended_at is not null then 'ended' else coalesce(phase, 'unknown') end) stored,
    wrap_up_started_at          timestamptz,
    wrap_up_ended_at            timestamptz,
    v1_data_ready_at            timestamptz,
    v2_data_ready_at            timestamptz,
    first_occurred_at           timestamptz not null,
    last_occurred_at            timestamptz not null,
    last_event_id               text        collate "C" not null,
    direction_stamp             bytea       not null,
    channel_stamp               bytea       not null,
    channel_source_stamp        bytea       not null,
    started_stamp               bytea       not null,
    first_flow_stamp            bytea       not null,
    last_flow_stamp             bytea       not null,
    queue_stamp                 bytea       not null,
    last_user_stamp             bytea       not null,
    consumer_id_stamp           bytea       not null,
    consumer_number_stamp       bytea       not null,
    consumer_display_name_stamp bytea       not null,
    campaign_stamp              bytea       not null,
    phase_stamp                 bytea       not null,
    last_event_stamp            bytea       not null,
    primary key (account_id, engagement_id)
) with (fillfactor = 70); -- room for updates on the same page, which then touch no index
comment on table zcc.engagement is
    'State of each engagement as its events tell it, the same whatever their order of arrival.';
comment on column zcc.engagement.phase is 'What the newest telling event says.';
comment on column zcc.engagement.state is 'ended once an end is known, else the phase.';
comment on column zcc.engagement.last_event_stamp is
    'A stamp orders the events that may set its columns: time of occurrence, event_ts, event_id.';

create table zcc.kafka_offset (
    consumer_group text        collate "C" not null,
    topic          text        collate "C" not null,
    partition      integer     not null,
    cluster_id     text        collate "C" not null,
    epoch          bigint      not null,
    next_offset    bigint      not null,
    updated_at     timestamptz not null default clock_timestamp(),
    primary key (consumer_group, topic, partition)
) with (fillfactor = 50);
comment on table zcc.kafka_offset is
    'Where each partition is read on; written in the transaction of its rows, by its owner only.';
comment on column zcc.kafka_offset.epoch is 'Rises with each assignment; an older owner is fenced.';

-- Makes the partition of one month where it is missing; rows of that month that went to the default
-- partition meanwhile move there. Returns whether it was missing.
create function zcc.make_month_partition(parent text, month date) returns boolean
language plpgsql as $$
declare
    partition text := quote_ident(parent || to_char(month, '_YYYY_MM'));
    first_moment timestamptz := month::timestamp at time zone 'UTC';
    end_moment timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
    perform pg_advisory_xact_lock(7213640002);
    if to_regclass('zcc.' || partition) is not null then
        return false;
    end if;
    execute 'lock table zcc.' || quote_ident(parent || '_default') || ' in access exclusive mode';
    execute 'create table zcc.' || partition
        || ' (like zcc.' || quote_ident(parent) || ' including all)';
    execute 'with moved as (delete from zcc.' || quote_ident(parent || '_default')
        || ' where event_ts >= $1 and event_ts < $2 returning *)'
        || ' insert into zcc.' || partition || ' select * from moved'
        using first_moment, end_moment;
    execute 'alter table zcc.' || quote_ident(parent) || ' attach partition zcc.' || partition
        || ' for values from (' || quote_literal(first_moment)
        || ') to (' || quote_literal(end_moment) || ')';
    return true;
end
$$;
