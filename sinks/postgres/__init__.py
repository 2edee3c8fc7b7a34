"""Enriched events in Postgres: each event once, and the engagements derived from them."""
