"""Globs in; a text that matches some of them and none of the others out, or the certainty that there is none.

Each glob is an automaton; what all of them say of a text is found by walking them together, shortest texts first.
"""

from collections import deque
from collections.abc import Iterable

MOST_STATES = 2000
_FRESH = "x~0Q"  # characters that stand for all those that no glob names


class TooMany(Exception):  # noqa: N818 - reads as what it says
    """The question is too large to be answered in reasonable time."""


def witness(wanted: Iterable[str], unwanted: Iterable[str]) -> str | None:
    """Return a shortest text that matches all `wanted` globs and no `unwanted` one; None if there is none.

    Raises TooMany after 2,000 states.
    """
    globs = [(_squeezed(glob), True) for glob in wanted] + [(_squeezed(glob), False) for glob in unwanted]
    named = {char for glob, _ in globs for char in glob} - {"*"}
    fresh = next((char for char in _FRESH if char not in named), "\N{WHITE SQUARE}")
    alphabet = [fresh, *sorted(named)]
    start = tuple(_closed(glob, {0}) for glob, _ in globs)
    seen = {start}
    queue = deque([(start, "")])
    while queue:
        state, text = queue.popleft()
        if all((len(glob) in places) == yes for (glob, yes), places in zip(globs, state, strict=True)):
            return text
        for char in alphabet:
            after = tuple(_step(glob, places, char) for (glob, _), places in zip(globs, state, strict=True))
            lost = any(yes and not places for (_, yes), places in zip(globs, after, strict=True))
            if not lost and after not in seen:
                if len(seen) == MOST_STATES:
                    raise TooMany
                seen.add(after)
                queue.append((after, text + char))
    return None


def _squeezed(glob: str) -> str:
    while "**" in glob:
        glob = glob.replace("**", "*")
    return glob


def _closed(glob: str, places: set[int]) -> frozenset[int]:
    """Add the places behind stars, which match nothing as well."""
    return frozenset(places | {place + 1 for place in places if glob[place : place + 1] == "*"})


def _step(glob: str, places: frozenset[int], char: str) -> frozenset[int]:
    after = {
        place if glob[place] == "*" else place + 1
        for place in places
        if glob[place : place + 1] in ("*", char)
    }
    return _closed(glob, after)
