"""Files and folders in, deliveries out: each file once, however many ways lead to it.

Paths are strings here, not `Path` objects, and a file costs one stat: folders of 100,000 files are usual.
"""
# ruff: noqa: PTH110, PTH112, PTH116, PTH118 - making a Path costs more than the stat itself

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from rolewatch.cloudtrail.layout import parse
from rolewatch.sources.delivery import FileDelivery
from rolewatch.sources.window import Filter, Window

Problems = list[tuple[str, str]]


class _Folder(NamedTuple):
    """A folder being walked: its path as printed, its real path, and what is left of its sorted names."""

    path: str
    real: str
    names: Iterator[str]
    others: dict[str, bool]  # the names that are no regular files → whether they are symbolic links


class Walk:
    """Walks files and folders named in any way; remembers what it gave, so that nothing comes twice.

    Each folder is walked once (by device and inode), so that files need not be remembered one by one; only those
    are that were named themselves, or reached over a symbolic link. `problems` gets (path, reason) for what could
    not be looked at.
    """

    def __init__(self, window: Window, problems: Problems) -> None:
        self._filter = Filter(window)
        self._problems = problems
        self._given: set[str] = set()
        self._walked: set[tuple[int, int]] = set()

    def reserve(self, path: str, *, named: bool = True) -> FileDelivery | None:
        """Return the delivery of a file that was named itself, which no walk will give then; None if it was before.

        Raises OSError if the file does not exist or cannot be looked at.
        """
        delivery = look(path, named=named)
        if delivery.identity in self._given:
            return None
        self._given.add(delivery.identity)
        return delivery

    def match(self, path: str, *, named: bool) -> Iterator[FileDelivery]:
        """Yield what a path that a pattern matched leads to, a file or all files of a folder."""
        if os.path.isdir(path):
            yield from self.folder(path)
            return
        if not named and self._filter.narrow and not self._filter.admits(parse(path)):
            return
        try:
            if not self._was_walked(os.path.realpath(path)):
                delivery = self.reserve(path, named=named)
                if delivery:
                    yield delivery
        except OSError as error:
            self._problems.append((path, error.strerror or str(error)))

    def folder(self, top: str) -> Iterator[FileDelivery]:
        """Yield the files of a folder and the folders in it, in the order of their names, as they are found.

        Left out are names with a leading dot, what is neither file nor folder, files that the window excludes by
        their layout, and symbolic links to what the walk meets anyway.
        """
        real_top = os.path.realpath(top)
        first = self._enter(top, real_top)
        stack = [first] if first else []
        while stack:
            path, real, names, others = folder = stack[-1]
            for name in names:
                full = os.path.join(path, name)
                if not others or name not in others:
                    delivery = self._file(full, f"{real}/{name}")
                    if delivery:
                        yield delivery
                    continue
                below = f"{real}/{name}"
                if others[name]:
                    below = os.path.realpath(full)
                    if self.meets(below, top, real_top) and os.path.exists(below):
                        continue
                    if not os.path.isdir(below):
                        delivery = self._linked(full, below)
                        if delivery:
                            yield delivery
                        continue
                entered = self._enter(full, below)
                if entered:
                    stack.append(entered)
                    break
            if stack[-1] is folder:
                stack.pop()

    def enters(self, path: str) -> bool:
        """Whether a folder is to be walked; called before it is listed."""
        del path
        return True

    def wants(self, path: str) -> bool:
        """Whether a file met in a folder counts."""
        return not self._filter.narrow or self._filter.admits(parse(path))

    def shows(self, path: str) -> bool:
        """Whether what is at a path counts although its name has a leading dot."""
        del path
        return False

    def meets(self, real: str, top: str, real_top: str) -> bool:
        """Whether the walk of a folder, `real_top` without links, meets a real path without following any link."""
        del top
        if real == real_top:
            return True
        below = real.removeprefix(real_top.rstrip("/") + "/")
        return below != real and not any(part.startswith(".") for part in below.split("/"))

    def _enter(self, path: str, real: str) -> _Folder | None:
        if not self.enters(path):
            return None
        files: list[str] = []
        others: dict[str, bool] = {}
        try:
            found = os.stat(path)
            if (found.st_dev, found.st_ino) in self._walked:
                return None
            self._walked.add((found.st_dev, found.st_ino))
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.startswith(".") and not self.shows(os.path.join(path, entry.name)):
                        continue
                    # The kind comes with the listing; entries themselves would hold four times the memory of names.
                    if entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
                    elif entry.is_symlink() or entry.is_dir():
                        others[entry.name] = entry.is_symlink()
        except OSError as error:
            self._problems.append((path, error.strerror or str(error)))
            if not files and not others:
                return None
        files.extend(others)
        files.sort()
        return _Folder(path, real.rstrip("/"), iter(files), others)

    def _linked(self, path: str, real: str) -> FileDelivery | None:
        """Return the delivery of a file outside of the walked folder that a link leads to, unless it was given."""
        delivery = self._file(path, real)
        if delivery is None or self._was_walked(real):
            return None
        self._given.add(delivery.identity)
        return delivery

    def _was_walked(self, real: str) -> bool:
        folder, name = os.path.split(real)
        try:
            found = os.stat(folder)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) in self._walked and not name.startswith(".")

    def _file(self, path: str, real: str) -> FileDelivery | None:
        if not self.wants(path):
            return None
        try:
            found = os.stat(path)
        except OSError as error:
            self._problems.append((path, error.strerror or str(error)))
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        identity = _identity(real, found)
        if self._given and identity in self._given:
            return None
        return FileDelivery(path, identity, named=False, size=found.st_size, remote=False)


def look(path: str, *, named: bool) -> FileDelivery:
    """Return the delivery of a file as it is now; raises OSError if it does not exist or cannot be looked at."""
    found = os.stat(path)
    real = os.path.realpath(path)
    if not stat.S_ISREG(found.st_mode):  # a pipe, as in `scan <(…)`: nobody knows how much will come
        return FileDelivery(path, real, named=named, size=-1, remote=False)
    return FileDelivery(path, _identity(real, found), named=named, size=found.st_size, remote=False)


def _identity(real: str, found: os.stat_result) -> str:
    return f"{real}+{found.st_size}+{found.st_mtime_ns}+{found.st_ino}"
