"""Tables in memory that follow a compacted topic; every process has all of it."""
