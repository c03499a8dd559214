"""What AWS answered in; files of a folder out, as `explain/folder.py` reads them, each written whole or not at all."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from rolewatch.base.errors import CannotDo
from rolewatch.explain.folder import file_name

LONGEST: Final = 255  # bytes of a file's name, on every file system that people use
ORGANIZATION: Final = "organization.json"
ROLES: Final = "roles.json"  # what `rolewatch check --only-enabled` reads
_OF_ACCOUNT: Final = ".roles.json"


class TooLong(ValueError):  # noqa: N818 - reads as what it says
    """An ARN that no file can be named after."""


class Kept:
    """The folder; made if it is not there. Raises CannotDo where nothing can be written."""

    def __init__(self, path: str, *, max_age: timedelta, now: Callable[[], datetime]) -> None:
        self.path = Path(path)
        self._max_age, self._now = max_age, now
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot(error) from None

    def fresh(self, name: str) -> bool:
        """Whether a file is there that is not older than it may be."""
        with suppress(OSError):
            age = self._now().timestamp() - self._place(name).stat().st_mtime
            return age <= self._max_age.total_seconds()
        return False

    def read(self, name: str) -> Any:
        """Give what a file holds; None where there is none, or no JSON."""
        try:
            return json.loads(self._place(name).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, name: str, content: Any) -> None:
        """Write a file; CannotDo where that is in vain."""
        text = json.dumps(content, indent=1, ensure_ascii=False, default=_spelled) + "\n"
        beside = self._place(f".rolewatch-{uuid4().hex}")  # a name that no reader of the folder looks at
        try:
            try:
                beside.write_text(text, "utf-8")
                beside.replace(self._place(name))
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise self._cannot(error) from None

    def touch(self, name: str) -> None:
        """Mark a file as collected now."""
        with suppress(OSError):
            self._place(name).touch()

    def remove(self, name: str) -> bool:
        """Take a file away; whether it was there."""
        try:
            self._place(name).unlink()
        except OSError:
            return False
        return True

    def join_roles(self) -> None:
        """Write the service-linked roles of all accounts into one list."""
        found: list[Any] = []
        for place in sorted(self.path.glob(f"[0-9]*{_OF_ACCOUNT}")):
            listed = self.read(place.name)
            found += listed.get("Roles", []) if isinstance(listed, Mapping) else []
        if found:
            self.write(ROLES, {"Roles": found})

    def _place(self, name: str) -> Path:
        return self.path / name

    def _cannot(self, error: OSError) -> CannotDo:
        return CannotDo(
            f"cannot write into {self.path}: {error.strerror or error}",
            remedy="name another folder with --out, or check the space on the disk",
        )


def file_of(arn: str, *, end: str = "") -> str:
    """Name the file of an ARN: `ARN.json`, or `ARN.grants.json`; TooLong where no file may be called so."""
    name = file_name(arn).removesuffix(".json") + end + ".json"
    if len(os.fsencode(name)) > LONGEST:
        raise TooLong(
            f"a file named after it would have {len(os.fsencode(name))} characters, more than {LONGEST}"
        )
    return name


def roles_of(account: str) -> str:
    """Name the file with the service-linked roles of one account."""
    return f"{account}{_OF_ACCOUNT}"


def _spelled(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
