"""Filter pattern text in; a predicate over log messages, and what it extracts from them, out."""

from rolewatch.patterns.errors import PatternError
from rolewatch.patterns.match import Pattern, compile_pattern

__all__ = ["Pattern", "PatternError", "compile_pattern"]
