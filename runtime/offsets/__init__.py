"""Which offsets may be committed, the metadata of a commit, and the log that it belongs to."""
