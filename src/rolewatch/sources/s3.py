"""An S3 object as a delivery: read whole, or in ranges where it is large.

Objects are read with obstore: it releases the interpreter while it waits and costs less per object than boto3. Its
threads do not survive a fork, so a process forked from one that has read already takes boto3, as do keys that
obstore cannot spell (`a//b`).
"""

import errno
import os
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.sources.delivery import Delivery

RANGE = 8 * 1024 * 1024  # bytes asked for at a time of a large object
RETRIES = 6
RETRY_SECONDS = 120
CONNECTIONS = 16  # threads that may read at once
CREDENTIALS_MINUTES = 5  # how long credentials are used before the session is asked again

_AWS = re.compile(r"https://s3[.-]?[a-z0-9-]*\.amazonaws\.com")
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>(?:\s*<Message>([^<]{1,300}))?")
_REASONS: dict[str, tuple[int, str]] = {
    "NoSuchKey": (errno.ENOENT, "object vanished between listing and reading"),
    "NoSuchVersion": (errno.ENOENT, "object vanished between listing and reading"),
    "404": (errno.ENOENT, "object vanished between listing and reading"),
    "NoSuchBucket": (errno.ENOENT, "bucket vanished between listing and reading"),
    "PreconditionFailed": (errno.ESTALE, "object was replaced while it was read"),
    "InvalidObjectState": (errno.EIO, "archived by S3 (Glacier): restore the object first"),
}
_DENIED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"}
) | {
    *(
        "SignatureDoesNotMatch",
        "Forbidden",
        "403",
        "401",
        "InvalidSecurity",
        "AccountProblem",
        "RequestTimeTooSkewed",
    )
}
_owner: dict[str, int] = {}  # under "process" the one in which obstore's threads live, once there are any


class S3Delivery(Delivery, frozen=True):
    """An object of a bucket; `endpoint` is empty for AWS's own.

    `version` is the one that is meant. It is asked for only where the object was deleted or replaced since, because that
    takes a permission of its own (s3:GetObjectVersion). `at` is when it was written, in seconds since 1970, as far as a
    listing or a notice told.
    """

    bucket: str
    key: str
    etag: str
    region: str
    endpoint: str
    version: str = ""
    at: float | None = None

    def arrived(self) -> float | None:
        """Return when it was written here; what CloudTrail's name says may be long before, of a copy or a late delivery."""
        return self.at if self.at is not None else super().arrived()

    def read(self) -> bytes:
        """Return the object's content; raises OSError with S3's reason."""
        return self._get(None)

    def open(self) -> BinaryIO:
        """Return a stream that asks for one range after another, each with retries of its own."""
        return BufferedReader(_Ranges(self), RANGE) if self.size >= 0 else BytesIO(self.read())

    def part(self, start: int, end: int) -> bytes:
        """Return bytes `start` to `end` (excluded) of the object as it was listed."""
        return self._get((start, end))

    def _get(self, part: tuple[int, int] | None) -> bytes:
        try:
            try:
                if self._spelled_plainly() and _is_ours():
                    return _get_with_obstore(self, part)
                return _get_with_boto3(self, part)
            except OSError as error:
                if not self.version or error.errno not in {errno.ENOENT, errno.ESTALE}:
                    raise
                return _get_with_boto3(self, part, VersionId=self.version)
        except CannotDo as error:
            raise OSError(errno.EACCES, error.message) from error

    def _spelled_plainly(self) -> bool:
        return self.key.isprintable() and not any(part in {"", ".", ".."} for part in self.key.split("/"))


class _Ranges(RawIOBase):
    """The object as a raw stream of ranges."""

    def __init__(self, delivery: S3Delivery) -> None:
        self._delivery = delivery
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._delivery.size)
        if self._at >= end:
            return 0
        data = self._delivery.part(self._at, end)
        if len(data) != end - self._at:
            raise OSError(errno.EIO, f"S3 gave {len(data)} bytes where {end - self._at} were asked for")
        buffer[: len(data)] = data
        self._at = end
        return len(data)


def _is_ours() -> bool:
    """Whether obstore may be used here: it was not used in a process that this one was forked from."""
    if os.environ.get("AWS_CA_BUNDLE"):  # obstore does not know it
        return False
    return _owner.setdefault("process", os.getpid()) == os.getpid()


