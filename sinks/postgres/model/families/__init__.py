"""Which rows and columns each event writes, by family."""
