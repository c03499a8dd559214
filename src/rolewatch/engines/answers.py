"""What every engine gives: the rows of a plan, and what they rest on."""

from typing import Any, NamedTuple

from rolewatch.plan import Get, Plan

Row = tuple[Any, ...]


class Answer(NamedTuple):
    """The rows of a plan, `more` if there were others beyond the number asked for, and what they rest on.

    `absent` are fields that it asked for, and that none of the records has which its filters let through.
    """

    plan: Plan
    rows: list[Row]
    more: bool
    statistics: dict[str, Any]
    absent: tuple[Get, ...]
    skipped: list[tuple[str, str]]
    unreadable: list[tuple[str, str]]
