"""Reads settings from the environment; formats their errors; finds unknown variables."""
