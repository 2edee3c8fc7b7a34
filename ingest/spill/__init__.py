"""The spill: stores events that the broker does not accept now, and produces them later."""
