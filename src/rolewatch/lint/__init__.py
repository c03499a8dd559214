"""Patterns and templates in, advice out: what is wrong with them, why, and the corrected line."""
