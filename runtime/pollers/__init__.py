"""Fetches pages of another system by watermark, one active member at a time."""
