drop function zcc.make_partition(text, date);
