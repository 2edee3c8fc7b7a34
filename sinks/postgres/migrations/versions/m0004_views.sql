-- What people ask for, as views, and who may read and write.
-- A report over a period is a function, since a view cannot be told the period that an index needs;
-- it is expanded into the query like a view, so conditions on its columns reach the indexes too.
-- Such functions read views only: they run with the rights of their caller, views with those of
-- their owner.
-- Days and intervals are those of UTC; weeks begin on Mondays.

-- What came to all queues in a period.
create index task_queue_move_by_time on zcc.task_queue_move (account_id, occurred_at)
    where move = 'entered';

create function zcc.milliseconds(span interval) returns bigint
language sql immutable parallel safe as
'select (extract(epoch from span) * 1000)::bigint';
comment on function zcc.milliseconds(interval) is 'Length of an interval.';

create function zcc.milliseconds(spans tstzmultirange) returns bigint
language sql immutable parallel safe strict as
'select coalesce(sum(zcc.milliseconds(upper(span) - lower(span))), 0)::bigint
from unnest(spans) as span';
comment on function zcc.milliseconds(tstzmultirange) is
    'Length of several spans together; null spans have none.';

-- Each span of an engagement is told by two events of one user: from the first one to the next one
-- that ends it. Spans of several users that overlap count once.
-- The bounds of event_ts, a day wide of anything that occurs, spare the other partitions.
create view zcc.engagement_summary as
select
    engagement.account_id,
    engagement.engagement_id,
    engagement.channel,
    engagement.channel_source,
    engagement.direction,
    engagement.state,
    engagement.first_flow_name as flow_name,
    engagement.cc_queue_id,
    coalesce(engagement.queue_name, queue.queue_name) as queue_name,
    engagement.last_user_id as user_id,
    coalesce(engagement.last_user_display_name, app_user.display_name) as user_display_name,
    engagement.consumer_id,
    engagement.consumer_number,
    engagement.consumer_display_name,
    engagement.first_occurred_at,
    start.started_at,
    course.queued_at,
    answer.answered_at,
    engagement.ended_at,
    case
        when least(answer.answered_at, engagement.ended_at) >= course.queued_at
            then zcc.milliseconds(
                least(answer.answered_at, engagement.ended_at) - course.queued_at
            )
    end as waiting_ms,
    zcc.milliseconds(conversation.spans - coalesce(course.on_hold, '{}')) as talking_ms,
    zcc.milliseconds(conversation.spans * coalesce(course.on_hold, '{}')) as hold_ms,
    zcc.milliseconds(course.wrap_up) as wrap_up_ms,
    case
        when engagement.ended_at >= start.started_at
            then zcc.milliseconds(engagement.ended_at - start.started_at)
    end as total_ms
from zcc.engagement
left join zcc.queue
    on queue.account_id = engagement.account_id and queue.cc_queue_id = engagement.cc_queue_id
left join zcc.app_user
    on app_user.account_id = engagement.account_id and app_user.user_id = engagement.last_user_id
left join lateral (
    select
        min(occurred_at) filter (where event = 'contact_center.task_entered_queue') as queued_at,
        min(occurred_at) filter (where event = 'contact_center.task_reservation_accepted')
            as accepted_at,
        min(occurred_at) filter (where event = 'contact_center.engagement_user_answered')
            as user_answered_at,
        min(occurred_at) filter (where event = 'contact_center.engagement_consumer_answered')
            as consumer_answered_at,
        range_agg(tstzrange(occurred_at, left_at)) filter (
            where event in (
                'contact_center.engagement_user_answered',
                'contact_center.engagement_consumer_answered'
            )
        ) as connected,
        range_agg(tstzrange(occurred_at, resumed_at)) filter (
            where event = 'contact_center.engagement_user_hold'
        ) as on_hold,
        range_agg(tstzrange(occurred_at, wrapped_up_at)) filter (
            where event = 'contact_center.engagement_wrap_up_started'
                and wrapped_up_at is not null
        ) as wrap_up
    from (
        select
            occurred_at,
            event,
            min(occurred_at) filter (
                where event = 'contact_center.engagement_user_ended'
            ) over later as left_at,
            min(occurred_at) filter (
                where event in (
                    'contact_center.engagement_user_unhold', 'contact_center.engagement_user_ended'
                )
            ) over later as resumed_at,
            min(occurred_at) filter (
                where event = 'contact_center.engagement_wrap_up_ended'
            ) over later as wrapped_up_at
        from zcc.engagement_timeline as told
        where
            told.account_id = engagement.account_id
            and told.engagement_id = engagement.engagement_id
            and told.event_ts >= engagement.first_occurred_at - interval '1 day'
            and told.event_ts <= engagement.last_occurred_at + interval '1 day'
        window later as (
            partition by user_id order by occurred_at
            range between current row and unbounded following
        )
    ) as moment
) as course on true
cross join lateral (
    select
        coalesce(
            engagement.started_at, engagement.reported_started_at, engagement.first_occurred_at
        ) as started_at
) as start
cross join lateral (
    select
        coalesce(
            case when engagement.direction = 'outbound' then course.consumer_answered_at end,
            course.user_answered_at,
            course.consumer_answered_at,
            case when engagement.channel not in ('voice', 'video') then course.accepted_at end
        ) as answered_at
) as answer
cross join lateral (
    select
        case
            when engagement.ended_at >= answer.answered_at
                then coalesce(course.connected, '{(,)}')
                    * tstzmultirange(tstzrange(answer.answered_at, engagement.ended_at))
        end as spans
) as conversation;
comment on view zcc.engagement_summary is
    'Each engagement with names and durations in milliseconds; a duration is null until it can be '
    'known. Ask for a period by first_occurred_at, which has an index.';
