"""Shared by both kinds of worker: membership, liveness, lag, failing steps, dead-letter writer."""
