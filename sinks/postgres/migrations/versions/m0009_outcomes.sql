-- What Zoom tells of an engagement after its end, beside what its events say.

-- An outcome may be stored before the first event of its engagement.
alter table zcc.engagement
    alter column first_occurred_at drop not null,
    alter column last_occurred_at drop not null,
    alter column last_event_id drop not null;

alter table zcc.engagement
    add column zoom_total_ms bigint,
    add column zoom_flow_ms bigint,
    add column zoom_waiting_ms bigint,
    add column zoom_talking_ms bigint,
    add column zoom_hold_ms bigint,
    add column zoom_handling_ms bigint,
    add column zoom_wrap_up_ms bigint,
    add column outcome_status text collate "C",
    add column outcome_as_of timestamptz,
    add column zoom_stamp bytea not null default '';
comment on column zcc.engagement.first_occurred_at is
    'Of the first event that is known; null while only an outcome is.';
comment on column zcc.engagement.zoom_total_ms is 'As Zoom reported it: from start to end.';
comment on column zcc.engagement.zoom_flow_ms is 'As Zoom reported it: time in flows.';
comment on column zcc.engagement.zoom_waiting_ms is
    'As Zoom reported it: time in queues, in whole seconds.';
comment on column zcc.engagement.zoom_talking_ms is
    'As Zoom reported it: conversation with users, without holds.';
comment on column zcc.engagement.zoom_hold_ms is
    'As Zoom reported it; null until version 2 of its API has answered.';
comment on column zcc.engagement.zoom_handling_ms is
    'As Zoom reported it: the work of users on it, wrap-up included.';
comment on column zcc.engagement.zoom_wrap_up_ms is 'As Zoom reported it.';
comment on column zcc.engagement.outcome_status is
    'complete, partial or unavailable; null where Zoom was not asked yet.';
comment on column zcc.engagement.outcome_as_of is 'When Zoom was asked.';

create table zcc.engagement_outcome (
    account_id      text        collate "C" not null,
    engagement_id   text        collate "C" not null,
    status          text        collate "C",
    missing         text[]      collate "C",
    started_at      timestamptz,
    ended_at        timestamptz,
    queue_wait_type text        collate "C",
    dispositions    text[],
    survey_answered boolean,
    voicemails      integer,
    notes           integer,
    recordings      integer,
    timeline_events integer,
    recorded_ms     bigint,
    outcome         jsonb,
    as_of           timestamptz,
    outcome_stamp   bytea       not null,
    primary key (account_id, engagement_id)
) with (fillfactor = 80);
comment on table zcc.engagement_outcome is
    'What Zoom told of each engagement after its end, newest answer; durations stand in '
    'zcc.engagement.';
comment on column zcc.engagement_outcome.missing is 'Parts that Zoom did not tell: "part: reason".';
comment on column zcc.engagement_outcome.started_at is 'As Zoom reported it.';
comment on column zcc.engagement_outcome.ended_at is 'As Zoom reported it.';
comment on column zcc.engagement_outcome.dispositions is 'Their names.';
comment on column zcc.engagement_outcome.survey_answered is
    'Whether the consumer answered a survey until as_of; null where Zoom did not say.';
comment on column zcc.engagement_outcome.voicemails is 'How many.';
comment on column zcc.engagement_outcome.notes is 'How many.';
comment on column zcc.engagement_outcome.recordings is 'How many, until as_of.';
comment on column zcc.engagement_outcome.timeline_events is 'How many, of voice and video.';
comment on column zcc.engagement_outcome.recorded_ms is 'Of all recordings together.';
comment on column zcc.engagement_outcome.outcome is
    'personal: document; the member outcome of the snapshot.';
comment on column zcc.engagement_outcome.as_of is 'When Zoom was asked.';

create view zcc.engagement_report as
select
    engagement.account_id,
    engagement.engagement_id,
    engagement.channel,
    engagement.first_occurred_at,
    engagement.ended_at,
    engagement.outcome_status as status,
    told.missing,
    engagement.zoom_total_ms,
    engagement.zoom_flow_ms,
    engagement.zoom_waiting_ms,
    engagement.zoom_talking_ms,
    engagement.zoom_hold_ms,
    engagement.zoom_handling_ms,
    engagement.zoom_wrap_up_ms,
    told.queue_wait_type,
    told.dispositions,
    told.survey_answered,
    told.voicemails,
    told.notes,
    told.recordings,
    told.recorded_ms,
    told.as_of