comment on column zcc.engagement_summary.account_id is 'The account.';
comment on column zcc.engagement_summary.engagement_id is 'The engagement.';
comment on column zcc.engagement_summary.channel is 'The newest one.';
comment on column zcc.engagement_summary.channel_source is 'The newest one.';
comment on column zcc.engagement_summary.direction is 'inbound or outbound.';
comment on column zcc.engagement_summary.state is
    'ended, else started, queued, ringing, connected, on_hold, wrap_up or unknown.';
comment on column zcc.engagement_summary.flow_name is 'The first flow.';
comment on column zcc.engagement_summary.cc_queue_id is 'The newest queue.';
comment on column zcc.engagement_summary.queue_name is 'From the event, else what is known now.';
comment on column zcc.engagement_summary.user_id is 'personal: user_ref; the newest user.';
comment on column zcc.engagement_summary.user_display_name is
    'personal: person_name; from the event, else what is known now.';
comment on column zcc.engagement_summary.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.engagement_summary.consumer_number is 'personal: phone';
comment on column zcc.engagement_summary.consumer_display_name is 'personal: person_name';
comment on column zcc.engagement_summary.first_occurred_at is 'Of the first event that is known.';
comment on column zcc.engagement_summary.started_at is
    'Of the start event, else what Zoom reported afterwards, else first_occurred_at.';
comment on column zcc.engagement_summary.queued_at is 'When its task first came into a queue.';
comment on column zcc.engagement_summary.answered_at is
    'When a user answered (in an outbound one: the consumer); of other channels than voice and '
    'video no event says so: when a user accepted the task.';
comment on column zcc.engagement_summary.ended_at is 'Of the last event that tells an end.';
comment on column zcc.engagement_summary.waiting_ms is
    'From queued_at to answered_at, or to ended_at where nobody answered; later waits, after a '
    'transfer, are not in it.';
comment on column zcc.engagement_summary.talking_ms is
    'While at least one user was connected and the consumer not on hold.';
comment on column zcc.engagement_summary.hold_ms is 'While the consumer was on hold.';
comment on column zcc.engagement_summary.wrap_up_ms is
    'While at least one user wrapped up; a wrap-up counts once it has ended.';
comment on column zcc.engagement_summary.total_ms is 'From started_at to ended_at.';

create view zcc.open_engagement as
select
    account_id,
    engagement_id,
    channel,
    channel_source,
    direction,
    state,
    flow_name,
    cc_queue_id,
    queue_name,
    user_id,
    user_display_name,
    consumer_id,
    consumer_number,
    consumer_display_name,
    first_occurred_at,
    started_at,
    zcc.milliseconds(now() - started_at) as age_ms
from zcc.engagement_summary
where ended_at is null and state <> 'unknown';
comment on view zcc.open_engagement is
    'Engagements of which no end is known, now. Of state unknown, and not here, are those of which '
    'only events beside their course are known.';
