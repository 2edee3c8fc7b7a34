"""`zcc migrate`, `retention`, `erase` and `offsets`."""
