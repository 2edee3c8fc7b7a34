"""Publishes the reference entities of an account: the walk over Zoom's lists."""
