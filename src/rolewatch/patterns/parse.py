"""Pattern text in, its parts out: which kind of pattern it is, and then that kind's grammar (spec/filter-pattern.md §2)."""

from rolewatch.patterns.errors import PatternError
from rolewatch.patterns.parse_json import parse_json
from rolewatch.patterns.parse_line import parse_line
from rolewatch.patterns.parse_terms import parse_terms
from rolewatch.patterns.scanner import Scanner
from rolewatch.patterns.syntax import Everything, Parsed

LONGEST = 1024  # characters of a pattern
_CLOSES = {"{": "}", "[": "]", "%": "%"}


def parse(pattern: str) -> Parsed:
    """Parse a filter pattern; PatternError with AWS's text and the place if it is none."""
    if len(pattern) > LONGEST:
        raise PatternError(
            f"1 validation error detected: Value '{pattern}' at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to {LONGEST}",
            pattern,
            LONGEST,
        )
    start, end = len(pattern) - len(pattern.lstrip()), len(pattern.rstrip())
    if start >= end:
        return Everything()
    first = pattern[start]
    close = _CLOSES.get(first)
    if close is None:
        return parse_terms(Scanner(pattern, start, end))
    if pattern[end - 1] != close or end - start < 2:
        message = f"If a filter pattern starts with '{first}' it must end with '{close}'"
        raise PatternError(message, pattern, end - 1)
    if first == "%":
        scanner = Scanner(pattern, start, end)
        found = scanner.regex()
        if scanner.at < end:
            raise scanner.bad(scanner.peek())
        return found
    inside = Scanner(pattern, start + 1, end - 1)
    return parse_json(inside) if first == "{" else parse_line(inside)
