"""Real Kafka, Postgres and an S3 server on this machine, without containers."""
