"""The folders below one that is followed: walked, and then watched for what happens in them.

Linux tells what happens (inotify), to as many folders as it has room for, unless they are on another machine. For the others,
and where there is no inotify, a folder's own time of modification tells that something was put into it.
"""
# ruff: noqa: PTH112, PTH113, PTH116, PTH118 - paths are strings here, as in files.py

import errno
import os
import stat
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from rolewatch.sources import inotify
from rolewatch.sources.delivery import FileDelivery
from rolewatch.sources.files import Problems, Walk, look
from rolewatch.sources.inotify import Inotify
from rolewatch.sources.live_scope import Scope
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.window import Window

RACY: Final = 2.0  # seconds in which a folder may change again without another time of modification
DEAF: Final = 2  # changes without a word after which nothing is expected to be told of a folder
_GONE: Final = inotify.DELETE_SELF | inotify.MOVE_SELF | inotify.UNMOUNT
_WRITTEN: Final = inotify.CLOSE_WRITE | inotify.MOVED_TO
_VANISHED: Final = os.strerror(errno.ENOENT)
_TOO_MANY: Final = (
    "more folders than Linux has watches for, so the others are looked at again and again: raise "
    "fs.inotify.max_user_watches"
)


class Change(Enum):
    """What happened at a path."""

    WRITTEN = auto()  # a file was closed by a writer, or moved here
    TOUCHED = auto()  # something about a file changed, perhaps nothing that matters
    LEFT = auto()  # a file was moved away
    FOLDER = auto()  # there is a new folder
    LOST = auto()  # so much happened that nobody knows what
    GONE = auto()  # the folder that is followed is not there any more


class _Folder:
    """A folder that was entered.

    `watch` is its number, None if Linux tells nothing of it; `modified` and `place` are what its stat said before it was listed
    (`modified` -1: it may change again without another time). `heard` says that something was told of it since, `silences` how
    often it changed without that.
    """

    __slots__ = ("heard", "modified", "place", "silences", "watch")

    def __init__(self, watch: int | None, found: os.stat_result, now: float, silences: int) -> None:
        self.watch = watch
        self.place = (found.st_dev, found.st_ino)
        self.heard = False
        self.silences = silences
        self.look(found, now)

    def look(self, found: os.stat_result, now: float) -> None:
        """Note when it was modified, as it is found now."""
        self.modified = found.st_mtime_ns if abs(now - found.st_mtime) > RACY else -1


