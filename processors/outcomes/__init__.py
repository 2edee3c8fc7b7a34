"""Asks Zoom what came of an engagement after its end."""
