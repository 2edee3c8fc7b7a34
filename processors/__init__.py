"""Processors: record in, record out; one folder each."""
