"""A cursor over a pattern's text, with what all kinds of patterns share: values, numbers, quotes, complaints."""

import re
from decimal import Decimal

from rolewatch.patterns import regex
from rolewatch.patterns.errors import INVALID, PatternError
from rolewatch.patterns.syntax import Number, Regex, Text, Value

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?")
_LARGEST_EXPONENT = 2_147_483_647
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")


def is_word(char: str) -> bool:
    """Whether a character may stand in a value without quotes."""
    return char.isalnum() or char in "_.*"


class Scanner:
    """Reads a pattern from `at` to `end`."""

    def __init__(self, pattern: str, at: int, end: int) -> None:
        self.pattern = pattern
        self.at = at
        self.end = end
        self._regexes = 0

    def error(self, message: str = INVALID, at: int | None = None) -> PatternError:
        """Make an error at a place, or here."""
        return PatternError(message, self.pattern, self.at if at is None else at)

    def bad(self, fragment: str, at: int | None = None) -> PatternError:
        """Make the error for a character that cannot stand there."""
        return self.error(f"Invalid character(s) in term '{fragment}'", at)

    def skip_space(self) -> None:
        """Go on to what is no white space."""
        found = _SPACE.match(self.pattern, self.at, self.end)
        assert found is not None  # noqa: S101 - it matches nothing, too
        self.at = found.end()

    def peek(self) -> str:
        """Return the next character, "" at the end."""
        return self.pattern[self.at] if self.at < self.end else ""

    def take(self, text: str) -> bool:
        """Go past a text if it comes next."""
        if self.pattern.startswith(text, self.at, self.end):
            self.at += len(text)
            return True
        return False

    def operator(self) -> str:
        """Read a comparison's operator."""
        found = _OPERATOR.match(self.pattern, self.at, self.end)
        if not found:
            raise self.error()
        self.at = found.end()
        return found[0]

    def word(self) -> str:
        """Read the characters of a word, as many as there are."""
        start = self.at
        while self.at < self.end and is_word(self.pattern[self.at]):
            self.at += 1
        return self.pattern[start : self.at]

    def quoted(self) -> str:
        """Read a quoted text; there is no way to write a quote in it."""
        start = self.at
        close = self.pattern.find('"', start + 1, self.end)
        if close < 0:
            raise self.error()
        self.at = close + 1
        return self.pattern[start + 1 : close]

    def regex(self) -> Regex:
        """Read `%…%`."""
        start = self.at
        close = self.pattern.find("%", start + 1, self.end)
        if close < 0:
            raise self.bad("%")
        source = self.pattern[start + 1 : close]
        regex.check(source, self.pattern, start + 1)
        self._regexes += 1
        if self._regexes > regex.MOST:
            raise self.error(regex.TOO_MANY, start)
        self.at = close + 1
        return Regex(source)

    def number(self) -> Number | None:
        """Read a number, if that is what comes next as a whole."""
        found = _NUMBER.match(self.pattern, self.at, self.end)
        if not found:
            return None
        after = self.pattern[found.end()] if found.end() < self.end else ""
        if after and is_word(after):
            return None
        if abs(int(found[1] or 0)) > _LARGEST_EXPONENT:
            raise self.error()
        self.at = found.end()
        return Number(found[0], Decimal(found[0]))

    def value(self, operator: str) -> Value:
        """Read what a field is compared with; only a number can be more or less than something."""
        start, first = self.at, self.peek()
        found: Value | None = None
        if first == '"':
            found = Text(self.quoted())
        elif first == "%":
            found = self.regex()
        else:
            found = self.number()
            if found is None:
                found = self._bare(start)
        if operator not in ("=", "!=") and not isinstance(found, Number):
            raise self.bad(self.pattern[start : self.at], start)
        return found

    def _bare(self, start: int) -> Text:
        word = self.word()
        after = self.peek()
        if not word:
            # `==` and a missing value are syntax, anything else a character that needs quotes.
            raise self.error() if not after or after in "=&|)}],<>!" else self.bad(after)
        if after and not after.isspace() and after not in "&|)}],=!<>":
            raise self.bad(after)
        if word == "null":
            raise self.error(at=start)
        return Text(word)
