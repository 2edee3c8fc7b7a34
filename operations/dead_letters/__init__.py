"""`zcc dead-letters`: see, send again or dismiss what workers have set aside.

Kafka only appends, so a dead letter stays where it is until its retention ends. That it is handled
is said by a line in the audit topic, which names the letter. The order is always: send the record
again, then write the line. A kill in between leaves the letter open; it is then sent once more,
which everything downstream bears, because it removes repeats by event id.
"""
