"""Deliveries in, rows out, exactly once."""
