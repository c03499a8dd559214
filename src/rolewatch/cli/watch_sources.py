"""The SOURCEs of a watcher, and the log groups that their deliveries belong to: what options say, opened."""

import os
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.sources.live import LiveSource, Memory, Told
from rolewatch.sources.live_places import live_sources
from rolewatch.sources.live_scope import scope
from rolewatch.sources.places import bucket_of

_REMEDY = "name places apart from each other, as each delivery is read once"


class Followed(NamedTuple):
    """What is followed, and the log groups of each by its word: None stands for that of all which belong to no named one."""

    sources: list[LiveSource]
    groups: Mapping[str, frozenset[str | None]]


def followed(values: Mapping[str, Any], memory: Memory, told: Told) -> Followed:
    """Open what `source` and `log-group` name; UsageError where a delivery would belong to two log groups by two words.

    Raises what `live_sources` does, too. One SOURCE may be several log groups, and none at the same time.
    """
    own: dict[str, set[str | None]] = {word: {None} for word in values["source"]}
    for name, word in values["log-group"]:
        own.setdefault(word, set()).add(name)
    if not own:
        raise UsageError("SOURCE is missing: what to follow")
    _check_apart({word: frozenset(groups) for word, groups in own.items()})
    together: dict[frozenset[str | None], list[str]] = {}
    for word, groups in own.items():
        together.setdefault(frozenset(groups), []).append(word)
    opened: list[_Opened] = []
    try:
        for groups_of, words in together.items():
            opened += [(source, groups_of) for source in live_sources(words, memory, told)]
        return Followed([source for source, _ in opened], _by_word(opened))
    except BaseException:
        for source, _ in opened:
            source.close()
        raise


_Opened = tuple[LiveSource, frozenset[str | None]]


def _by_word(opened: Iterable[_Opened]) -> dict[str, frozenset[str | None]]:
    found: dict[str, frozenset[str | None]] = {}
    for source, groups in opened:
        if found.setdefault(source.word, groups) != groups:
            raise UsageError(f"SOURCE {source.word} stands for two log groups", remedy=_REMEDY)
    return found


def _check_apart(groups: Mapping[str, frozenset[str | None]]) -> None:
    """Raise UsageError for two words of different log groups of which one is a part of the other."""
    places = (
        {word: place for word in groups if (place := _place(word))} if len(set(groups.values())) > 1 else {}
    )
    for one, other in combinations(places, 2):
        if groups[one] != groups[other] and _is_within(places[one], places[other]):
            text = f"SOURCE {one} and SOURCE {other} have deliveries in common, and are different log groups"
            raise UsageError(text, remedy=_REMEDY)


class _Place(NamedTuple):
    """Where deliveries lie: all names that begin so, and of these only some where there is a pattern."""

    beginning: str
    pattern: tuple[str, ...] = ()


def _place(word: str) -> _Place | None:
    """Say where the deliveries of a word lie; None where only their origin knows."""
    if word.startswith("s3://"):
        bucket = bucket_of(word)
        return _Place(f"s3://{bucket.name}/{bucket.prefix}")
    if "://" in word or word == "-":
        return None
    found = scope(word)
    if found.file:
        return _Place(os.path.realpath(found.file))
    return _Place(os.path.join(os.path.realpath(found.top), ""), found.parts)  # noqa: PTH118 - a string that ends with a slash


def _is_within(one: _Place, other: _Place) -> bool:
    """Say whether one of two places certainly holds what the other one does."""
    return any(
        inner.beginning.startswith(outer.beginning) and outer.pattern in ((), inner.pattern)
        for inner, outer in ((one, other), (other, one))
    )
