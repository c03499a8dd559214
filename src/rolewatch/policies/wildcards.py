"""Texts with `*` and `?` in, predicates out; each takes time in proportion to the text, whatever is in the pattern.

Sources: IAM User Guide, "IAM JSON policy elements: Resource" (wildcards in ARNs) and "Condition operators" (StringLike, ArnLike).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

Predicate = Callable[[str], bool]

#: Within a pattern: what comes next stands for itself, be it `*`, `?` or this character.
LITERALLY: Final = "\ue000"
_LITERAL: Final = re.compile(f"{LITERALLY}(.)", re.DOTALL)
_SPECIAL: Final = re.compile(f"[*?{LITERALLY}]")
_SHORT: Final = 64  # characters of a part that may be looked for from each place anew
_SEGMENTS: Final = 6  # of an ARN: arn, partition, service, region, account, resource

# What a piece of a pattern stands for, beside a character that stands for itself. INNER ones stop at a colon.
_ANY, _ONE, _INNER_ANY, _INNER_ONE = range(4)
_PIECES: Final = {"*": _ANY, "?": _ONE}
_INNER_PIECES: Final = {"*": _INNER_ANY, "?": _INNER_ONE}


def literally(text: str) -> str:
    """Write a text as the pattern that only it matches."""
    return _SPECIAL.sub(lambda found: LITERALLY + found[0], text)


def shown(pattern: str) -> str:
    """Undo `literally`; wildcards stay as they are."""
    return _LITERAL.sub(r"\1", pattern) if LITERALLY in pattern else pattern


@lru_cache(maxsize=8192)
def like(pattern: str) -> Predicate:
    """Make a predicate of a pattern: `*` is any text, `?` any one character."""
    if LITERALLY in pattern:
        return _stepping(_pieces(pattern, _PIECES))
    if "*" not in pattern:
        return _of_length(pattern) if "?" in pattern else pattern.__eq__
    if pattern == "*":
        return _anything
    first, *middle, last = pattern.split("*")
    if any(len(part) > _SHORT and "?" in part for part in middle):
        return _stepping(_pieces(pattern, _PIECES))
    return _in_turn(first, middle, last) if middle or "?" in pattern else _around(first, last)


@lru_cache(maxsize=8192)
def resource_like(pattern: str) -> Predicate:
    """Make a predicate of an ARN in a Resource element.

    A `*` that ends a segment goes on beyond the colon, others stay within theirs. What follows the fifth colon is one segment.
    """
    segments = pattern.split(":", _SEGMENTS - 1)
    inner, last = segments[: _SEGMENTS - 1], segments[_SEGMENTS - 1 :]
    if not any("*" in segment[:-1] or "?" in segment for segment in inner):
        return like(pattern)
    pieces: list[int | str] = []
    for segment in inner:
        found = _pieces(segment, _INNER_PIECES)
        if found[-1:] == [_INNER_ANY]:
            found[-1] = _ANY
        pieces += [*found, ":"]
    if last:
        pieces += _pieces(last[0], _PIECES)
    else:
        pieces.pop()
    return _stepping(pieces)


@lru_cache(maxsize=8192)
def arn_like(pattern: str) -> Predicate:
    """Make a predicate of an ARN in a condition: each of the six parts is compared on its own."""
    parts = pattern.split(":", _SEGMENTS - 1)
    if len(parts) < _SEGMENTS:
        # No ARN: `*`, or something that ends in one, as AWS takes it; anything else is no ARN's equal.
        return like(pattern) if pattern.endswith("*") else _nothing
    tests = [like(part) for part in parts]

    def matches(arn: str) -> bool:
        found = arn.split(":", _SEGMENTS - 1)
        return len(found) == _SEGMENTS and all(test(part) for test, part in zip(tests, found, strict=True))

    return matches


def _anything(text: str) -> bool:
    del text
    return True


def _nothing(text: str) -> bool:
    del text
    return False


def _of_length(pattern: str) -> Predicate:
    parts = [(found.start(), found[0]) for found in re.finditer(r"[^?]+", pattern)]

    def matches(text: str) -> bool:
        return len(text) == len(pattern) and all(text.startswith(part, at) for at, part in parts)

    return matches


def _around(start: str, end: str) -> Predicate:
    least = len(start) + len(end)

    def matches(text: str) -> bool:
        return len(text) >= least and text.startswith(start) and text.endswith(end)

    return matches


def _in_turn(first: str, middle: Sequence[str], last: str) -> Predicate:
    """Look for each part where the one before ends: the first place is as good as any later one."""
    starts, ends, finders = like(first), like(last), [_finder(part) for part in middle if part]
    start, end = len(first), len(last)

    def matches(text: str) -> bool:
        at, until = start, len(text) - end
        if until < at or not starts(text[:at]) or not ends(text[until:]):
            return False
        for find in finders:
            at = find(text, at, until)
            if at < 0:
                return False
        return True

    return matches


def _finder(part: str) -> Callable[[str, int, int], int]:
    """Make a function that finds a part between two places of a text, and gives where it ends; -1 where it is not."""
    if "?" in part:
        search = re.compile(".".join(map(re.escape, part.split("?"))), re.DOTALL).search

        def find_pattern(text: str, at: int, until: int) -> int:
            found = search(text, at, until)
            return found.end() if found else -1

        return find_pattern
    length = len(part)

    def find(text: str, at: int, until: int) -> int:
        place = text.find(part, at, until)
        return place + length if place >= 0 else -1

    return find


def _pieces(pattern: str, special: dict[str, int]) -> list[int | str]:
    each = iter(pattern)
    return [
        next(each, character) if character == LITERALLY else special.get(character, character)
        for character in each
    ]


def _stepping(pieces: Iterable[int | str]) -> Predicate:
    """Follow all ways through a pattern at once, one bit a place in it: bit n says that what precedes place n was matched."""
    stays = stays_within = 0  # places before which any text may stand, or any without a colon
    by_character: dict[str, int] = {}  # places that are left forward by this character
    everything = without_colon = 0
    place = 1
    for piece in pieces:
        if piece == _ANY:
            stays |= place
        elif piece == _INNER_ANY:
            stays_within |= place
        else:
            if isinstance(piece, str):
                by_character[piece] = by_character.get(piece, 0) | place
            elif piece == _ONE:
                everything |= place
            else:
                without_colon |= place
            place <<= 1

    def matches(text: str) -> bool:
        at = 1
        for character in text:
            forward, staying = by_character.get(character, 0) | everything, stays
            if character != ":":
                forward |= without_colon
                staying |= stays_within
            at = (at & forward) << 1 | at & staying
            if not at:
                return False
        return bool(at & place)

    return matches
