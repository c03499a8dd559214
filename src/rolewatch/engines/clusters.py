"""Texts in, the patterns they have in common out: what is the same in all of a group stands, what varies is a token.

AWS does not say how it finds patterns. Here texts are of one group if they have the same signs between the same number of
words, and enough of the words are the same. The result does not depend on the order of the texts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import eq
from typing import Final, NamedTuple

ALIKE: Final = 0.6  # the share of words that have to be the same
SHORTEST: Final = 8  # characters of a word that can be told to be an identifier
MOST: Final = 1000  # words of a text; all behind them counts as one
#: Kinds of words that are told by themselves, by the names that tokens get.
_KINDS: Final = (
    ("Time", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w-])"),
    ("ID", r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![\w-])"),
    ("IP", r"\d{1,3}(?:\.\d{1,3}){3}(?![\w.-])"),
    ("Number", r"\d++(?:\.\d++)?+(?![\w.@+-]*\w)"),
)
_WORD: Final = re.compile(
    "|".join([*(f"(?P<{name}>{form})" for name, form in _KINDS), r"\w+(?:[.@+-]+\w+)*"])
)
_IDENTIFIER: Final = re.compile(r"(?=(?:\D*\d){3})(?=.*[a-zA-Z-])[\w-]+")
_LEVELS: Final = {
    "fatal": "Error", "critical": "Error", "error": "Error", "err": "Error", "severe": "Error",
    "warn": "Warning", "warning": "Warning", "info": "Info", "notice": "Info", "debug": "Debug", "trace": "Debug",
}  # fmt: skip


class Pattern(NamedTuple):
    """What texts have in common, how many of each lot have it, and the level that it names."""

    text: str
    counts: tuple[int, ...]
    level: str | None


class _Text(NamedTuple):
    between: tuple[str, ...]  # the signs around the words, one more than there are words
    words: tuple[str, ...]
    marks: tuple[
        str, ...
    ]  # what is compared: a word's kind behind a sign that is in no word, else the word itself


class _Group:
    """Texts that are alike: their words and marks, None where they differ."""

    def __init__(self, text: _Text, lots: int) -> None:
        self.between = text.between
        self.words: list[str | None] = list(text.words)
        self.marks: list[str | None] = list(text.marks)
        self.counts = [0] * lots

    def share(self, text: _Text) -> float:
        """Say how much of a text is the same; two of one kind, such as two times, are the same."""
        return sum(map(eq, self.marks, text.marks)) / len(text.marks) if text.marks else 1.0

    def add(self, text: _Text, counts: Sequence[int]) -> None:
        """Take in a text."""
        for mine, other in ((self.words, text.words), (self.marks, text.marks)):
            if tuple(mine) != other:
                mine[:] = [one if one == two else None for one, two in zip(mine, other, strict=True)]
        self.counts = [mine + other for mine, other in zip(self.counts, counts, strict=True)]

    def pattern(self) -> Pattern:
        """Write it down, with the tokens numbered."""
        parts, number = [self.between[0]], 0
        for word, mark, sign in zip(self.words, self.marks, self.between[1:], strict=True):
            number += word is None
            kind = mark[1:] if mark else "Token"
            parts += [f"<{kind}-{number}>" if word is None else word, sign]
        levels = (_LEVELS.get(word.lower()) for word in self.words if word)
        return Pattern("".join(parts), tuple(self.counts), next(filter(None, levels), None))


def patterns(lots: Sequence[Sequence[str | None]]) -> list[Pattern]:
    """Find the patterns of all texts of all lots, those with most texts first; what is missing has none."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0] * len(lots))
    for place, lot in enumerate(lots):
        for text, number in Counter(each for each in lot if each is not None).items():
            counted[text][place] += number
    groups: dict[tuple[str, ...], list[_Group]] = defaultdict(list)
    for text, counts in sorted(counted.items(), key=lambda each: (-sum(each[1]), each[0])):
        found = _taken_apart(text)
        near = groups[found.between]
        shares = [group.share(found) for group in near]
        best = max(shares, default=0.0)
        if best < ALIKE:
            near.append(_Group(found, len(lots)))
        near[shares.index(best) if best >= ALIKE else -1].add(found, counts)
    made = (group.pattern() for near in groups.values() for group in near)
    return sorted(made, key=lambda each: (-sum(each.counts), each.text))


def _taken_apart(text: str) -> _Text:
    """Cut a text into words and what stands between them."""
    between: list[str] = []
    words: list[str] = []
    kinds: list[str] = []
    end = 0
    for found in _WORD.finditer(text):
        between.append(text[end : found.start()])
        if len(words) == MOST:
            words.append(text[found.start() :])
            kinds.append("")
            end = len(text)
            break
        word, kind = found[0], found.lastgroup or ""
        words.append(word)
        kinds.append(kind or ("ID" if len(word) >= SHORTEST and _IDENTIFIER.fullmatch(word) else ""))
        end = found.end()
    marks = [f"<{kind}" if kind else word for word, kind in zip(words, kinds, strict=True)]
    return _Text((*between, text[end:]), tuple(words), tuple(marks))
