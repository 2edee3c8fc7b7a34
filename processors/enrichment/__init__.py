"""Adds the names of users and queues to events."""