comment on column zcc.open_engagement.account_id is 'The account.';
comment on column zcc.open_engagement.engagement_id is 'The engagement.';
comment on column zcc.open_engagement.channel is 'The newest one.';
comment on column zcc.open_engagement.channel_source is 'The newest one.';
comment on column zcc.open_engagement.direction is 'inbound or outbound.';
comment on column zcc.open_engagement.state is
    'started, queued, ringing, connected, on_hold or wrap_up.';
comment on column zcc.open_engagement.flow_name is 'The first flow.';
comment on column zcc.open_engagement.cc_queue_id is 'The newest queue.';
comment on column zcc.open_engagement.queue_name is 'From the event, else what is known now.';
comment on column zcc.open_engagement.user_id is 'personal: user_ref; the newest user.';
comment on column zcc.open_engagement.user_display_name is
    'personal: person_name; from the event, else what is known now.';
comment on column zcc.open_engagement.consumer_id is 'personal: pseudonymous_id';
comment on column zcc.open_engagement.consumer_number is 'personal: phone';
comment on column zcc.open_engagement.consumer_display_name is 'personal: person_name';
comment on column zcc.open_engagement.first_occurred_at is 'Of the first event that is known.';
comment on column zcc.open_engagement.started_at is 'As in engagement_summary.';
comment on column zcc.open_engagement.age_ms is 'From started_at until now.';

create function zcc.daily_volume(since date, until date)
returns table (
    day date,
    account_id text,
    channel text,
    engagements bigint,
    inbound bigint,
    outbound bigint,
    ended bigint,
    mean_total_ms bigint
)
language sql stable parallel safe as $$
select
    (first_occurred_at at time zone 'UTC')::date,
    account_id,
    channel,
    count(*),
    count(*) filter (where direction = 'inbound'),
    count(*) filter (where direction = 'outbound'),
    count(ended_at),
    avg(total_ms)::bigint
from zcc.engagement_summary
where
    first_occurred_at >= since::timestamp at time zone 'UTC'
    and first_occurred_at < until::timestamp at time zone 'UTC'
group by 1, 2, 3
$$;
comment on function zcc.daily_volume(date, date) is
    'Engagements of each day and channel, by the day of their first event, from since to the day '
    'before until. ended: of which an end is known; mean_total_ms: of those, from start to end.';

create view zcc.daily_volume_of_31_days as
select * from zcc.daily_volume(
    (now() at time zone 'UTC')::date - 30, (now() at time zone 'UTC')::date + 1
);
comment on view zcc.daily_volume_of_31_days is 'daily_volume of today and of the 30 days before.';
comment on column zcc.daily_volume_of_31_days.day is 'Of the first event of the engagement.';
comment on column zcc.daily_volume_of_31_days.account_id is 'The account.';
comment on column zcc.daily_volume_of_31_days.channel is 'The newest one of the engagement.';
comment on column zcc.daily_volume_of_31_days.engagements is 'How many began.';
comment on column zcc.daily_volume_of_31_days.inbound is 'Of those.';
comment on column zcc.daily_volume_of_31_days.outbound is 'Of those.';
comment on column zcc.daily_volume_of_31_days.ended is 'Of those, with an end that is known.';
comment on column zcc.daily_volume_of_31_days.mean_total_ms is 'Of the ended, from start to end.';

create view zcc.queue_offer as
select
    stay.account_id,
    stay.cc_queue_id,
    coalesce(stay.queue_name, queue.queue_name) as queue_name,
    stay.engagement_id,
    stay.task_id,
    stay.channel,
    stay.channel_source,
    stay.entered_at as offered_at,
    outcome.outcome,
    wait.wait_ms,
    threshold.threshold_s,
    outcome.outcome = 'answered' and wait.wait_ms <= threshold.threshold_s * 1000
        as answered_in_time,
    short.short_abandoned,
    case
        when outcome.outcome = 'answered' then true
        when outcome.outcome <> 'abandoned' then false
        when short.short_abandoned
            then queue.service_level_exclude_short_abandoned_calls is not true
        else queue.service_level_exclude_long_abandoned_calls is not true
    end as in_service_level
from zcc.task_queue_stay as stay
left join zcc.queue
    on queue.account_id = stay.account_id and queue.cc_queue_id = stay.cc_queue_id
left join zcc.engagement
    on engagement.account_id = stay.account_id
    and engagement.engagement_id = stay.engagement_id
    and engagement.ended_at >= stay.entered_at
