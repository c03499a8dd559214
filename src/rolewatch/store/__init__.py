"""Rows in and out of the state store: SQLite in one folder, or PostgreSQL that several watchers share."""
