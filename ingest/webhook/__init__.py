"""The webhook: who may send, how an event becomes a record, and every response."""
