"""The text of a Logs Insights query in; its parts, checked, out."""

from rolewatch.insights.errors import QueryError
from rolewatch.insights.parse import parse_query

__all__ = ["QueryError", "parse_query"]
