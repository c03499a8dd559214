"""A message in; which of several patterns that are not JSON patterns match it, out: searched and cut once for all."""

from collections.abc import Sequence
from typing import Any

from rolewatch.patterns.match import Pattern
from rolewatch.patterns.match_line import LineMatcher
from rolewatch.patterns.messages import tokens
from rolewatch.patterns.necessary import best, necessary
from rolewatch.patterns.regex import translated
from rolewatch.patterns.syntax import Line, Regex

FEW = 3  # patterns that are quicker asked one by one


class Texts:
    """Holds messages against patterns, each with a number.

    All regular expressions, and the literals of other patterns, are looked for in one pass of RE2. Where a literal is not
    there its pattern cannot match; an expression that is there does match.
    """

    def __init__(self, patterns: Sequence[tuple[int, Pattern]]) -> None:
        self._always: list[tuple[int, Pattern]] = []
        self._lines: list[tuple[int, LineMatcher]] = []
        self._found: list[
            list[tuple[int, Pattern | LineMatcher | None]]
        ] = []  # by the place of a text in the set
        places: dict[str, int] = {}
        for number, pattern in patterns:
            parsed = pattern.parsed
            matcher: Pattern | LineMatcher | None = (
                LineMatcher(parsed) if isinstance(parsed, Line) else pattern
            )
            if isinstance(parsed, Regex) and len(patterns) > FEW:
                texts, matcher = [translated(parsed.source)], None
            else:
                clauses = necessary(parsed) if len(patterns) > FEW else ()
                texts = [_escaped(literal) for literal in best(clauses)] if clauses else []
            for text in texts:
                if places.setdefault(text, len(places)) == len(self._found):
                    self._found.append([])
                self._found[places[text]].append((number, matcher))
            if not texts and isinstance(matcher, LineMatcher):
                self._lines.append((number, matcher))
            elif not texts:
                self._always.append((number, pattern))
        self._search = _set(list(places)) if places else None

    def matching(self, message: str) -> list[int]:
        """Give the numbers of the patterns that a message matches, each once, in no order."""
        matched = [number for number, pattern in self._always if pattern(message)]
        cut = tokens(message) if self._lines else []
        matched += [number for number, line in self._lines if line.matches(message, cut)]
        asked: set[int] = set()
        for place in (self._search(message) if self._search else None) or ():
            for number, matcher in self._found[place]:
                if number in asked:
                    continue
                asked.add(number)
                if isinstance(matcher, LineMatcher):
                    cut = cut or tokens(message)
                    if matcher.matches(message, cut):
                        matched.append(number)
                elif matcher is None or matcher(message):
                    matched.append(number)
        return matched


def _escaped(literal: bytes) -> str:
    """Write a literal as an expression that finds it."""
    return "".join(char if char.isalnum() else f"\\x{{{ord(char):x}}}" for char in literal.decode())


def _set(texts: list[str]) -> Any:
    """Make the function that tells the places of the expressions which are found in a message."""
    import re2  # noqa: PLC0415 - takes a while, and few patterns need it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 * 1024 * 1024
    found = re2.Set.SearchSet(options)
    for text in texts:
        found.Add(text)
    found.Compile()
    return found.Match
