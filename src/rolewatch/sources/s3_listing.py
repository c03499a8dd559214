"""A bucket, a prefix and a window in, the objects to read out, with as few listings as answer the question."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from rolewatch.base import aws
from rolewatch.base.errors import SourceError
from rolewatch.cloudtrail.layout import parse
from rolewatch.sources.days import cover
from rolewatch.sources.files import Problems
from rolewatch.sources.s3 import S3Delivery, seat
from rolewatch.sources.window import Filter, Window

PROBES = 100  # listings of folders of unknown kind, made to find AWSLogs/ in them, in all …
PAGE = 1000  # objects that are given together
DEPTH = 4  # … and levels below the prefix; beyond that a flat listing costs less than looking
KINDS = frozenset({"CloudTrail", "CloudTrail-NetworkActivity"})  # kinds whose files hold API calls
_ORGANIZATION = re.compile(r"o-[a-z0-9]{4,34}")
_ACCOUNT = re.compile(r"[0-9]{12}")


class Listing:
    """Lists one `s3://bucket/prefix` page by page.

    A prefix is S3's: a string that keys start with. Without a filter that is one flat listing. With one, the levels
    of the AWSLogs layout (spec/cloudtrail.md §4) are followed down from wherever the prefix ends, by listings with a
    delimiter, and only matching accounts, regions and days of delivery are listed flat; of the kinds of files only
    those that hold API calls (digest files, Insights and other services' folders are left out then). Folders outside
    of the layout are listed flat, since nothing tells what they hold.

    `excluded` are longer prefixes that another SOURCE lists itself. `today` ends a window with an open end (one day
    later, as clocks differ).

    For a listing that is repeated, `since` says where a folder of one region starts: after which key, or None to leave it
    out. The layout is followed then with any window, and a prefix without objects is no error. Outside of the layout
    `modified` leaves out what was last modified before. `answered` is S3's clock at its first answer, as it spells it, and
    `stopped` says that the listing was given up.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        window: Window,
        problems: Problems,
        *,
        today: date,
        excluded: tuple[str, ...] = (),
        since: Callable[[str], str | None] | None = None,
        modified: datetime | None = None,
        client: Any = None,
    ) -> None:
        self._bucket, self._prefix, self._window = bucket, prefix, window
        self._filter = Filter(window)
        self._problems = problems
        self._excluded = excluded
        self._tomorrow = (today + timedelta(days=1)).isoformat()
        self._since, self._modified = since, modified
        self._client = client
        self._probes = PROBES
        self._seen = False
        self.stopped = False
        self.answered: str | None = None

    def deliveries(self) -> Iterator[S3Delivery]:
        """Yield the objects as they are listed; raises what `pages` raises."""
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[S3Delivery]]:
        """Yield the objects as they are listed, those of one answer together.

        Raises SourceError if there is no such bucket or no key with this prefix, CannotDo if S3 refuses or cannot be
        reached at all; a part that cannot be listed later on is a problem.
        """
        self._client = self._client or aws.client("s3")
        self._endpoint, self._region = seat(self._client)
        if (not self._window.narrow and self._since is None) or parse(self._prefix):
            yield from self._flat(self._prefix)
        else:
            yield from self._unknown("", 0)
        if self._prefix and not self._seen and self._since is None:
            page = next(self._pages(self._prefix, MaxKeys=1), None)
            if page and not page.get("Contents"):
                raise SourceError(f"{self._name(self._prefix)}: no object has this prefix")

    # Levels: what is known of a folder decides how its content is listed.

    def _unknown(self, folder: str, depth: int) -> Iterator[list[S3Delivery]]:
        """List a folder that may hold AWSLogs/ somewhere below, or anything else."""
        if depth > DEPTH or self._probes <= 0:
            yield from self._flat(folder)
            return
        below: list[str] = []
        objects: list[dict[str, Any]] = []
        for found in self._level(folder):
            if isinstance(found, str):
                below.append(found)
            else:
                objects.append(found)
            if len(objects) == PAGE:
                yield list(self._deliver(objects))
                objects.clear()
        if objects:
            yield list(self._deliver(objects))
        given = len(self._prefix) > len(folder)  # the prefix leads further: nothing to look for
        if len(below) > self._probes and not any(_last(child) == "AWSLogs" for child in below):
            yield from self._flat(folder, deeper=True)
            return
        for child in below:
            if _last(child) == "AWSLogs":
                yield from self._logs(child)
            else:
                yield from self._unknown(child, 0 if given else depth + 1)

    def _logs(self, folder: str) -> Iterator[list[S3Delivery]]:
        """List AWSLogs/: accounts, and organisations with accounts in them."""
        for child in self._folders(folder):
            if _ORGANIZATION.fullmatch(_last(child)):
                for account in self._named(child, self._window.accounts) or self._folders(child):
                    yield from self._account(account)
            else:
                yield from self._account(child)

    def _account(self, folder: str) -> Iterator[list[S3Delivery]]:
        name = _last(folder)
        if not _ACCOUNT.fullmatch(name) or (self._window.accounts and name not in self._window.accounts):
            return
        for kind in self._folders(folder):
            if _last(kind) in KINDS:
                yield from self._kind(kind)

    def _kind(self, folder: str) -> Iterator[list[S3Delivery]]:
        regions, timed = self._window.regions, self._window.since or self._window.until
        if self._since is not None:
            for region in self._named(folder, regions) or self._folders(folder):
                after = self._since(region)
                if after is not None:
                    yield from self._flat(region, after=after)
            return
        if not regions and not timed:
            yield from self._flat(folder)
            return
        for region in self._named(folder, regions) or self._folders(folder):
            yield from self._days(region) if timed else self._flat(region)

    def _days(self, folder: str) -> Iterator[list[S3Delivery]]:
        first, last = self._window.days()
        last = min(last, self._tomorrow)
        if self._window.since:
            spans = [(first, last)] if first <= last else []
        else:  # an open start: the years that are there
            years = [_last(year) for year in self._folders(folder)]
            spans = [
                (f"{year}-01-01", min(last, f"{year}-12-31"))
                for year in years
                if year.isdigit() and year <= last
            ]
        for start, end in spans:
            for days in cover(start, end):
                yield from self._flat(folder + days)

    # Requests: each respects the prefix that was given.

    def _named(self, folder: str, names: Iterable[str]) -> list[str]:
        """Return the folders with these names, without asking whether they exist."""
        return [f"{folder}{name}/" for name in sorted(names)]

    def _folders(self, folder: str) -> list[str]:
        return [found for found in self._level(folder) if isinstance(found, str)]

    def _level(self, folder: str) -> Iterator[str | dict[str, Any]]:
        """Yield what lies directly in a folder: objects, and the prefixes of folders."""
        rest = self._rest(folder)
        if rest is None:
            return
        if "/" in rest:  # the prefix says which, no need to ask
            yield folder + rest[: rest.index("/") + 1]
            return
        self._probes -= 1
        for page in self._pages(folder + rest, Delimiter="/"):
            yield from page.get("Contents", ())
            yield from (common["Prefix"] for common in page.get("CommonPrefixes", ()))

    def _flat(self, folder: str, *, deeper: bool = False, after: str = "") -> Iterator[list[S3Delivery]]:
        """Yield everything below a folder and after a key; `deeper` leaves out what lies directly in it."""
        rest = self._rest(folder)
        if rest is None:
            return
        for page in self._pages(folder + rest, **({"StartAfter": after} if after else {})):
            objects = page.get("Contents", ())
            listed = (found for found in objects if not deeper or "/" in found["Key"][len(folder) :])
            yield list(self._deliver(listed, dated=not after))

    def _rest(self, folder: str) -> str | None:
        """Return what the given prefix says beyond a folder; None if the folder is beside the prefix."""
        if self._prefix.startswith(folder):
            return self._prefix[len(folder) :]
        return "" if folder.startswith(self._prefix) else None

    def _pages(self, prefix: str, **more: Any) -> Iterator[dict[str, Any]]:
        while not self.stopped:
            try:
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **more)
            except Exception as error:  # noqa: BLE001 - whatever botocore raises
                self._failed(prefix, error)
                return
            headers = page.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            self.answered = self.answered or headers.get("date") or ""
            self._region = headers.get("x-amz-bucket-region") or self._region
            self._seen = self._seen or bool(page.get("Contents") or page.get("CommonPrefixes"))
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def _failed(self, prefix: str, error: Exception) -> None:
        code = aws.code_of(error)
        if self.answered is None:
            if code == "NoSuchBucket":
                raise SourceError(f"s3://{self._bucket}: no such bucket") from error
            if code in {"InvalidBucketName", "ParamValidationError"}:
                raise SourceError(f"s3://{self._bucket}: not a name that a bucket can have") from error
            raise aws.cannot(error, f"cannot list {self._name(prefix)}") from error
        self._problems.append((self._name(prefix), f"listing stopped: {aws.describe(error)}"))
        # A refusal concerns one prefix; without a network, or with credentials run out, all others fail too.
        self.stopped = code not in {"AccessDenied", "AllAccessDisabled"}

    def _deliver(self, objects: Iterable[dict[str, Any]], *, dated: bool = True) -> Iterator[S3Delivery]:
        modified = self._modified if dated else None
        for found in objects:
            key, size = found["Key"], found["Size"]
            if (size == 0 and key.endswith(("/", "_$folder$"))) or (
                self._excluded and key.startswith(self._excluded)
            ):
                continue
            named = key == self._prefix
            if modified and found["LastModified"] < modified:
                continue
            if not named and self._filter.narrow and not self._filter.admits(parse(key)):
                continue
            etag = found.get("ETag", "")
            yield S3Delivery(
                name=self._name(key),
                identity=f"{self._bucket}/{key}+{etag or found.get('LastModified')}",
                named=named,
                size=size,
                remote=True,
                bucket=self._bucket,
                key=key,
                etag=etag,
                region=self._region,
                endpoint=self._endpoint,
                at=found["LastModified"].timestamp() if "LastModified" in found else None,
            )

    def _name(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


def _last(folder: str) -> str:
    return folder[:-1].rpartition("/")[2]
