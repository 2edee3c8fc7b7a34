"""Migrations of the tables, run by Alembic; each revision is one file of plain SQL."""
