"""A word typed for a file, a folder or a pattern in, the folder to watch and what counts in it out."""
# ruff: noqa: PTH112, PTH113, PTH118 - paths are strings here, as in files.py

import fnmatch
import os
from typing import NamedTuple

from rolewatch.base.errors import SourceError
from rolewatch.sources import globs

_EVERYTHING = "**"


class Scope(NamedTuple):
    """What is followed: below the folder `top`, the paths that match the pattern `parts`, and all below those.

    No parts mean everything in it. `file` is a file that was named itself, all that counts then. Names with a leading dot
    count only where a part begins with a dot itself, as for `globs.expand`.
    """

    top: str
    parts: tuple[str, ...]
    file: str | None = None

    def wants(self, path: str) -> bool:
        """Whether a file at this path below the top counts."""
        if self.file:
            return path == self.file
        return not self.parts or len(self.parts) in self._after(path)

    def enters(self, folder: str) -> bool:
        """Whether something below this folder can count."""
        if self.file:
            return folder == self.top
        return not self.parts or bool(self._after(folder))

    def shows(self, path: str) -> bool:
        """Whether a name with a leading dot counts at this path, or something below it can."""
        return path == self.file or (bool(self.parts) and bool(self._after(path)))

    def _after(self, path: str) -> set[int]:
        """Return how many of the parts a path can have matched, all ways of it."""
        states = self._skipped({0})
        if path == self.top:
            return states
        for name in path[len(self.top.rstrip("/")) + 1 :].split("/"):
            states = self._skipped({after for state in states for after in self._step(state, name)})
        return states

    def _step(self, state: int, name: str) -> tuple[int, ...]:
        hidden = name.startswith(".")
        if state == len(self.parts):
            return () if hidden else (state,)
        part = self.parts[state]
        if part == _EVERYTHING:
            last = state == len(self.parts) - 1
            return () if hidden else (state + 1,) if last else (state,)
        return (state + 1,) if fnmatch.fnmatchcase(name, part) and hidden <= part.startswith(".") else ()

    def _skipped(self, states: set[int]) -> set[int]:
        """Add what follows if `**` stands for no folder at all; at the end it stands for what is in one."""
        for state in list(states):
            after = state
            while after < len(self.parts) - 1 and self.parts[after] == _EVERYTHING:
                after += 1
                states.add(after)
        return states


def scope(word: str) -> Scope:
    """Read a word; raises SourceError for what does not exist, and for what cannot be followed."""
    if "\0" in word:
        raise SourceError(f"{word!r}: embedded null byte")
    if word and os.path.isdir(word):
        return Scope(word, ())
    if os.path.isfile(word):
        top, name = os.path.split(word)
        return Scope(top or ".", (), os.path.join(top or ".", name))
    if os.path.lexists(word):
        raise SourceError(
            f"{word}: neither a file nor a folder", remedy="a pipe can be followed as standard input: -"
        )
    if not globs.is_pattern(word):
        raise SourceError(
            f"{word}: no such file or folder",
            remedy="SOURCE is a file, a folder, a glob, -, s3://…, sqs://…, logs://… or lookup://"
            if "://" in word
            else None,
        )
    parts = [part for part in word.split("/") if part]
    fixed = next(number for number, part in enumerate(parts) if globs.is_pattern(part))
    top = ("/" if word.startswith("/") else "") + "/".join(parts[:fixed]) or "."
    if not os.path.isdir(top):
        raise SourceError(f"{word}: {top} is no folder")
    rest = tuple(part for part in parts[fixed:] if part != ".")
    if parts[-1] == ".":
        rest += (_EVERYTHING,)  # of what matches only folders
    if ".." in rest:
        raise SourceError(f"{word}: .. cannot be followed after a wildcard")
    return Scope(top, rest)
