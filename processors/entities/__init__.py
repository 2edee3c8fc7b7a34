"""The reference entities of an account: what they are, and how their states are read."""