cross join lateral (
    select
        case
            when stay.ended_by in ('accepted', 'assigned', 'completed') then 'answered'
            when stay.ended_by in ('exited', 'entered') then 'moved'
            when stay.ended_by is not null or engagement.ended_at is not null then 'abandoned'
            else 'waiting'
        end as outcome
) as outcome
cross join lateral (
    select
        case
            when stay.ended_by is distinct from 'completed'
                then zcc.milliseconds(
                    coalesce(stay.ended_at, engagement.ended_at) - stay.entered_at
                )
        end as wait_ms
) as wait
cross join lateral (
    select coalesce(queue.service_level_threshold_in_seconds, 20) as threshold_s
) as threshold
cross join lateral (
    select
        outcome.outcome = 'abandoned'
        and stay.short_abandon_enable is true
        and coalesce(wait.wait_ms <= stay.short_abandon_threshold * 1000, false)
            as short_abandoned
) as short;
comment on view zcc.queue_offer is
    'Each time that a task came into a queue, and what became of it. Ask for a period by '
    'offered_at, which has an index.';
comment on column zcc.queue_offer.account_id is 'The account.';
comment on column zcc.queue_offer.cc_queue_id is 'The queue.';
comment on column zcc.queue_offer.queue_name is 'From the event, else what is known now.';
comment on column zcc.queue_offer.engagement_id is 'The engagement of the task.';
comment on column zcc.queue_offer.task_id is 'The task.';
comment on column zcc.queue_offer.channel is 'As the event says.';
comment on column zcc.queue_offer.channel_source is 'As the event says.';
comment on column zcc.queue_offer.offered_at is 'When it came into the queue.';
comment on column zcc.queue_offer.outcome is
    'answered: a user accepted it; moved: it left for another queue; abandoned: it was canceled or '
    'deleted, or its engagement ended, before a user accepted it; waiting: none of these yet.';
comment on column zcc.queue_offer.wait_ms is
    'From offered_at to the outcome; null while it waits, and where a completed task has no sign '
    'of when it was accepted.';
comment on column zcc.queue_offer.threshold_s is
    'Seconds within which the queue wants answers, as known now; 20 where it is not known.';
comment on column zcc.queue_offer.answered_in_time is 'Answered within threshold_s.';
comment on column zcc.queue_offer.short_abandoned is
    'Abandoned within the short-abandon threshold that the queue had then.';
comment on column zcc.queue_offer.in_service_level is
    'Whether the service level counts it: the answered, and the abandoned but for those, short or '
    'long, that the queue excludes.';

create function zcc.queue_performance(
    since timestamptz, until timestamptz, width interval default '30 minutes'
)
returns table (
    interval_start timestamptz,
    account_id text,
    cc_queue_id text,
    queue_name text,
    offered bigint,
    answered bigint,
    answered_in_time bigint,
    abandoned bigint,
    short_abandoned bigint,
    moved bigint,
    waiting bigint,
    service_level_percent numeric,
    mean_answer_ms bigint,
    longest_wait_ms bigint
)
language sql stable parallel safe as $$
select
    date_bin(width, offered_at, '2001-01-01 00:00Z'),
    account_id,
    cc_queue_id,
    max(queue_name),
    count(*),
    count(*) filter (where outcome = 'answered'),
    count(*) filter (where answered_in_time),
    count(*) filter (where outcome = 'abandoned'),
    count(*) filter (where short_abandoned),
    count(*) filter (where outcome = 'moved'),
    count(*) filter (where outcome = 'waiting'),
    round(
        100.0 * count(*) filter (where answered_in_time)
        / nullif(count(*) filter (where in_service_level), 0),
        1
    ),
    avg(wait_ms) filter (where outcome = 'answered')::bigint,
    max(wait_ms)
from zcc.queue_offer
where offered_at >= since and offered_at < until
group by 1, 2, 3
$$;
comment on function zcc.queue_performance(timestamptz, timestamptz, interval) is
    'What came to each queue in each interval of a width, from since until before until, by when it '
    'came. service_level_percent: answered_in_time of those that the service level counts. Without '
    'an offer there is no row.';

