"""The text of a Logs Insights query in; its parts, checked, and a plan of them, out."""

from rolewatch.insights.errors import QueryError
from rolewatch.insights.lower import Moments
from rolewatch.insights.parse import parse_query
from rolewatch.insights.planner import plan_nested, plan_query, plan_segments

__all__ = ["Moments", "QueryError", "parse_query", "plan_nested", "plan_query", "plan_segments"]
