-- What the sink of revision 0001 says to the database, word for word; each statement under its name.
-- Columns of the staging tables are those that it writes.

-- name: staging_raw_event
create temporary table staging_raw_event (event_id text, event_ts timestamptz, occurred_at
timestamptz, received_at timestamptz, account_id text, event text, family text, subject text,
partition_key text, source_topic text, source_partition integer, source_offset bigint, revision
integer, payload jsonb, enrichment jsonb, enrichment_status text, body bytea) with
(toast_tuple_target = 8160) on commit delete rows

-- name: staging_engagement_timeline
create temporary table staging_engagement_timeline (account_id text, engagement_id text, occurred_at
timestamptz, event_id text, event_ts timestamptz, event text, family text, channel text, cc_queue_id
text, queue_name text, user_id text, user_display_name text, task_id text, revision integer) with
(toast_tuple_target = 8160) on commit delete rows

-- name: staging_engagement
create temporary table staging_engagement (account_id text, engagement_id text, direction text,
direction_stamp bytea, channel text, channel_stamp bytea, channel_source text, channel_source_stamp
bytea, started_at timestamptz, transfer_from text, transfer_from_id text, started_stamp bytea,
first_flow_id text, first_flow_name text, first_flow_stamp bytea, last_flow_id text, last_flow_name
text, last_flow_stamp bytea, cc_queue_id text, queue_name text, queue_stamp bytea, last_user_id
text, last_user_display_name text, last_user_stamp bytea, consumer_id text, consumer_id_stamp bytea,
consumer_number text, consumer_number_stamp bytea, consumer_display_name text,
consumer_display_name_stamp bytea, campaign_dialer_status text, external_engagement_id text,
campaign_stamp bytea, phase text, phase_stamp bytea, last_event_id text, last_occurred_at
timestamptz, last_event_stamp bytea, first_occurred_at timestamptz, ended_at timestamptz,
wrap_up_started_at timestamptz, wrap_up_ended_at timestamptz, v1_data_ready_at timestamptz,
v2_data_ready_at timestamptz) with (toast_tuple_target = 8160) on commit delete rows

-- name: merge_raw_event
insert into zcc.raw_event as stored (event_id, event_ts, occurred_at, received_at, account_id,
event, family, subject, partition_key, source_topic, source_partition, source_offset, revision,
payload, enrichment, enrichment_status, body) select event_id, event_ts, occurred_at, received_at,
account_id, event, family, subject, partition_key, source_topic, source_partition, source_offset,
revision, payload, enrichment, enrichment_status, body from pg_temp.staging_raw_event on conflict
(event_id, event_ts) do update set enrichment = excluded.enrichment, enrichment_status =
excluded.enrichment_status, revision = excluded.revision where excluded.revision > stored.revision

-- name: merge_engagement_timeline
insert into zcc.engagement_timeline as stored (account_id, engagement_id, occurred_at, event_id,
event_ts, event, family, channel, cc_queue_id, queue_name, user_id, user_display_name, task_id,
revision) select account_id, engagement_id, occurred_at, event_id, event_ts, event, family, channel,
cc_queue_id, queue_name, user_id, user_display_name, task_id, revision from
pg_temp.staging_engagement_timeline on conflict (account_id, engagement_id, occurred_at, event_id,
event_ts) do update set queue_name = excluded.queue_name, user_display_name =
excluded.user_display_name, revision = excluded.revision where excluded.revision > stored.revision

