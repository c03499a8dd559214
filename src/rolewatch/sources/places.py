"""The words typed as SOURCE in, deliveries out (DESIGN, SOURCE)."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rolewatch.base.errors import SourceError
from rolewatch.sources import globs
from rolewatch.sources.delivery import BytesDelivery, Delivery, stdin
from rolewatch.sources.files import Problems, Walk
from rolewatch.sources.window import Window

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)
_REGION = re.compile(r"[a-z]{2}[a-z0-9-]{3,30}")
_FOR_WATCH = {"sqs": "S3 event notices from a queue", "logs": "a CloudWatch log group"}

_Start = Callable[[], Iterator[Delivery]]


class _Bucket(NamedTuple):
    name: str
    prefix: str


class _Request(NamedTuple):
    """What all sources of one call share."""

    window: Window
    problems: Problems
    walk: Walk
    buckets: list[_Bucket]
    listing_only: bool


def deliveries(source: str, window: Window, *, problems: Problems) -> Iterator[Delivery]:
    """Return the deliveries of one SOURCE; see `deliveries_of`."""
    return deliveries_of([source], window, problems)


def deliveries_of(
    sources: Sequence[str], window: Window, problems: Problems, *, listing_only: bool = False
) -> Iterator[Delivery]:
    """Return the deliveries of several SOURCEs one after another, each once, lazily.

    A delivery that is both named and met on a walk comes as the named one. `problems` gets (name, reason) for what
    could not be looked at. `listing_only` promises that nothing will be read, so that sources which cannot be listed
    without reading give one empty delivery of unknown size.

    Raises SourceError at once for a word that means nothing that exists, before any work; buckets and AWS accounts
    are asked when their turn comes, and raise SourceError or CannotDo then.
    """
    words = list(dict.fromkeys(sources))
    request = _Request(window, problems, Walk(window, problems), _buckets(words), listing_only)
    starts = [_start(word, request) for word in words]
    return chain.from_iterable(start() for start in starts)


def _start(word: str, request: _Request) -> _Start:
    """Check one word and return how to begin with it."""
    if word == "-":
        delivery = stdin()
        return lambda: iter((delivery,))
    url = _URL.fullmatch(word)
    if url and url[1] == "s3":
        return _objects(bucket_of(word), request)
    if url and url[1] == "lookup":
        return _lookup(word, url[2], request)
    if url and url[1] in _FOR_WATCH:
        raise SourceError(
            f"{word}: {_FOR_WATCH[url[1]]} can only be watched",
            remedy=f"follow it with `rolewatch watch {word}`, or scan the trail's bucket (s3://bucket/prefix) or the event "
            "history (lookup://)",
        )
    return _path(word, request)


def _path(word: str, request: _Request) -> _Start:
    walk = request.walk
    try:
        if word and Path(word).is_dir():
            return lambda: walk.folder(word)
        named = walk.reserve(word)
    except FileNotFoundError:
        if globs.is_pattern(word):
            return _matches(word, request)
        raise SourceError(
            f"{word}: no such file or folder",
            remedy="SOURCE is a file, a folder, a glob, -, s3://bucket/prefix or lookup://"
            if "://" in word
            else None,
        ) from None
    except OSError as error:
        raise SourceError(f"{word}: {error.strerror or error}") from None
    except ValueError as error:  # a NUL byte
        raise SourceError(f"{word!r}: {error}") from None
    return lambda: iter((named,) if named else ())


def _matches(pattern: str, request: _Request) -> _Start:
    paths = globs.expand(pattern, request.problems)
    first = next(paths, None)
    if first is None:
        raise SourceError(f"{pattern}: no file or folder matches")
    named = "**" not in pattern  # as if the shell had expanded it; `**` is a walk
    return lambda: chain.from_iterable(
        request.walk.match(path, named=named) for path in chain((first,), paths)
    )


def _objects(bucket: _Bucket, request: _Request) -> _Start:
    if request.buckets.count(bucket) > 1:  # s3://b and s3://b/: the last one does it
        request.buckets.remove(bucket)
        return lambda: iter(())
    # What a longer prefix covers is left to it, so that an object named itself comes as named.
    longer = tuple(
        other.prefix
        for other in request.buckets
        if other.name == bucket.name and other != bucket and other.prefix.startswith(bucket.prefix)
    )

    def start() -> Iterator[Delivery]:
        from rolewatch.sources.s3_listing import Listing  # noqa: PLC0415 - only where S3 is asked for

        today = datetime.now(UTC).date()
        return Listing(*bucket, request.window, request.problems, today=today, excluded=longer).deliveries()

    return start


def _buckets(words: list[str]) -> list[_Bucket]:
    return [bucket_of(word) for word in words if word.startswith("s3://")]


def bucket_of(word: str) -> _Bucket:
    """Read `s3://bucket/prefix`; raises SourceError without a bucket."""
    name, _, prefix = word.removeprefix("s3://").partition("/")
    if not name:
        raise SourceError(f"{word}: the bucket's name is missing", remedy="write s3://bucket/prefix")
    return _Bucket(name, prefix)


def regions_of(word: str, rest: str) -> list[str]:
    """Read the regions that `lookup://…` names, none if it names none; raises SourceError for what cannot be one."""
    regions = [region.strip() for region in rest.strip("/").split(",") if region.strip()]
    wrong = [region for region in regions if not _REGION.fullmatch(region)]
    if wrong:
        raise SourceError(
            f"{word}: {wrong[0]!r} is no region", remedy="write lookup:// or lookup://us-east-1,eu-west-1"
        )
    return list(dict.fromkeys(regions))


def _lookup(word: str, rest: str, request: _Request) -> _Start:
    regions = regions_of(word, rest)

    def start() -> Iterator[Delivery]:
        if request.listing_only:
            return iter((BytesDelivery(word, identity=word, named=True, size=-1, remote=True, content=b""),))
        from rolewatch.sources.lookup import lookup  # noqa: PLC0415 - only where it is asked for

        return lookup(regions, request.window, request.problems)

    return start
