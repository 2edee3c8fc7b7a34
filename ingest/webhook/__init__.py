"""The webhook: access, the way of an event to its record, and every response."""
