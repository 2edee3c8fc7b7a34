"""`zcc topics`: create and compare topics."""