-- name: merge_engagement
insert into zcc.engagement as stored (account_id, engagement_id, direction, direction_stamp,
channel, channel_stamp, channel_source, channel_source_stamp, started_at, transfer_from,
transfer_from_id, started_stamp, first_flow_id, first_flow_name, first_flow_stamp, last_flow_id,
last_flow_name, last_flow_stamp, cc_queue_id, queue_name, queue_stamp, last_user_id,
last_user_display_name, last_user_stamp, consumer_id, consumer_id_stamp, consumer_number,
consumer_number_stamp, consumer_display_name, consumer_display_name_stamp, campaign_dialer_status,
external_engagement_id, campaign_stamp, phase, phase_stamp, last_event_id, last_occurred_at,
last_event_stamp, first_occurred_at, ended_at, wrap_up_started_at, wrap_up_ended_at,
v1_data_ready_at, v2_data_ready_at) select account_id, engagement_id, direction, direction_stamp,
channel, channel_stamp, channel_source, channel_source_stamp, started_at, transfer_from,
transfer_from_id, started_stamp, first_flow_id, first_flow_name, first_flow_stamp, last_flow_id,
last_flow_name, last_flow_stamp, cc_queue_id, queue_name, queue_stamp, last_user_id,
last_user_display_name, last_user_stamp, consumer_id, consumer_id_stamp, consumer_number,
consumer_number_stamp, consumer_display_name, consumer_display_name_stamp, campaign_dialer_status,
external_engagement_id, campaign_stamp, phase, phase_stamp, last_event_id, last_occurred_at,
last_event_stamp, first_occurred_at, ended_at, wrap_up_started_at, wrap_up_ended_at,
v1_data_ready_at, v2_data_ready_at from pg_temp.staging_engagement on conflict (account_id,
engagement_id) do update set direction = case when excluded.direction_stamp > stored.direction_stamp
then excluded.direction else stored.direction end, direction_stamp = case when
excluded.direction_stamp > stored.direction_stamp then excluded.direction_stamp else
stored.direction_stamp end, channel = case when excluded.channel_stamp > stored.channel_stamp then
excluded.channel else stored.channel end, channel_stamp = case when excluded.channel_stamp >
stored.channel_stamp then excluded.channel_stamp else stored.channel_stamp end, channel_source =
case when excluded.channel_source_stamp > stored.channel_source_stamp then excluded.channel_source
else stored.channel_source end, channel_source_stamp = case when excluded.channel_source_stamp >
stored.channel_source_stamp then excluded.channel_source_stamp else stored.channel_source_stamp end,
started_at = case when excluded.started_stamp > stored.started_stamp then excluded.started_at else
stored.started_at end, transfer_from = case when excluded.started_stamp > stored.started_stamp then
excluded.transfer_from else stored.transfer_from end, transfer_from_id = case when
excluded.started_stamp > stored.started_stamp then excluded.transfer_from_id else
stored.transfer_from_id end, started_stamp = case when excluded.started_stamp > stored.started_stamp
then excluded.started_stamp else stored.started_stamp end, first_flow_id = case when
excluded.first_flow_stamp > stored.first_flow_stamp then excluded.first_flow_id else
stored.first_flow_id end, first_flow_name = case when excluded.first_flow_stamp >
stored.first_flow_stamp then excluded.first_flow_name else stored.first_flow_name end,
first_flow_stamp = case when excluded.first_flow_stamp > stored.first_flow_stamp then
excluded.first_flow_stamp else stored.first_flow_stamp end, last_flow_id = case when
excluded.last_flow_stamp > stored.last_flow_stamp then excluded.last_flow_id else
stored.last_flow_id end, last_flow_name = case when excluded.last_flow_stamp >
stored.last_flow_stamp then excluded.last_flow_name else stored.last_flow_name end, last_flow_stamp
= case when excluded.last_flow_stamp > stored.last_flow_stamp then excluded.last_flow_stamp else
stored.last_flow_stamp end, cc_queue_id = case when excluded.queue_stamp > stored.queue_stamp then
excluded.cc_queue_id else stored.cc_queue_id end, queue_name = case when excluded.queue_stamp >
stored.queue_stamp then excluded.queue_name else stored.queue_name end, queue_stamp = case when
excluded.queue_stamp > stored.queue_stamp then excluded.queue_stamp else stored.queue_stamp end,
last_user_id = case when excluded.last_user_stamp > stored.last_user_stamp then
excluded.last_user_id else stored.last_user_id end, last_user_display_name = case when
excluded.last_user_stamp > stored.last_user_stamp then excluded.last_user_display_name else
stored.last_user_display_name end, last_user_stamp = case when excluded.last_user_stamp >
stored.last_user_stamp then excluded.last_user_stamp else stored.last_user_stamp end, consumer_id =
case when excluded.consumer_id_stamp > stored.consumer_id_stamp then excluded.consumer_id else
stored.consumer_id end, consumer_id_stamp = case when excluded.consumer_id_stamp >
stored.consumer_id_stamp then excluded.consumer_id_stamp else stored.consumer_id_stamp end,
consumer_number = case when excluded.consumer_number_stamp > stored.consumer_number_stamp then
excluded.consumer_number else stored.consumer_number end, consumer_number_stamp = case when
excluded.consumer_number_stamp > stored.consumer_number_stamp then excluded.consumer_number_stamp
else stored.consumer_number_stamp end, consumer_display_name = case when
excluded.consumer_display_name_stamp > stored.consumer_display_name_stamp then
excluded.consumer_display_name else stored.consumer_display_name end, consumer_display_name_stamp =
case when excluded.consumer_display_name_stamp > stored.consumer_display_name_stamp then
excluded.consumer_display_name_stamp else stored.consumer_display_name_stamp end,
campaign_dialer_status = case when excluded.campaign_stamp > stored.campaign_stamp then
excluded.campaign_dialer_status else stored.campaign_dialer_status end, external_engagement_id =
case when excluded.campaign_stamp > stored.campaign_stamp then excluded.external_engagement_id else
stored.external_engagement_id end, campaign_stamp = case when excluded.campaign_stamp >
stored.campaign_stamp then excluded.campaign_stamp else stored.campaign_stamp end, phase = case when
excluded.phase_stamp > stored.phase_stamp then excluded.phase else stored.phase end, phase_stamp =
case when excluded.phase_stamp > stored.phase_stamp then excluded.phase_stamp else
stored.phase_stamp end, last_event_id = case when excluded.last_event_stamp >
stored.last_event_stamp then excluded.last_event_id else stored.last_event_id end, last_occurred_at
= case when excluded.last_event_stamp > stored.last_event_stamp then excluded.last_occurred_at else
stored.last_occurred_at end, last_event_stamp = case when excluded.last_event_stamp >
stored.last_event_stamp then excluded.last_event_stamp else stored.last_event_stamp end,
first_occurred_at = least(stored.first_occurred_at, excluded.first_occurred_at), ended_at =
greatest(stored.ended_at, excluded.ended_at), wrap_up_started_at = least(stored.wrap_up_started_at,
excluded.wrap_up_started_at), wrap_up_ended_at = greatest(stored.wrap_up_ended_at,
excluded.wrap_up_ended_at), v1_data_ready_at = least(stored.v1_data_ready_at,
excluded.v1_data_ready_at), v2_data_ready_at = least(stored.v2_data_ready_at,
excluded.v2_data_ready_at) where excluded.direction_stamp > stored.direction_stamp or
excluded.channel_stamp > stored.channel_stamp or excluded.channel_source_stamp >
stored.channel_source_stamp or excluded.started_stamp > stored.started_stamp or
excluded.first_flow_stamp > stored.first_flow_stamp or excluded.last_flow_stamp >
stored.last_flow_stamp or excluded.queue_stamp > stored.queue_stamp or excluded.last_user_stamp >
stored.last_user_stamp or excluded.consumer_id_stamp > stored.consumer_id_stamp or
excluded.consumer_number_stamp > stored.consumer_number_stamp or
excluded.consumer_display_name_stamp > stored.consumer_display_name_stamp or excluded.campaign_stamp
> stored.campaign_stamp or excluded.phase_stamp > stored.phase_stamp or excluded.last_event_stamp >
stored.last_event_stamp or least(stored.first_occurred_at, excluded.first_occurred_at) is distinct
from stored.first_occurred_at or greatest(stored.ended_at, excluded.ended_at) is distinct from
stored.ended_at or least(stored.wrap_up_started_at, excluded.wrap_up_started_at) is distinct from
stored.wrap_up_started_at or greatest(stored.wrap_up_ended_at, excluded.wrap_up_ended_at) is
distinct from stored.wrap_up_ended_at or least(stored.v1_data_ready_at, excluded.v1_data_ready_at)
is distinct from stored.v1_data_ready_at or least(stored.v2_data_ready_at,
excluded.v2_data_ready_at) is distinct from stored.v2_data_ready_at

