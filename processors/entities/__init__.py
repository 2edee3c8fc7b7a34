"""Entities of the account that events name: a library of the processors, no component."""