create view zcc.queue_performance_today as
select * from zcc.queue_performance(date_trunc('day', now(), 'UTC'), now());
comment on view zcc.queue_performance_today is 'queue_performance since midnight, by half hour.';
comment on column zcc.queue_performance_today.interval_start is 'When the half hour began.';
comment on column zcc.queue_performance_today.account_id is 'The account.';
comment on column zcc.queue_performance_today.cc_queue_id is 'The queue.';
comment on column zcc.queue_performance_today.queue_name is 'The name of the queue.';
comment on column zcc.queue_performance_today.offered is 'How many came into the queue.';
comment on column zcc.queue_performance_today.answered is 'Of those; a user accepted them.';
comment on column zcc.queue_performance_today.answered_in_time is 'Of those, in time.';
comment on column zcc.queue_performance_today.abandoned is 'Of the offered; nobody accepted them.';
comment on column zcc.queue_performance_today.short_abandoned is 'Of the abandoned.';
comment on column zcc.queue_performance_today.moved is 'Of the offered; left for another queue.';
comment on column zcc.queue_performance_today.waiting is 'Of the offered; still waiting.';
comment on column zcc.queue_performance_today.service_level_percent is
    'answered_in_time of those that the service level counts.';
comment on column zcc.queue_performance_today.mean_answer_ms is 'Mean wait of the answered.';
comment on column zcc.queue_performance_today.longest_wait_ms is 'Of those that wait no more.';

create view zcc.agent as
select
    account_id,
    user_id,
    display_name,
    user_email,
    role_name,
    team_names,
    status_id,
    status_name,
    sub_status_id,
    sub_status_name,
    deleted_at
from zcc.app_user;
comment on view zcc.agent is 'Users, with their present state of work.';
comment on column zcc.agent.account_id is 'The account.';
comment on column zcc.agent.user_id is 'personal: user_ref';
comment on column zcc.agent.display_name is 'personal: person_name';
comment on column zcc.agent.user_email is 'personal: email';
comment on column zcc.agent.role_name is 'The role.';
comment on column zcc.agent.team_names is 'The teams.';
comment on column zcc.agent.status_id is 'The state of work.';
comment on column zcc.agent.status_name is 'Its name.';
comment on column zcc.agent.sub_status_id is 'What kind of the state of work, where it has kinds.';
comment on column zcc.agent.sub_status_name is 'Its name.';
comment on column zcc.agent.deleted_at is 'When the user was deleted.';

-- The states of a period are those that began in it, and each user's last one before it.
create function zcc.agent_state_time(
    since timestamptz,
    until timestamptz,
    width interval default '30 minutes',
    as_of timestamptz default now()
)
returns table (
    interval_start timestamptz,
    account_id text,
    user_id text,
    display_name text,
    status_id text,
    status_name text,
    sub_status_id text,
    sub_status_name text,
    state_ms bigint
)
language sql stable parallel safe as $$
select
    part.starts_at,
    state.account_id,
    state.user_id,
    state.display_name,
    state.status_id,
    max(state.status_name),
    state.sub_status_id,
    max(state.sub_status_name),
    sum(
        zcc.milliseconds(
            least(span.ends_at, part.starts_at + width) - greatest(span.starts_at, part.starts_at)
        )
    )::bigint
from (
    select
        history.account_id,
        history.user_id,
        agent.display_name,
        agent.deleted_at,
        history.started_at,
        history.ended_at,
        history.status_id,
        history.status_name,
        history.sub_status_id,
        history.sub_status_name
    from zcc.user_status_history as history
    left join zcc.agent
        on agent.account_id = history.account_id and agent.user_id = history.user_id
    where history.started_at >= since and history.started_at < until
    union all
    select
        agent.account_id,
        agent.user_id,
        agent.display_name,
        agent.deleted_at,
        history.started_at,
        history.ended_at,
        history.status_id,
        history.status_name,
        history.sub_status_id,
        history.sub_status_name
    from zcc.agent
    cross join lateral (
        select
            earlier.started_at,
            earlier.ended_at,
            earlier.status_id,
            earlier.status_name,
            earlier.sub_status_id,
            earlier.sub_status_name
        from zcc.user_status_history as earlier
        where
            earlier.account_id = agent.account_id
            and earlier.user_id = agent.user_id
            and earlier.started_at < since
        order by earlier.started_at desc
        fetch first row with ties -- of one moment: all but one of them have no time
    ) as history
) as state
cross join lateral (
    select
        greatest(state.started_at, since) as starts_at,
        least(state.ended_at, state.deleted_at, as_of, until) as ends_at
) as span
cross join lateral generate_series(
    date_bin(width, span.starts_at, '2001-01-01 00:00Z'),
    span.ends_at - interval '1 microsecond',
    width
) as part (starts_at)
where span.ends_at > span.starts_at
group by 1, 2, 3, 4, 5, 7
$$;
comment on function zcc.agent_state_time(timestamptz, timestamptz, interval, timestamptz) is
    'How long each user was in each state of work in each interval of a width, from since until '
    'before until. A state that lasts is counted until as_of, or until the user was deleted.';

