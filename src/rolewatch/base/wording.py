"""Words that sentences of every room are made of."""

from collections.abc import Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """Join the first names with commas, and say how many more there are: `a, b, c and 4 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
