"""A cursor over a query's text: white space, comments, names, numbers, texts, regular expressions, complaints."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from rolewatch.insights.errors import QueryError
from rolewatch.insights.syntax import Regex, Span, Text
from rolewatch.patterns import regex

LONGEST: Final = 10_000  # characters of a query

_BLANK = re.compile(r"(?:\s|#[^\n]*|\\[nrt](?=\s*(?:\||$)))*")
_WORD = re.compile(r"[^\W\d]\w*|@@?\w*")
_STEP = re.compile(r"@*\w+|@(?=`)")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+(?!\w))?", re.ASCII)
_SHOWN = re.compile(r"\w+|\S")
_ESCAPED = re.compile(r"""\\(["'\\])""")
_NAMED_GROUP = re.compile(r"(?<!\\)((?:\\\\)*)\(\?<(?![=!])")


class Scanner:
    """Reads a query from left to right; each method goes past what it gives."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0
        self.behind = 0  # the end of what was read last, without the white space that follows
        if len(query) > LONGEST:
            raise self.error(f"a query has at most {LONGEST:,} characters", LONGEST, len(query))
        self.skip()

    def error(self, message: str, start: int, end: int, *, remedy: str | None = None) -> QueryError:
        """Make an error at a place."""
        return QueryError(message, self.query, start, max(end, start), remedy=remedy)

    def unexpected(self, wanted: str) -> QueryError:
        """Make the error for what comes next, where something else was wanted."""
        found = _SHOWN.match(self.query, self.at)
        shown = f"{found[0]!r}" if found else "the end of the query"
        return self.error(f"expected {wanted}, found {shown}", self.at, found.end() if found else self.at)

    def unknown(
        self, what: str, word: str, known: Collection[str], start: int, *, remedy: str | None = None
    ) -> QueryError:
        """Make the error for a word that is none of those known, with the nearest of them."""
        spelled = {each.lower(): each for each in known}
        near = get_close_matches(word.lower(), spelled, 1, 0.6)
        advice = f"did you mean {spelled[near[0]]}?" if near else remedy
        return self.error(f"there is no {what} {word!r}", start, start + len(word), remedy=advice)

    def span(self, start: int) -> Span:
        """Give the span from a place to the end of what was read last."""
        return Span(start, self.behind)

    @property
    def next(self) -> str:
        """The next character, "" at the end."""
        return self.query[self.at] if self.at < len(self.query) else ""

    def skip(self) -> None:
        """Go past white space and comments."""
        found = _BLANK.match(self.query, self.at)
        self.at = found.end() if found else self.at

    def sign(self, *signs: str) -> str | None:
        """Read one of some signs, longer ones before those they begin with; None if none of them comes."""
        for sign in signs:
            if self.query.startswith(sign, self.at):
                return self._past(self.at + len(sign))
        return None

    def word(self) -> str | None:
        """Tell the word that comes next, without going past it."""
        found = _WORD.match(self.query, self.at)
        return found[0] if found else None

    def keyword(self, *keywords: str) -> str | None:
        """Read one of some words in whatever case, and give it in lower case; None if none of them comes."""
        word = self.word()
        if word is None or word.lower() not in keywords:
            return None
        self._past(self.at + len(word))
        return word.lower()

    def name(self) -> str | None:
        """Read a name, such as a function's."""
        word = self.word()
        return None if word is None else self._past(self.at + len(word))

    def step(self) -> str | None:
        """Read a step of a field's name: a word, digits, or whatever stands in backticks."""
        if self.next == "`":
            return self.enclosed("`")
        found = _STEP.match(self.query, self.at)
        if found is None:
            return None
        if found[0] == "@":  # goes with the backticks that follow
            self.at += 1
            return f"@{self.enclosed('`')}"
        return self._past(found.end())

    def follows(self, signs: str) -> bool:
        """Whether one of some signs stands right behind what was read last, without white space between."""
        return self.at == self.behind and self.next != "" and self.next in signs

    def number(self) -> str | None:
        """Read a number without a sign."""
        found = _NUMBER.match(self.query, self.at)
        return self._past(found.end()) if found else None

    def rest(self) -> str:
        """Read up to the next white space or parenthesis."""
        found = re.compile(r"[^\s()|,\]]*").match(self.query, self.at)
        return self._past(found.end()) if found else ""

    def text(self) -> Text | None:
        r"""Read a quoted text, in which `\"`, `\'` and `\\` stand for a quote and a backslash; None if none comes."""
        quote, start = self.next, self.at
        if quote not in ('"', "'"):
            return None
        written = self.enclosed(quote)
        return Text(_ESCAPED.sub(r"\1", written), self.span(start))

    def regex(self) -> Regex | None:
        r"""Read a regular expression between slashes, in which `\/` stands for one; None if none comes."""
        start = self.at
        if self.next != "/":
            return None
        source = self.enclosed("/").replace("\\/", "/")
        return Regex(self.checked(source, start), self.span(start))

    def checked(self, source: str, start: int) -> str:
        """Write a regular expression as RE2 reads it; QueryError if it is none, at where it starts."""
        source = _NAMED_GROUP.sub(r"\1(?P<", source)
        try:
            regex.compiled(source)
        except ValueError as error:
            raise self.error(
                f"not a regular expression that RE2 takes: {error}", start, self.behind,
                remedy="look-arounds and references back take more than linear time, and are not in RE2",
            ) from None  # fmt: skip
        return source

    def enclosed(self, quote: str) -> str:
        """Read what stands between two of a sign, as it is written."""
        start = place = self.at
        while True:
            place += 1
            if place >= len(self.query):
                raise self.error(f"nothing closes this {quote}", start, start + 1)
            if self.query[place] == "\\" and quote != "`":
                place += 1
            elif self.query[place] == quote:
                break
        self._past(place + 1)
        return self.query[start + 1 : place]

    def _past(self, end: int) -> str:
        start, self.at = self.at, end
        self.behind = end
        self.skip()
        return self.query[start:end]
