"""`zcc doctor`: checks settings, Zoom, scopes, clock, Kafka, Postgres and object storage."""
