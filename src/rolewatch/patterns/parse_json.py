"""JSON patterns: `{ $.a = 1 && ($.b = "x*" || $.c[0].d NOT EXISTS) }` (§5)."""

import re

from rolewatch.patterns.conditions import Conditions
from rolewatch.patterns.scanner import Scanner
from rolewatch.patterns.syntax import ANY, Comparison, Condition, Is, Json, NotExists, Selector, Step

MOST_WILDCARDS = 3  # in a pattern
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*|[^\W_][\w-]*")
_INDEX = re.compile(r"\[([0-9]+)\]")
_WORD = re.compile(r"[A-Za-z]+")
_WHAT = {"NULL": None, "TRUE": True, "FALSE": False}
_ONE_WILDCARD = "Your filter pattern has a JSON path selector that exceeds the maximum of 1 wildcard allowed per json selector."
_THREE_WILDCARDS = "Your filter pattern exceeds the maximum of 3 wildcards allowed per compound json pattern."


def parse_json(scanner: Scanner) -> Json:
    """Parse what stands between the braces."""
    parser = _Parser(scanner)
    condition = Conditions(scanner, parser.one).any_of()
    scanner.skip_space()
    if scanner.at < scanner.end:
        raise scanner.error()
    return Json(condition)


def parse_selector(text: str) -> Selector:
    """Parse a path that stands alone, as a metric transformation's value does."""
    scanner = Scanner(text, 0, len(text))
    selector = _Parser(scanner).selector()
    if scanner.at < scanner.end:
        raise scanner.error()
    return selector


class _Parser:
    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._wildcards = 0

    def one(self) -> Condition:
        """Parse one comparison or test."""
        scanner = self._scanner
        selector = self.selector()
        scanner.skip_space()
        word = _WORD.match(scanner.pattern, scanner.at, scanner.end)
        if word:
            return self._test(selector, word[0])
        operator = scanner.operator()
        scanner.skip_space()
        return Comparison(selector, operator, scanner.value(operator))

    def _test(self, selector: Selector, word: str) -> Condition:
        """Parse `IS NULL` and the like, whose words may be in any case."""
        scanner = self._scanner
        start = scanner.at
        scanner.at += len(word)
        scanner.skip_space()
        second = _WORD.match(scanner.pattern, scanner.at, scanner.end)
        if not second:
            raise scanner.error(at=start)
        if word.upper() == "NOT" and second[0].upper() == "EXISTS":
            scanner.at = second.end()
            return NotExists(selector)
        if word.upper() == "IS":
            if second[0].upper() in _WHAT:
                scanner.at = second.end()
                return Is(selector, _WHAT[second[0].upper()])
            raise scanner.bad(second[0])
        raise scanner.error(at=start)

    def selector(self) -> Selector:
        """Parse a path."""
        scanner = self._scanner
        start = scanner.at
        if not scanner.take("$"):
            raise scanner.error()
        if scanner.peek() != ".":
            raise scanner.bad(scanner.pattern[start : scanner.at + 1], start)
        steps: list[Step] = []
        while True:
            step = self._step()
            if step is None:
                break
            steps.append(step)
        wildcards = sum(step is ANY for step in steps)
        if wildcards > 1:
            raise scanner.error(_ONE_WILDCARD, start)
        self._wildcards += wildcards
        if self._wildcards > MOST_WILDCARDS:
            raise scanner.error(_THREE_WILDCARDS, start)
        return Selector(tuple(steps), scanner.pattern[start : scanner.at])

    def _step(self) -> Step | None:
        scanner = self._scanner
        start = scanner.at
        if scanner.take("[*]") or scanner.take(".*"):
            return ANY
        if scanner.take(".['"):
            close = scanner.pattern.find("']", scanner.at, scanner.end)
            if close < 0:
                raise scanner.error(at=start)
            name = scanner.pattern[scanner.at : close]
            scanner.at = close + 2
            return name
        if scanner.peek() == ".":
            named = _NAME.match(scanner.pattern, start + 1, scanner.end)
            if not named:
                raise scanner.bad(f"${scanner.pattern[start : min(start + 3, scanner.end)]}", start)
            scanner.at = named.end()
            return named[0]
        if scanner.peek() == "[":
            index = _INDEX.match(scanner.pattern, start, scanner.end)
            if not index:
                raise scanner.bad(scanner.pattern[start : min(start + 2, scanner.end)])
            scanner.at = index.end()
            return int(index[1])
        return None
