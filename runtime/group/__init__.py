"""Membership of a consumer group: share, lag, liveness, and why a worker is not ready."""
