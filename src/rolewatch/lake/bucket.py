"""A lake in S3: the manifest is replaced by a conditional write, so that of two writers one has to try again."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.lake.place import GONE, LEDGERS, MANIFEST, RECORDS, Listed, Place, State

AT_ONCE: Final = 8  # files that are fetched side by side
_LOST: Final = frozenset(("PreconditionFailed", "412", "ConditionalRequestConflict", "409"))
_MISSING: Final = frozenset(("NoSuchKey", "404"))


class Bucket(Place):
    """A prefix of a bucket."""

    remote = True

    def __init__(self, name: str) -> None:
        self.name = name.rstrip("/")
        self._bucket, _, prefix = name.removeprefix("s3://").partition("/")
        if not self._bucket:
            raise UsageError(
                f"--lake {name}: the bucket's name is missing", remedy="write s3://bucket/prefix"
            )
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = aws.client("s3", pool=AT_ONCE)
        self._staging: Path | None = None

    def manifest(self) -> tuple[bytes | None, State]:
        """Read the manifest; its state is its ETag."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + MANIFEST)
            return found["Body"].read(), str(found["ETag"])
        except aws.errors() as error:
            if aws.code_of(error) in _MISSING:
                return None, None
            raise aws.cannot(error, f"cannot read {self.name}/{MANIFEST}") from error

    def replace(self, manifest: bytes, state: State) -> bool:
        """Replace the manifest if it still has that ETag, or make one if there was none."""
        condition = {"IfNoneMatch": "*"} if state is None else {"IfMatch": state}
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + MANIFEST,
                Body=manifest,
                ContentType="application/jsonl",
                **condition,
            )
        except aws.errors() as error:
            if aws.code_of(error) in _LOST:
                return False
            raise aws.cannot(error, f"cannot write {self.name}/{MANIFEST}") from error
        return True

    def staging(self) -> Path:
        """Make a temporary folder on this machine."""
        if self._staging is None:
            self._staging = Path(tempfile.mkdtemp(prefix="rolewatch-lake-"))
        return self._staging

    def put(self, staged: Path, name: str) -> None:
        """Upload a file."""
        try:
            self._client.upload_file(str(staged), self._bucket, self._prefix + name)
        except (*aws.errors(), _upload_failed()) as error:
            raise aws.cannot(error, f"cannot write {self.name}/{name}") from error

    def remove(self, name: str) -> None:
        """Delete an object."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)
        except aws.errors() as error:
            raise aws.cannot(error, f"cannot delete {self.name}/{name}") from error

    def files(self) -> Iterator[Listed]:
        """List the objects of records and of deliveries' identities."""
        for top in (RECORDS, LEDGERS):
            try:
                pages = self._client.get_paginator("list_objects_v2").paginate(
                    Bucket=self._bucket, Prefix=f"{self._prefix}{top}/"
                )
                for page in pages:
                    yield from map(self._listed, page.get("Contents", ()))
            except aws.errors() as error:
                raise aws.cannot(error, f"cannot list {self.name}") from error

    @contextmanager
    def local(self, names: list[str], unreadable: Callable[[str, str], None]) -> Iterator[dict[str, Path]]:
        """Download files into a folder that goes away afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="rolewatch-lake-"))
        try:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                fetched = list(threads.map(lambda pair: self._fetch(pair[1], folder / f"{pair[0]}-{Path(pair[1]).name}"), enumerate(names)))  # fmt: skip
            found = {}
            for name, path in zip(names, fetched, strict=True):
                if isinstance(path, Path):
                    found[name] = path
                else:
                    unreadable(name, path)
            yield found
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """S3 knows no locks; `replace` notices what others did."""
        yield

    def sweep(self, before: float) -> None:
        """Leave what others staged to their machines."""

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._staging:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None

    def _fetch(self, name: str, path: Path) -> Path | str:
        """Download a file; gives the reason if that is not possible. No access at all stops everything."""
        try:
            self._client.download_file(self._bucket, self._prefix + name, str(path))
        except aws.errors() as error:
            if aws.code_of(error) in _MISSING:
                return GONE
            raise aws.cannot(error, f"cannot read {self.name}/{name}") from error
        except OSError as error:
            raise CannotDo(f"cannot keep {name} for reading: {error.strerror or error}") from error
        return path

    def _listed(self, found: Any) -> Listed:
        return Listed(
            found["Key"].removeprefix(self._prefix), int(found["Size"]), found["LastModified"].timestamp()
        )


def _upload_failed() -> type[Exception]:
    from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 - only where S3 is asked for

    return S3UploadFailedError
