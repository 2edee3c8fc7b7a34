"""`zcc dead-letters`: lists, replays and discards dead letters.

Kafka only appends, so a dead letter stays in its topic until its retention ends. A line in the
audit topic marks it as handled. The record is always sent first and the line written second. A kill
in between leaves the letter open, and it is sent once more; consumers remove repeats by event id.
"""
