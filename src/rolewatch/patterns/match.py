"""A parsed pattern in; a test of messages, and what it extracts from them, out."""

from collections.abc import Callable, Mapping
from typing import Any

from rolewatch.patterns import regex
from rolewatch.patterns.match_json import json_test
from rolewatch.patterns.match_line import LineMatcher
from rolewatch.patterns.messages import parse_object
from rolewatch.patterns.parse import parse
from rolewatch.patterns.syntax import Everything, Json, Line, Parsed, Regex, Terms

Values = Mapping[str, str]
NOTHING: Values = {}


class Pattern:
    """A compiled filter pattern: `text` as given, `parsed` its parts.

    `match` returns the extracted values of a message (empty for all but space-delimited patterns), or None.
    """

    def __init__(self, text: str, parsed: Parsed) -> None:
        self.text = text
        self.parsed = parsed
        self.match: Callable[[str], Values | None] = _matcher(parsed)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes as what was parsed."""
        return Pattern, (self.text, self.parsed)

    def __call__(self, message: str) -> bool:
        """Whether a message matches."""
        return self.match(message) is not None


def compile_pattern(text: str) -> Pattern:
    """Compile a filter pattern; PatternError with the service's text and the place if it is none."""
    return Pattern(text, parse(text))


def _matcher(parsed: Parsed) -> Callable[[str], Values | None]:
    if isinstance(parsed, Line):
        return LineMatcher(parsed).match
    test = _test(parsed)
    return lambda message: NOTHING if test(message) else None


def _test(parsed: Everything | Terms | Regex | Json) -> Callable[[str], bool]:
    if isinstance(parsed, Terms):
        return _terms(parsed)
    if isinstance(parsed, Regex):
        return regex.search(parsed.source)
    if isinstance(parsed, Json):
        condition = json_test(parsed.condition)

        def test(message: str) -> bool:
            found: dict[str, Any] | None = parse_object(message)
            return found is not None and condition(found)

        return test
    return lambda _: True


def _terms(parsed: Terms) -> Callable[[str], bool]:
    plain, excluded, optional = parsed
    if plain or excluded:  # then the service ignores what is optional
        return lambda message: (
            all(term in message for term in plain) and not any(term in message for term in excluded)
        )
    return lambda message: any(term in message for term in optional)
