"""A message in; which of several patterns that are not JSON patterns match it, out: searched and cut once for all."""

from collections.abc import Sequence
from typing import NamedTuple

from rolewatch.patterns.match import Pattern
from rolewatch.patterns.match_line import LineMatcher
from rolewatch.patterns.messages import tokens
from rolewatch.patterns.necessary import best, necessary
from rolewatch.patterns.regex import search_all, translated
from rolewatch.patterns.syntax import Everything, Line, Parsed, Regex, Terms

FEW = 3  # patterns that are quicker asked one by one

Places = frozenset[int]  # of expressions in the set


class _Terms(NamedTuple):
    """A pattern of terms, by the places of its terms; of `one_of`, if there are any, one has to be found."""

    number: int
    all_of: Places
    none_of: Places
    one_of: Places


class Texts:
    """Holds messages against patterns, each with a number.

    All terms, all regular expressions and one literal of each pattern for lines are looked for in one pass of RE2. What is
    found decides on terms and expressions; a line is looked at only where its literal is found, or if it has none.
    """

    def __init__(self, patterns: Sequence[tuple[int, Pattern]]) -> None:
        self._few = patterns if len(patterns) <= FEW else ()
        self._places: dict[str, int] = {}
        self._always: list[int] = []
        self._lines: list[tuple[int, LineMatcher]] = []
        self._long: list[
            tuple[int, int]
        ] = []  # number and least count of fields, of lines that may be anything else
        self._terms: list[_Terms] = []
        self._found: dict[int, list[tuple[int, LineMatcher | None]]] = {}  # by the place that has to be found
        for number, pattern in () if self._few else patterns:
            self._add(number, pattern.parsed)
        self._search = search_all(list(self._places)) if self._places else None

    def matching(self, message: str) -> list[int]:
        """Give the numbers of the patterns that a message matches, each once, in no order."""
        if self._few:
            return [number for number, pattern in self._few if pattern(message)]
        matched = self._always.copy()
        found = frozenset((self._search(message) if self._search else None) or ())
        for number, all_of, none_of, one_of in self._terms:
            if (
                all_of <= found
                and (not none_of or none_of.isdisjoint(found))
                and not (one_of and one_of.isdisjoint(found))
            ):
                matched.append(number)
        lines = self._lines
        for place in found & self._found.keys():
            for number, line in self._found[place]:
                if line is None:
                    matched.append(number)
                else:
                    lines = [*lines, (number, line)]
        if not lines and not self._long:
            return matched
        cut = tokens(message)
        count = len(cut)
        matched += [number for number, least in self._long if least <= count]
        matched += [number for number, line in dict(lines).items() if line.matches(message, cut)]
        return matched

    def _add(self, number: int, parsed: Parsed) -> None:
        if isinstance(parsed, Everything):
            self._always.append(number)
        elif isinstance(parsed, Terms):
            strict = bool(parsed.plain or parsed.excluded)  # then the service ignores what is optional
            self._terms.append(
                _Terms(
                    number,
                    self._literals(parsed.plain),
                    self._literals(parsed.excluded),
                    self._literals(() if strict else parsed.optional),
                )
            )
        elif isinstance(parsed, Regex):
            self._found.setdefault(self._place(translated(parsed.source)), []).append((number, None))
        elif isinstance(parsed, Line):
            self._add_line(number, parsed)

    def _add_line(self, number: int, parsed: Line) -> None:
        line, clauses = LineMatcher(parsed), necessary(parsed)
        if clauses:
            for literal in best(clauses):
                self._found.setdefault(self._place(_escaped(literal.decode())), []).append((number, line))
        elif line.least is not None:
            self._long.append((number, line.least))
        else:
            self._lines.append((number, line))

    def _literals(self, terms: Sequence[str]) -> Places:
        return frozenset(self._place(_escaped(term)) for term in terms)

    def _place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))


def _escaped(literal: str) -> str:
    """Write a literal as an expression that finds it."""
    return "".join(char if char.isalnum() else f"\\x{{{ord(char):x}}}" for char in literal)
