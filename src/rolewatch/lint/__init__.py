"""Patterns and templates in, advice out: what is wrong with them, why, and the corrected line."""

from rolewatch.lint.advice import Advice, Severity
from rolewatch.lint.repair import lint_refused
from rolewatch.lint.run import TITLES, lint_pattern, lint_template

__all__ = ["TITLES", "Advice", "Severity", "lint_pattern", "lint_refused", "lint_template"]
