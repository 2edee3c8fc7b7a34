"""Generates reference pages and monitoring objects from code and records."""
