"""A pattern in, the paths it matches out, as a shell expands it."""
# ruff: noqa: PTH112, PTH118 - making a Path costs more than the look at the file system

import fnmatch
import os
import re
from collections.abc import Iterator

from rolewatch.sources.files import Problems

_MAGIC = re.compile(r"[*?[]")


def is_pattern(text: str) -> bool:
    """Whether a path holds a wildcard."""
    return bool(_MAGIC.search(text))


def expand(pattern: str, problems: Problems) -> Iterator[str]:
    """Yield the files and folders that match, folder by folder in the order of names.

    `*`, `?` and `[…]` do not cross a slash or match a leading dot; `**` as a whole segment stands for any number of
    folders, without following symbolic links. A path may come twice if there are several `**`.
    """
    parts = [part for part in pattern.split("/") if part]
    return _expand("/" if pattern.startswith("/") else "", parts, problems)


def _expand(base: str, parts: list[str], problems: Problems) -> Iterator[str]:
    if not parts:
        yield base or "."
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        if not rest:  # everything below: the folder itself, walked
            yield base or "."
            return
        for folder in _tree(base, problems):
            yield from _expand(folder, rest, problems)
        return
    if is_pattern(part):
        matches = re.compile(fnmatch.translate(part)).match
        names = [
            name for name in _names(base, problems) if matches(name) and (part[0] == "." or name[0] != ".")
        ]
    else:
        names = [part]
    for name in names:
        path = os.path.join(base, name)
        if os.path.isdir(path) if rest else os.path.lexists(path):
            yield from _expand(path, rest, problems)


def _names(folder: str, problems: Problems, *, folders: bool = False) -> list[str]:
    """Return the sorted names in a folder, or only those of its real folders without a leading dot."""
    names: list[str] = []
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                if not folders or (entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")):
                    names.append(entry.name)  # noqa: PERF401 - what was seen before an error is kept
    except OSError as error:
        problem = (folder or ".", error.strerror or str(error))
        if problem not in problems:  # `**` looks into a folder twice: for folders, and for what matches
            problems.append(problem)
    return sorted(names)


def _tree(base: str, problems: Problems) -> Iterator[str]:
    """Yield a folder and all folders below it, without recursion: they may nest as deep as paths can be long."""
    stack = [base]
    while stack:
        folder = stack.pop()
        yield folder
        stack += [os.path.join(folder, name) for name in reversed(_names(folder, problems, folders=True))]
