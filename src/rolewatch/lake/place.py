"""Where a lake lies: its files by their names in it, and one manifest that is replaced only by who knows the last one."""

import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rolewatch.base.errors import CannotDo, UsageError

MANIFEST: Final = "manifest/parts.jsonl"
RECORDS: Final = "records"
LEDGERS: Final = "deliveries"
STAGED: Final = (
    ".staged"  # files that are being written; readers of the folder ignore names with a leading dot
)
#: How files are named that rolewatch writes; others are none of the lake.
OURS: Final = re.compile(
    r"records/day=(\d{4}-\d{2}-\d{2}|__HIVE_DEFAULT_PARTITION__)/part-[0-9a-f]{16}\.parquet"
)

GONE: Final = "the manifest lists it, and it is not there"

State = str | None  # of the manifest, as it was read; None where there is none


def random_name() -> str:
    """Make 16 hexadecimal digits that nobody else makes."""
    return os.urandom(8).hex()


class Listed(NamedTuple):
    """A file in a lake's place, listed or not."""

    name: str
    bytes: int
    modified: float  # seconds since 1970


class Place(ABC):
    """A folder or a prefix of a bucket that holds a lake."""

    name: str
    remote = False  # whether to have a file at hand takes more than to open it

    @abstractmethod
    def manifest(self) -> tuple[bytes | None, State]:
        """Give the manifest, None if there is no lake, and what `replace` wants to know."""

    @abstractmethod
    def replace(self, manifest: bytes, state: State) -> bool:
        """Replace the manifest if it is still as it was in that state; False if it is not."""

    @abstractmethod
    def staging(self) -> Path:
        """Give a folder of this machine to write files in, before they are `put` into the lake."""

    @abstractmethod
    def put(self, staged: Path, name: str) -> None:
        """Move a file into the lake, whole or not at all."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""

    @abstractmethod
    def files(self) -> Iterator[Listed]:
        """Yield the files of records and of deliveries' identities that are there."""

    @abstractmethod
    @contextmanager
    def local(self, names: list[str], unreadable: Callable[[str, str], None]) -> Iterator[dict[str, Path]]:
        """Have files at hand on this machine for a while; those that cannot be had are told with their reason."""

    @abstractmethod
    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep others from replacing the manifest, as far as that is possible."""

    @abstractmethod
    def sweep(self, before: float) -> None:
        """Remove what others staged before that time (seconds since 1970) and left behind."""

    @abstractmethod
    def close(self) -> None:
        """Remove what was staged and is of no use any more."""


def place_of(word: str) -> Place:
    """Find the place that `--lake` names; UsageError for a word that names none."""
    if word.startswith("s3://"):
        from rolewatch.lake.bucket import Bucket  # noqa: PLC0415 - only where S3 is asked for

        return Bucket(word)
    if "://" in word:
        raise UsageError(
            f"--lake {word}: a lake lies in a folder or in S3",
            remedy="write --lake DIR or s3://bucket/prefix",
        )
    return Folder(word)


class Folder(Place):
    """A folder of a file system."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root = Path(name)
        self._staging: Path | None = None

    def manifest(self) -> tuple[bytes | None, State]:
        """Read the manifest; its state is what makes its file another one when it is replaced."""
        try:
            with (self.root / MANIFEST).open("rb") as file:
                status = os.fstat(file.fileno())
                return file.read(), f"{status.st_ino} {status.st_mtime_ns} {status.st_size}"
        except (FileNotFoundError, NotADirectoryError):
            if self.root.exists() and not self.root.is_dir():
                raise UsageError(f"--lake {self.name}: this is a file", remedy="name a folder") from None
            return None, None

    def replace(self, manifest: bytes, state: State) -> bool:
        """Replace the manifest; call this while `writing`, so that nothing comes between."""
        if self.manifest()[1] != state:
            return False
        path = self.root / MANIFEST
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f".{random_name()}")
        try:
            with written.open("xb") as file:
                file.write(manifest)
                file.flush()
                os.fsync(file.fileno())
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
        _sync(path.parent)
        return True

    def staging(self) -> Path:
        """Make a folder inside of the lake, of which other readers take no notice."""
        if self._staging is None:
            parent = self.root / STAGED
            parent.mkdir(parents=True, exist_ok=True)
            self._staging = Path(tempfile.mkdtemp(dir=parent))
        return self._staging

    def put(self, staged: Path, name: str) -> None:
        """Rename a file, when its content has reached the disk."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(target)
        _sync(target.parent)

    def remove(self, name: str) -> None:
        """Remove a file, and its folder if that was the last one in it."""
        path = self.root / name
        path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()
        except OSError:
            return  # there are others

    def files(self) -> Iterator[Listed]:
        """Walk through the folders of records and of deliveries' identities."""
        for top in (RECORDS, LEDGERS):
            yield from _walk(str(self.root / top), top)

    @contextmanager
    def local(self, names: list[str], unreadable: Callable[[str, str], None]) -> Iterator[dict[str, Path]]:
        """Name the files as they lie there."""
        found = {}
        for name in names:
            path = self.root / name
            if path.is_file():
                found[name] = path
            else:
                unreadable(name, GONE)
        yield found

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold a lock of the operating system: it ends with its holder, however that ends."""
        import fcntl  # noqa: PLC0415 - only where something is written

        path = self.root / MANIFEST
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def sweep(self, before: float) -> None:
        """Remove the folders that others wrote in, and did not for long."""
        for folder in (self.root / STAGED).glob("*"):
            if max(path.stat().st_mtime for path in (folder, *folder.glob("*"))) < before:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove what was staged."""
        if self._staging:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None


def no_lake(place: Place) -> CannotDo:
    """Say that there is no lake."""
    return CannotDo(
        f"{place.name}: there is no lake", remedy=f"`rolewatch ingest SOURCE --lake {place.name}` makes one"
    )


def cannot_write(what: str, error: Exception) -> CannotDo:
    """Say that a lake, or files on their way into one, could not be written."""
    reason = getattr(error, "strerror", None) or error
    return CannotDo(
        f"cannot write {what}: {reason}",
        remedy="what was in the lake is still there; make room, and do the same again",
    )


def _sync(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(folder: str, name: str) -> Iterator[Listed]:
    """Walk through a folder, by its name in the lake; names with a dot or a line in front are of no matter."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:  # it is not there, or not to be read: what the manifest lists in it will be missed
        return
    for entry in entries:
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{name}/{entry.name}")
        elif entry.is_file():
            status = entry.stat()
            yield Listed(f"{name}/{entry.name}", status.st_size, status.st_mtime)
