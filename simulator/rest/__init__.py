"""Zoom's REST API: routes, checks, answers, limits, faults, downloads."""
