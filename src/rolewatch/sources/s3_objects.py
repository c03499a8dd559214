"""Objects that notices name in, deliveries out: what a notice does not say about an object is asked of S3."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base import aws
from rolewatch.sources.live_trouble import passes
from rolewatch.sources.notices import Noticed
from rolewatch.sources.s3 import S3Delivery, seat

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

THREADS: Final = 8  # ask at once


class Objects:
    """Makes deliveries; its clients and threads start when they are needed. For one thread at a time."""

    def __init__(self) -> None:
        self._client: Any = None
        self._threads: ThreadPoolExecutor | None = None
        self._regions: dict[str, str] = {}

    def deliveries(self, noticed: Sequence[Noticed]) -> list[S3Delivery]:
        """Return the objects' deliveries in the same order.

        An object that S3 refuses to tell about has an unknown size: reading it tells why. Raises CannotDo without the `aws`
        extra, and botocore's error where S3 cannot be asked now.
        """
        if not noticed:
            return []
        if self._client is None:
            self._client = aws.client("s3", pool=THREADS)
        incomplete = [each for each in noticed if each.size < 0 or not each.etag]
        known = dict(zip(incomplete, self._map(incomplete), strict=True)) if incomplete else {}
        return [self._delivery(known.get(each, each)) for each in noticed]

    def close(self) -> None:
        """Let go of the threads."""
        threads, self._threads = self._threads, None
        if threads:
            threads.shutdown(wait=False)

    def _map(self, noticed: list[Noticed]) -> list[Noticed]:
        if len(noticed) == 1:
            return [self._complete(noticed[0])]
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only for notices without sizes

            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="rolewatch-head")
        return list(self._threads.map(self._complete, noticed))

    def _complete(self, noticed: Noticed) -> Noticed:
        try:
            found = self._client.head_object(Bucket=noticed.bucket, Key=noticed.key)
        except aws.errors() as error:
            if passes(error):
                raise
            return noticed
        written = found.get("LastModified")
        return noticed._replace(
            size=int(found["ContentLength"]),
            etag=str(found.get("ETag") or ""),
            at=written.timestamp() if written else noticed.at,
        )

    def _delivery(self, noticed: Noticed) -> S3Delivery:
        endpoint, region = seat(self._client)
        return S3Delivery(
            name=f"s3://{noticed.bucket}/{noticed.key}",
            identity=f"{noticed.bucket}/{noticed.key}+{noticed.etag}",
            named=False,
            size=noticed.size,
            remote=True,
            bucket=noticed.bucket,
            key=noticed.key,
            etag=noticed.etag,
            region=noticed.region or (region if endpoint else self._region_of(noticed.bucket, region)),
            endpoint=endpoint,
            version=noticed.version,
            at=noticed.at,
        )

    def _region_of(self, bucket: str, otherwise: str) -> str:
        """Ask where a bucket is; S3 says it in the headers of any answer, also where it refuses."""
        if bucket not in self._regions:
            try:
                answer = self._client.head_bucket(Bucket=bucket)
            except aws.errors() as error:
                answer = getattr(error, "response", None) or {}
            headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            found = headers.get("x-amz-bucket-region")
            if not found:
                return otherwise
            self._regions[bucket] = found
        return self._regions[bucket]