create view zcc.agent_state_time_today as
select * from zcc.agent_state_time(date_trunc('day', now(), 'UTC'), now());
comment on view zcc.agent_state_time_today is 'agent_state_time since midnight, by half hour.';
comment on column zcc.agent_state_time_today.interval_start is 'When the half hour began.';
comment on column zcc.agent_state_time_today.account_id is 'The account.';
comment on column zcc.agent_state_time_today.user_id is 'personal: user_ref';
comment on column zcc.agent_state_time_today.display_name is 'personal: person_name';
comment on column zcc.agent_state_time_today.status_id is 'The state of work.';
comment on column zcc.agent_state_time_today.status_name is 'Its name.';
comment on column zcc.agent_state_time_today.sub_status_id is
    'What kind of the state of work, where it has kinds.';
comment on column zcc.agent_state_time_today.sub_status_name is 'Its name.';
comment on column zcc.agent_state_time_today.state_ms is 'Time in the state, in this half hour.';

comment on column zcc.task_queue_stay.account_id is 'The account.';
comment on column zcc.task_queue_stay.task_id is 'The task.';
comment on column zcc.task_queue_stay.engagement_id is 'The engagement of the task.';
comment on column zcc.task_queue_stay.cc_queue_id is 'The queue.';
comment on column zcc.task_queue_stay.queue_name is 'As the event says.';
comment on column zcc.task_queue_stay.channel is 'As the event says.';
comment on column zcc.task_queue_stay.channel_source is 'As the event says.';
comment on column zcc.task_queue_stay.entered_at is 'When the task came into the queue.';
comment on column zcc.task_queue_stay.ended_at is 'When it waited no more.';
comment on column zcc.task_queue_stay.ended_by is 'What ended the wait.';
comment on column zcc.task_queue_stay.max_wait_time is 'Of the queue as it was then, in seconds.';
comment on column zcc.task_queue_stay.short_abandon_enable is 'Of the queue as it was then.';
comment on column zcc.task_queue_stay.short_abandon_threshold is
    'Of the queue as it was then, in seconds.';

comment on column zcc.user_status_history.account_id is 'The account.';
comment on column zcc.user_status_history.user_id is 'personal: user_ref';
comment on column zcc.user_status_history.started_at is 'When the state began.';
comment on column zcc.user_status_history.ended_at is 'When the next one began.';
comment on column zcc.user_status_history.status_id is 'The state of work.';
comment on column zcc.user_status_history.status_name is 'Its name.';
comment on column zcc.user_status_history.sub_status_id is
    'What kind of the state of work, where it has kinds.';
comment on column zcc.user_status_history.sub_status_name is 'Its name.';
comment on column zcc.user_status_history.followed_by_gap is
    'The next change came from another state.';

comment on column zcc.user_session.account_id is 'The account.';
comment on column zcc.user_session.user_id is 'personal: user_ref';
comment on column zcc.user_session.login_at is 'When the user logged in.';
comment on column zcc.user_session.logout_at is 'When the user logged out, if an event says so.';
comment on column zcc.user_session.replaced is 'Another login came without a logout before it.';

comment on column zcc.engagement_supervision_interval.account_id is 'The account.';
comment on column zcc.engagement_supervision_interval.engagement_id is 'The engagement.';
comment on column zcc.engagement_supervision_interval.supervisor_id is 'personal: user_ref';
comment on column zcc.engagement_supervision_interval.supervisor_display_name is
    'personal: person_name';
comment on column zcc.engagement_supervision_interval.action_type is
    'What the supervisor did, e.g. listen or whisper.';
comment on column zcc.engagement_supervision_interval.user_id is
    'personal: user_ref; the user who was supervised.';
comment on column zcc.engagement_supervision_interval.user_display_name is 'personal: person_name';
comment on column zcc.engagement_supervision_interval.started_at is 'When it began.';
comment on column zcc.engagement_supervision_interval.ended_at is
    'When it ended, if an event says so.';

