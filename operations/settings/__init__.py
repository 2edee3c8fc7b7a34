"""Which settings the environment holds, which are unknown, and errors in one line each."""
