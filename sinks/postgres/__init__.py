"""Enriched events in Postgres: each event once, and the engagements that follow from them."""
