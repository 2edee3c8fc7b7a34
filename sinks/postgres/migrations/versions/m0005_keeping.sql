-- Partitions by month or by day, what was removed and by whom, addresses in one form.

create table zcc.partitioning (
    only_row boolean primary key default true check (only_row),
    step     text    collate "C" not null default 'month' check (step in ('month', 'day'))
);
comment on table zcc.partitioning is
    'How long a partition is, for all sinks; `zcc migrate --partition-by` changes it.';
insert into zcc.partitioning default values;

create view zcc.partition_range as
select
    parent.relname::text as parent,
    part.relname::text as name,
    substring(pg_get_expr(part.relpartbound, part.oid) from 'FROM \(''(.*)''\) TO')::timestamptz
        as first_moment,
    substring(pg_get_expr(part.relpartbound, part.oid) from 'TO \(''(.*)''\)')::timestamptz
        as end_moment
from pg_inherits
join pg_class as part on part.oid = inhrelid
join pg_class as parent on parent.oid = inhparent and parent.relkind = 'p'
where parent.relnamespace = 'zcc'::regnamespace;
comment on view zcc.partition_range is
    'The partitions of tables with their times; the end is exclusive; the default one has none.';
comment on column zcc.partition_range.parent is 'The table.';
comment on column zcc.partition_range.name is 'The partition.';
comment on column zcc.partition_range.first_moment is 'From when on it holds rows.';
comment on column zcc.partition_range.end_moment is 'Until when, exclusive.';

-- Makes the partition of a day's month, or of the day, where none holds the day; where the month
-- has partitions of days, its other days get their own. Rows of its time that went to the default
-- partition meanwhile move there. Returns whether it was missing.
create function zcc.make_partition(parent text, day date) returns boolean
language plpgsql as $$
declare
    step text := (select partitioning.step from zcc.partitioning);
    first_day date := date_trunc(step, day::timestamp)::date;
    end_day date := (first_day + ('1 ' || step)::interval)::date;
    first_moment timestamptz;
    end_moment timestamptz;
    partition text;
begin
    perform pg_advisory_xact_lock(7213640002);
    if exists (
        select from zcc.partition_range as made
        where made.parent = make_partition.parent
          and made.first_moment <= day::timestamp at time zone 'UTC'
          and made.end_moment > day::timestamp at time zone 'UTC'
    ) then
        return false;
    end if;
    if exists (
        select from zcc.partition_range as made
        where made.parent = make_partition.parent
          and made.first_moment < end_day::timestamp at time zone 'UTC'
          and made.end_moment > first_day::timestamp at time zone 'UTC'
    ) then
        step := 'day';
        first_day := day;
        end_day := day + 1;
    end if;
    first_moment := first_day::timestamp at time zone 'UTC';
    end_moment := end_day::timestamp at time zone 'UTC';
    partition := quote_ident(
        parent || to_char(first_day, case step when 'month' then '_YYYY_MM' else '_YYYY_MM_DD' end)
    );
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

-- What sinks of earlier revisions call.
create or replace function zcc.make_month_partition(parent text, month date) returns boolean
language sql as $$ select zcc.make_partition(parent, month) $$;

create table zcc.audit (
    audit_id    bigint      generated always as identity primary key,
    act         text        collate "C" not null check (act in ('erase', 'retention')),
    login       text        not null default session_user,
    started_at  timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    asked       jsonb       not null,
    digest      text        collate "C",
    counts      jsonb       not null default '{}'
);
comment on table zcc.audit is
    'Who removed what, and how many rows of each table; no value that was removed.';
comment on column zcc.audit.finished_at is 'Null: it is under way, or was cut off.';
comment on column zcc.audit.asked is 'What kinds of things were asked for, with their number.';
comment on column zcc.audit.digest is
    'Keyed hash of what was asked for: who knows it, and the key, finds the row again.';

-- A number as its digits, without the international prefix; an e-mail address in small letters.
create function zcc.normal_address(address text) returns text
language sql immutable parallel safe as $$
    select case
        when address ~ '^[+0-9 ()./-]+$' and length(digits) >= 3 then digits
        else lower(btrim(address, ' '))
    end
    from regexp_replace(regexp_replace(address, '[^0-9]', '', 'g'), '^00', '') as digits
$$;

-- The sink makes partitions though it does not own their tables; see zcc.grant_rights.
alter function zcc.make_partition(text, date) security definer;
alter function zcc.make_partition(text, date) set search_path = pg_catalog, pg_temp;
revoke execute on function zcc.make_partition(text, date) from public;
select zcc.grant_rights();
