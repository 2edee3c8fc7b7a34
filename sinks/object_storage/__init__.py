"""Deliveries in, Parquet objects out, each record in exactly one object."""
