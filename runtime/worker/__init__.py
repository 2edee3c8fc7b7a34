"""What both kinds of worker share: membership, liveness, lag, failing steps, dead-letter writer."""
