"""Runs a Handler: record in, records out, in order within each key."""
