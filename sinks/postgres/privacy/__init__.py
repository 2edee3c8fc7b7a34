"""Personal data: classes, pseudonyms, erasure of a person, retention, audit."""