-- What the tables that are asked most do not say of themselves.
comment on column zcc.raw_event.event_ts is
    'The time that Zoom gave the event, part of its identity.';
comment on column zcc.raw_event.occurred_at is 'The time of the event itself, else event_ts.';
comment on column zcc.raw_event.received_at is 'When ingest had read the webhook.';
comment on column zcc.raw_event.stored_at is 'When the row was inserted.';
comment on column zcc.raw_event.enrichment is
    'personal: document; what the REST API knew; a higher revision replaces it.';
comment on column zcc.engagement.started_at is 'Of the start event.';
comment on column zcc.engagement.reported_started_at is 'As Zoom reported it after the end.';
comment on column zcc.engagement.ended_at is 'Of the last event that tells an end.';
comment on column zcc.engagement.wrap_up_started_at is 'When the first user began to wrap up.';
comment on column zcc.engagement.wrap_up_ended_at is 'When the last user ended to wrap up.';
comment on column zcc.engagement.phase is
    'started, queued, ringing, connected, on_hold or wrap_up, as the newest telling event says.';
comment on column zcc.engagement.v1_data_ready_at is
    'When Zoom announced the details in version 1 of its REST API.';
comment on column zcc.engagement.v2_data_ready_at is
    'When Zoom announced the details in version 2 of its REST API.';

-- A later migration that makes tables, views, or functions for the sink ends with a call of this.
-- What makes partitions runs with the rights of its owner, since only the owner of a table may
-- attach any to it.
create function zcc.grant_rights() returns void
language plpgsql as $$
declare
    name text;
begin
    if to_regrole('zcc_writer') is not null then
        grant usage on schema zcc to zcc_writer;
        grant select, insert, update on zcc.kafka_offset to zcc_writer;
        for name in
            select oid::regclass
            from pg_class
            where
                relnamespace = 'zcc'::regnamespace
                and (
                    relname in ('alembic_version', 'partitioning')
                    or pg_get_expr(relpartbound, oid) = 'DEFAULT'
                )
        loop
            execute 'grant select on ' || name || ' to zcc_writer';
        end loop;
        for name in
            select oid::regclass
            from pg_class
            where
                relnamespace = 'zcc'::regnamespace
                and relkind in ('r', 'p')
                and not relispartition
                and exists (
                    select from pg_attribute where attrelid = pg_class.oid and attname = 'account_id'
                )
        loop
            execute 'grant select, insert, update on ' || name || ' to zcc_writer';
        end loop;
        for name in
            select oid::regprocedure
            from pg_proc
            where pronamespace = 'zcc'::regnamespace and prosecdef
        loop
            execute 'grant execute on function ' || name || ' to zcc_writer';
        end loop;
        if not has_database_privilege('zcc_writer', current_database(), 'temporary') then
            raise warning using message =
                'zcc_writer may not make temporary tables; run as the owner of the database: '
                'grant temporary on database ' || quote_ident(current_database())
                || ' to zcc_writer;';
        end if;
    end if;
    if to_regrole('zcc_reader') is not null then
        grant usage on schema zcc to zcc_reader;
        for name in
            select oid::regclass
            from pg_class
            where relnamespace = 'zcc'::regnamespace and relkind = 'v'
        loop
            execute 'grant select on ' || name || ' to zcc_reader';
        end loop;
    end if;
end
$$;
comment on function zcc.grant_rights() is
    'Gives the roles, as far as they exist, their rights. zcc_writer, for the sink: write the tables '
    'of accounts and the offsets; read the revision, how partitions are made, and the default ones; '
    'call what runs with the rights of the owner, to make partitions. zcc_reader: read the views. '
    'For the owner of the tables.';
revoke execute on function zcc.grant_rights() from public;

-- Roles belong to the server, and another of its databases may have them already.
do $$
declare
    name text;
begin
    foreach name in array array['zcc_writer', 'zcc_reader'] loop
        begin
            if to_regrole(name) is null then
                execute 'create role ' || name || ' nologin';
            end if;
        exception
            when duplicate_object or unique_violation then
                null; -- another database was migrated at this moment
            when insufficient_privilege then
                raise warning using message =
                    'this login may not create the role ' || name || '; have somebody who may '
                    'run: create role ' || name || ' nologin; and then run with this login: '
                    'select zcc.grant_rights();';
        end;
    end loop;
end
$$;
select zcc.grant_rights();
