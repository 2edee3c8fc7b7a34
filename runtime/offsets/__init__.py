"""Which offsets may be committed, what stands beside a commit, and which log it belongs to."""
