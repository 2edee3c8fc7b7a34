drop function zcc.make_month_partition(text, date);
