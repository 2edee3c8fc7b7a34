"""The spill: where events go that the broker does not take now, and how they get there later."""