class Tree:
    """The folders of a scope. For one thread. `now` is the time of day everywhere, in seconds since 1970."""

    def __init__(self, scope: Scope, window: Window, trouble: Trouble) -> None:
        self.scope, self._window, self._trouble = scope, window, trouble
        self._folders: dict[str, _Folder] = {}
        self._paths: dict[int, str] = {}
        self._inotify: Inotify | None = None
        try:
            self._inotify = Inotify()
        except OSError as error:
            trouble.tell("inotify", f"looking for changes again and again, because {error.strerror}")

    @property
    def blind(self) -> bool:
        """Whether there are folders of which Linux does not tell what happens in them."""
        return self._inotify is None or any(folder.watch is None for folder in self._folders.values())

    def fileno(self) -> int | None:
        """Return the descriptor that becomes readable when something happens, None if there is none."""
        return self._inotify.fileno() if self._inotify else None

    def close(self) -> None:
        """Stop watching."""
        if self._inotify:
            self._inotify.close()
            self._inotify = None

    def walk(self, now: float, top: str | None = None, *, shallow: bool = False) -> Iterator[FileDelivery]:
        """Yield the files of a folder and those below it, each folder watched before it is listed.

        `shallow` leaves out folders below that were entered before.
        """
        problems: Problems = []
        top = top or self.scope.top
        if self.scope.file:
            self.enter(top, now)
            if os.path.isfile(self.scope.file):
                yield look(self.scope.file, named=True)
            return
        known = set(self._folders) - {top} if shallow else set()
        for delivery in _Walk(self, self._window, problems, now, known).folder(top):
            yield delivery
            self._tell(problems)
        self._tell(problems)

    def enter(self, path: str, now: float) -> None:
        """Watch a folder that is about to be listed."""
        before = self._folders.get(path)
        silences = before.silences if before else 0
        watch = None
        if self._inotify and silences < DEAF:
            try:
                watch = self._inotify.watch(path)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    self._trouble.tell("watches", _TOO_MANY)
        try:
            self._folders[path] = _Folder(watch, os.stat(path), now, silences)
        except OSError:  # listing it says the same
            return
        if watch is not None:
            self._paths[watch] = path

    def happened(self) -> list[tuple[Change, str]]:
        """Return what has happened, without waiting."""
        changes: list[tuple[Change, str]] = []
        for watch, mask, name in self._inotify.read() if self._inotify else ():
            if mask & inotify.OVERFLOW:
                changes.append((Change.LOST, self.scope.top))
                continue
            path = self._paths.get(watch, "")
            folder = self._folders.get(path)
            if folder is None or folder.watch != watch:  # left, or made anew since
                continue
            if mask & (_GONE | inotify.IGNORED):
                if path == self.scope.top:
                    changes.append((Change.GONE, path))
                elif mask & inotify.IGNORED:
                    self._forget(path)
                continue
            folder.heard = True
            path = os.path.join(path, name)
            if name and (not name.startswith(".") or self.scope.shows(path)):
                changes += self._change(mask, path)
        return changes

    def changed(self, now: float) -> Iterator[tuple[Change, str]]:
        """Look at every folder: yield those that changed without a word, and that the followed one is gone.

        A folder that does so again is one of which Linux tells nothing: other machines write into it.
        """
        for path, folder in list(self._folders.items()):
            try:
                found = os.stat(path)
                same = (found.st_dev, found.st_ino) == folder.place
            except OSError:
                same = False
            if not same:
                if path == self.scope.top:
                    yield Change.GONE, path
                    return
                self._forget(path)
                continue
            silent = found.st_mtime_ns != folder.modified and not folder.heard
            if silent:
                yield Change.FOLDER, path
            if folder.heard:
                folder.silences = 0
            elif silent and folder.modified != -1:
                folder.silences += 1
                if folder.silences == DEAF:
                    self._leave(folder)
            folder.heard = False
            folder.look(found, now)

    def forget(self) -> None:
        """Leave all folders."""
        for path in list(self._folders):
            self._forget(path)

    def _change(self, mask: int, path: str) -> Iterator[tuple[Change, str]]:
        if mask & inotify.IS_DIR:
            if mask & inotify.MOVED_FROM:
                for folder in [each for each in self._folders if each == path or each.startswith(f"{path}/")]:
                    self._forget(folder)
            elif mask & (inotify.CREATE | inotify.MOVED_TO) and self.scope.enters(path):
                yield Change.FOLDER, path
        elif self.scope.wants(path):
            if mask & inotify.MOVED_FROM:
                yield Change.LEFT, path
            elif mask & _WRITTEN or (mask & inotify.CREATE and _is_complete(path)):
                yield Change.WRITTEN, path
            else:
                yield Change.TOUCHED, path

    def _forget(self, path: str) -> None:
        folder = self._folders.pop(path, None)
        if folder:
            self._leave(folder)

    def _leave(self, folder: _Folder) -> None:
        if folder.watch is not None and self._inotify:
            self._paths.pop(folder.watch, None)
            self._inotify.leave(folder.watch)
            folder.watch = None

    def _tell(self, problems: Problems) -> None:
        for path, reason in problems:
            if reason != _VANISHED:
                self._trouble.tell(path, f"{path}: {reason}")
        problems.clear()


class _Walk(Walk):
    """A walk that keeps to a scope and watches what it enters; `known` are folders to leave out."""

    def __init__(self, tree: Tree, window: Window, problems: Problems, now: float, known: set[str]) -> None:
        super().__init__(window, problems)
        self._tree, self._now, self._known = tree, now, known

    def enters(self, path: str) -> bool:
        """Watch what is in the scope."""
        if path in self._known or not self._tree.scope.enters(path):
            return False
        self._tree.enter(path, self._now)
        return True

    def wants(self, path: str) -> bool:
        """Keep to the scope."""
        return self._tree.scope.wants(path) and super().wants(path)

    def shows(self, path: str) -> bool:
        """Show what the pattern has a dot for."""
        return self._tree.scope.shows(path)

    def meets(self, real: str, top: str, real_top: str) -> bool:
        """Expect nothing of what is outside of the scope."""
        scope = self._tree.scope
        if not scope.parts:
            return super().meets(real, top, real_top)
        path = f"{top.rstrip('/')}{real.removeprefix(real_top.rstrip('/'))}"
        counts = scope.enters(path) if os.path.isdir(real) else scope.wants(path)
        return counts and super().meets(real, top, real_top)


def _is_complete(path: str) -> bool:
    """Whether an entry that was made is a link, which no writer closes."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(found.st_mode) or found.st_nlink > 1