from zcc.engagement
join zcc.engagement_outcome as told
    on told.account_id = engagement.account_id and told.engagement_id = engagement.engagement_id;
comment on view zcc.engagement_report is
    'What Zoom told of each engagement after its end. Ask for a period by first_occurred_at.';
comment on column zcc.engagement_report.account_id is 'The account.';
comment on column zcc.engagement_report.engagement_id is 'The engagement.';
comment on column zcc.engagement_report.channel is 'The newest one, as events say.';
comment on column zcc.engagement_report.first_occurred_at is 'Of the first event that is known.';
comment on column zcc.engagement_report.ended_at is 'Of the last event that tells an end.';
comment on column zcc.engagement_report.status is 'complete, partial or unavailable.';
comment on column zcc.engagement_report.missing is 'Parts that Zoom did not tell: "part: reason".';
comment on column zcc.engagement_report.zoom_total_ms is 'From start to end.';
comment on column zcc.engagement_report.zoom_flow_ms is 'Time in flows.';
comment on column zcc.engagement_report.zoom_waiting_ms is 'Time in queues.';
comment on column zcc.engagement_report.zoom_talking_ms is
    'Conversation with users, without holds.';
comment on column zcc.engagement_report.zoom_hold_ms is 'On hold.';
comment on column zcc.engagement_report.zoom_handling_ms is
    'The work of users on it, wrap-up included.';
comment on column zcc.engagement_report.zoom_wrap_up_ms is 'Wrap-up.';
comment on column zcc.engagement_report.queue_wait_type is 'live_waiting or callback.';
comment on column zcc.engagement_report.dispositions is 'Their names.';
comment on column zcc.engagement_report.survey_answered is
    'Whether the consumer had answered a survey.';
comment on column zcc.engagement_report.voicemails is 'How many.';
comment on column zcc.engagement_report.notes is 'How many.';
comment on column zcc.engagement_report.recordings is 'How many.';
comment on column zcc.engagement_report.recorded_ms is 'Of all recordings together.';
comment on column zcc.engagement_report.as_of is 'When Zoom was asked.';

create view zcc.engagement_duration_difference as
select
    ours.account_id,
    ours.engagement_id,
    ours.channel,
    ours.first_occurred_at,
    ours.ended_at,
    duration.name as duration,
    duration.ours_ms,
    duration.zoom_ms,
    duration.zoom_ms - duration.ours_ms as difference_ms,
    told.outcome_as_of as as_of
from zcc.engagement as told
join zcc.engagement_summary as ours
    on ours.account_id = told.account_id and ours.engagement_id = told.engagement_id
cross join lateral (
    values
        ('total', ours.total_ms, told.zoom_total_ms),
        ('waiting', ours.waiting_ms, told.zoom_waiting_ms),
        ('talking', ours.talking_ms, told.zoom_talking_ms),
        ('hold', ours.hold_ms, told.zoom_hold_ms),
        ('wrap_up', ours.wrap_up_ms, told.zoom_wrap_up_ms)
) as duration (name, ours_ms, zoom_ms)
where
    duration.zoom_ms is not null
    and (duration.ours_ms is null or abs(duration.zoom_ms - duration.ours_ms) >= 1000);
comment on view zcc.engagement_duration_difference is
    'Where a duration that Zoom reported is not the one that the events give: a second or more '
    'apart, since Zoom counts some in whole seconds, or not known from events. A row for each '
    'duration. Ask for a period by first_occurred_at.';
comment on column zcc.engagement_duration_difference.account_id is 'The account.';
comment on column zcc.engagement_duration_difference.engagement_id is 'The engagement.';
comment on column zcc.engagement_duration_difference.channel is 'The newest one.';
comment on column zcc.engagement_duration_difference.first_occurred_at is
    'Of the first event that is known.';
comment on column zcc.engagement_duration_difference.ended_at is
    'Of the last event that tells an end.';
comment on column zcc.engagement_duration_difference.duration is
    'total, waiting, talking, hold or wrap_up.';
comment on column zcc.engagement_duration_difference.ours_ms is 'As in engagement_summary.';
comment on column zcc.engagement_duration_difference.zoom_ms is 'As Zoom reported it.';
comment on column zcc.engagement_duration_difference.difference_ms is
    'Zoom''s less ours; null where the events do not give it.';
comment on column zcc.engagement_duration_difference.as_of is 'When Zoom was asked.';

select zcc.grant_rights();
