"""The tables as data: which event writes which columns of which row."""
