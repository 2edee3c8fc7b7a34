-- Which log an offset is of; partitions made one by one, for rows that wait for them too.

alter table zcc.kafka_offset
    add column topic_id text collate "C" not null default '';
comment on column zcc.kafka_offset.topic_id is
    'The id that Kafka gave the topic; a topic that was made anew has another. Empty: not known.';

-- Sees to it that a partition holds a day, and returns the days that this one holds. It makes the
-- partition of the day's month, or of the day where the database has partitions of days, where the
-- month has some already, or where more than 50,000 rows of the month wait in the default
-- partition. Rows of its time that are there move to it.
-- Returns nulls, and changes nothing, where more than most_moved rows would have to move, and for a
-- day of the past where the table has most_partitions: rows of the day go to the default one. Nulls
-- also where rows came just now: the next call moves them.
-- Partitions are looked up by their name, which does not take longer the more there are.
create function zcc.ensure_partition(
    parent text, day date, most_moved integer, most_partitions integer default 1500,
    out first_day date, out end_day date
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    most_of_month constant integer := 50000;
    whole text := 'zcc.' || quote_ident(parent);
    rest text := 'zcc.' || quote_ident(parent || '_default');
    month_name text := parent || to_char(day, '_YYYY_MM');
    day_name text := parent || to_char(day, '_YYYY_MM_DD');
    step text := (select partitioning.step from zcc.partitioning);
    partition text;
    first_moment timestamptz;
    end_moment timestamptz;
    waiting bigint;
    come bigint;
begin
    perform pg_advisory_xact_lock(7213640002);
    first_day := day;
    end_day := day + 1;
    if to_regclass('zcc.' || quote_ident(day_name)) is not null then
        return;
    end if;
    if to_regclass('zcc.' || quote_ident(month_name)) is not null then
        first_day := date_trunc('month', day::timestamp)::date;
        end_day := (first_day + interval '1 month')::date;
        return;
    end if;
    if day < current_date
        and (select count(*) from pg_inherits where inhparent = whole::regclass) >= most_partitions
    then
        first_day := null;
        end_day := null;
        return;
    end if;
    if step = 'month' and exists (
        select from pg_class
        where relnamespace = 'zcc'::regnamespace
          and relname >= (month_name || '_')::name and relname < (month_name || '`')::name
    ) then
        step := 'day'; -- '`' follows '_': the month has partitions of days
    end if;
    loop
        if step = 'month' then
            first_day := date_trunc('month', day::timestamp)::date;
            end_day := (first_day + interval '1 month')::date;
        else
            first_day := day;
            end_day := day + 1;
        end if;
        first_moment := first_day::timestamp at time zone 'UTC';
        end_moment := end_day::timestamp at time zone 'UTC';
        execute 'select count(*) from (select from ' || rest
            || ' where event_ts >= $1 and event_ts < $2 limit $3) as few'
            into waiting
            using first_moment, end_moment, greatest(most_moved, most_of_month)::bigint + 1;
        exit when step = 'day' or waiting <= most_of_month;
        step := 'day';
    end loop;
    if waiting > most_moved then
        first_day := null;
        end_day := null;
        return;
    end if;
    if waiting > 0 then
        -- Else a query that waits for the default partition would find the rows in neither: it has
        -- listed the partitions before they left, and sees the default one after that.
        execute 'lock table only ' || whole || ' in access exclusive mode';
    end if;
    execute 'lock table ' || rest || ' in access exclusive mode';
    execute 'select count(*) from (select from ' || rest
        || ' where event_ts >= $1 and event_ts < $2 limit 1) as few'
        into come
        using first_moment, end_moment;
    if come > 0 and waiting = 0 then
        first_day := null; -- the table has to be locked before the partition
        end_day := null;
        return;
    end if;
    partition := 'zcc.' || quote_ident(case step when 'month' then month_name else day_name end);
    execute 'create table ' || partition || ' (like ' || whole || ' including all)';
    execute 'with moved as (delete from ' || rest
        || ' where event_ts >= $1 and event_ts < $2 returning *)'
        || ' insert into ' || partition || ' select * from moved'
        using first_moment, end_moment;
    execute 'alter table ' || whole || ' attach partition ' || partition
        || ' for values from (' || to_char(first_day, '"''"YYYY-MM-DD"T00:00:00Z''"')
        || ') to (' || to_char(end_day, '"''"YYYY-MM-DD"T00:00:00Z''"') || ')';
end
$$;
revoke execute on function zcc.ensure_partition(text, date, integer, integer) from public;

-- What sinks of earlier revisions call.
create or replace function zcc.make_partition(parent text, day date) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select first_day is not null from zcc.ensure_partition(parent, day, 2147483647)
$$;

select zcc.grant_rights();
