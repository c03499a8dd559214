"""`*` in a value stands for any run of characters; matching takes linear time for each star."""

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=4096)
def glob(text: str) -> Callable[[str], bool]:
    """Compile a value with stars to a test of a whole string."""
    first, *rest = text.split("*")
    if not rest:
        return text.__eq__
    *middle, last = rest
    middle = [piece for piece in middle if piece]
    if not middle:
        if not first and not last:
            return lambda _: True
        if not last:
            return lambda string: string.startswith(first)
        if not first:
            return lambda string: string.endswith(last)
        shortest = len(first) + len(last)
        return lambda string: len(string) >= shortest and string.startswith(first) and string.endswith(last)

    def matches(string: str) -> bool:
        if not string.startswith(first):
            return False
        place, end = len(first), len(string) - len(last)
        for piece in middle:
            place = string.find(piece, place, max(end, 0))
            if place < 0:
                return False
            place += len(piece)
        return place <= end and string.endswith(last)

    return matches
