"""The webhook itself: who may send, what becomes of an event, and every answer."""
