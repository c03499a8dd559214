"""The words typed as SOURCE in, what follows them out."""

import os
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.sources.live import LiveSource, Memory, Told
from rolewatch.sources.live_scope import scope
from rolewatch.sources.live_time import Time
from rolewatch.sources.places import bucket_of, regions_of
from rolewatch.sources.window import Window

INTERVAL: Final = 30.0  # seconds between the beginnings of two polls of a bucket
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)


class _Follow(NamedTuple):
    """What all sources of one call share."""

    memory: Memory
    told: Told
    window: Window
    interval: float
    time: Time | None


_Starts = dict[str, Callable[[], LiveSource]]  # by a name that is the same for the same place


def live_sources(
    words: Sequence[str],
    memory: Memory,
    told: Told,
    *,
    window: Window | None = None,
    interval: float = INTERVAL,
    time: Time | None = None,
) -> list[LiveSource]:
    """Return what follows the places that some words mean, a source each, and one for each region of `lookup://`.

    `window.since` says where the backlog begins, its accounts and regions narrow what has CloudTrail's layout; `interval` is
    that of polls of buckets. Raises SourceError for a word that means nothing that exists, before anything is asked, and then
    what the sources raise when they are made: SourceError for a bucket, queue or log group that does not exist, CannotDo
    without credentials and for what AWS refuses. Where AWS cannot be reached the source is there, and tells so.
    """
    follow = _Follow(memory, told, window or Window(), interval, time)
    starts: _Starts = {}
    for word in words:
        url = _URL.fullmatch(word)
        read = _KINDS.get(url[1], _files) if url else _stdin if word == "-" else _files
        starts.update(read(word, follow))
    if not starts:
        raise UsageError("there is nothing to watch", remedy="name a SOURCE")
    sources: list[LiveSource] = []
    try:
        sources.extend(start() for start in starts.values())
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources


def _files(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_folder import FolderSource  # noqa: PLC0415 - only what is asked for is imported

    found = scope(word)
    name = f"{os.path.realpath(found.file or found.top)} {found.parts}"
    return {
        name: lambda: FolderSource(
            word, found, follow.memory, follow.told, window=follow.window, time=follow.time
        )
    }


def _stdin(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_stdin import StdinSource  # noqa: PLC0415 - as above

    return {word: lambda: StdinSource(follow.memory, follow.told, time=follow.time)}


def _bucket(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_s3 import BucketSource  # noqa: PLC0415 - as above

    bucket = bucket_of(word)
    return {
        f"s3://{bucket.name}/{bucket.prefix}": lambda: BucketSource(
            *bucket,
            follow.memory,
            follow.told,
            window=follow.window,
            interval=follow.interval,
            time=follow.time,
        )
    }


def _queue(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_queue import QueueSource, queue  # noqa: PLC0415 - as above

    asked = queue(word)
    return {word: lambda: QueueSource(word, asked, follow.memory, follow.told, time=follow.time)}


def _log_group(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_logs import LogGroupSource, log_group  # noqa: PLC0415 - as above

    group = log_group(word)
    return {
        word: lambda: LogGroupSource(
            word, group, follow.memory, follow.told, window=follow.window, time=follow.time
        )
    }


def _lookup(word: str, follow: _Follow) -> _Starts:
    from rolewatch.sources.live_lookup import LookupSource  # noqa: PLC0415 - as above

    def start(region: str) -> Callable[[], LiveSource]:
        return lambda: LookupSource(
            region, follow.memory, follow.told, window=follow.window, time=follow.time
        )

    regions = regions_of(word, word.removeprefix("lookup://")) or sorted(follow.window.regions) or [""]
    return {f"lookup://{region}": start(region) for region in regions}


_KINDS: Final = {"s3": _bucket, "sqs": _queue, "logs": _log_group, "lookup": _lookup}
