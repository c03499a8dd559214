"""The nodes and types of a query's plan: what the query language is translated to, and what engines run."""

from rolewatch.plan.nodes import (
    Aggregate,
    Apply,
    Column,
    Constant,
    Distinct,
    Expression,
    Extend,
    Get,
    Group,
    Key,
    Limit,
    Order,
    Plan,
    Shown,
    Step,
    Type,
    Unnest,
    Where,
    children,
    gets,
)

__all__ = [
    "Aggregate", "Apply", "Column", "Constant", "Distinct", "Expression", "Extend", "Get", "Group", "Key", "Limit", "Order",
    "Plan", "Shown", "Step", "Type", "Unnest", "Where", "children", "gets",
]  # fmt: skip