def _get_with_obstore(delivery: S3Delivery, part: tuple[int, int] | None) -> bytes:
    store = _store(delivery.bucket, delivery.region, delivery.endpoint)
    try:
        options: dict[str, Any] = {} if part is None else {"range": part}
        if _is_picky(delivery, part):
            options["if_match"] = delivery.etag
        return bytes(store.get(delivery.key, options=options or None).bytes())
    except Exception as error:
        raise _failure_of_obstore(error) from error


def _get_with_boto3(delivery: S3Delivery, part: tuple[int, int] | None, **more: str) -> bytes:
    if part is not None:
        more["Range"] = f"bytes={part[0]}-{part[1] - 1}"
    if _is_picky(delivery, part):
        more["IfMatch"] = delivery.etag
    client = _client(delivery.region, delivery.endpoint, os.getpid())
    try:
        content: bytes = client.get_object(Bucket=delivery.bucket, Key=delivery.key, **more)["Body"].read()
    except Exception as error:
        raise _failure(aws.code_of(error), aws.describe(error)) from error
    return content


def _is_picky(delivery: S3Delivery, part: tuple[int, int] | None) -> bool:
    """Whether no other content than the one listed will do: parts must fit, and a version can be asked for by name."""
    return bool(delivery.etag and (part is not None or delivery.version))


def seat(client: Any) -> tuple[str, str]:
    """Return the endpoint of a client of S3, empty for AWS's own, and its region."""
    endpoint = str(client.meta.endpoint_url)
    region = str(client.meta.region_name or "us-east-1").replace("aws-global", "us-east-1")
    return "" if _AWS.fullmatch(endpoint) else endpoint, region


@lru_cache(maxsize=64)
def _store(bucket: str, region: str, endpoint: str) -> Any:
    try:
        from obstore.store import S3Store  # noqa: PLC0415 - only where S3 is read
    except ImportError:
        raise aws.without_extra("obstore") from None
    session = aws.credentials(region)

    def provide() -> dict[str, Any]:
        frozen = session.get_frozen_credentials()
        until = datetime.now(UTC) + timedelta(minutes=CREDENTIALS_MINUTES)
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": until,
        }

    # The endpoint is always said, so that obstore takes none from the environment that boto3 was told to ignore.
    virtual = not endpoint and "." not in bucket  # a certificate for *.s3… does not hold for names with dots
    host = f"{bucket}.s3.{region}" if virtual else f"s3.{region}"
    provider: Any = provide  # a dictionary is what obstore asks for
    return S3Store(
        bucket,
        region=region,
        endpoint=endpoint or f"https://{host}.amazonaws.com",
        virtual_hosted_style_request=virtual,
        credential_provider=provider,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=aws.CONNECT_SECONDS),
            "timeout": timedelta(seconds=RETRY_SECONDS),
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


@lru_cache(maxsize=16)
def _client(region: str, endpoint: str, process: int) -> Any:
    del endpoint, process  # a client is good for one environment, and connections for one process
    return aws.client("s3", region=region, pool=CONNECTIONS)


def _failure_of_obstore(error: Exception) -> OSError:
    text = str(error).partition("\n\nDebug source")[0]
    found = _CODE.search(str(error))
    if found:
        code, message = found.groups()
        return _failure(code, f"{code}: {message}" if message else code)
    if isinstance(error, FileNotFoundError):
        return _failure("NoSuchKey", text)
    if type(error).__name__ in {"PermissionDeniedError", "UnauthenticatedError"} or isinstance(
        error, PermissionError
    ):
        return _failure("AccessDenied", text)
    if type(error).__name__ == "PreconditionError":
        return _failure("PreconditionFailed", text)
    return _failure("", " ".join(text.split())[:300])


def _failure(code: str, text: str) -> OSError:
    """Return the error whose `strerror` says why an object could not be read."""
    if code in _REASONS:
        return OSError(*_REASONS[code])
    if code in _DENIED:
        return OSError(errno.EACCES, f"denied by S3: {text}")
    return OSError(errno.EIO, f"S3: {text}")