-- name: take_over
insert into zcc.kafka_offset as stored (consumer_group, topic, partition, cluster_id, epoch,
next_offset) select %(group)s, topic, partition, %(cluster_id)s, 1, log_start from
unnest(%(topics)s::text[], %(partitions)s::integer[], %(log_starts)s::bigint[]) as taken (topic,
partition, log_start) order by topic collate "C", partition on conflict (consumer_group, topic,
partition) do update set epoch = stored.epoch + 1, updated_at = clock_timestamp() returning topic,
partition, cluster_id, epoch, next_offset

-- name: advance
update zcc.kafka_offset as stored set next_offset = spans.span_end, updated_at = clock_timestamp()
from unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[],
%(starts)s::bigint[], %(ends)s::bigint[]) as spans (topic, partition, epoch, span_start, span_end)
where stored.consumer_group = %(group)s and stored.topic = spans.topic and stored.partition =
spans.partition and stored.epoch = spans.epoch and stored.next_offset = spans.span_start

-- name: count_settled
select count(*) from zcc.kafka_offset as stored join unnest(%(topics)s::text[],
%(partitions)s::integer[], %(epochs)s::bigint[], %(ends)s::bigint[]) as spans (topic, partition,
epoch, span_end) using (topic, partition) where stored.consumer_group = %(group)s and stored.epoch =
spans.epoch and stored.next_offset = spans.span_end

-- name: revision
select version_num from zcc.alembic_version

-- name: partitions
select zcc.make_month_partition(parent, month) from unnest(%s::text[]) parent, unnest(%s::date[])
month order by parent, month
