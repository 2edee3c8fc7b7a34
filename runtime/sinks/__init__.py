"""Runs a Sink: batches across partitions, stored whole, then committed."""
