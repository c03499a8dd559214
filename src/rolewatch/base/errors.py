"""Errors a user can do something about: what happened, what to do next, and how the command ends.

Exit statuses are DESIGN's ("Commands: the contract"): 2 for what was asked wrongly, 4 for what could not be done.
Input that cannot be read is none of these; it is listed in the report, and the work goes on.
"""

_BEFORE, _SHOWN = 60, 100  # characters of a long line shown before a place in it, and of all of it


class RolewatchError(Exception):
    """An error with a message that names the place, and a remedy (or None) that tells what to do next."""

    exit_code = 4

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return message and remedy in one line."""
        return f"{self.message} ({self.remedy})" if self.remedy else self.message

    def drawing(self) -> str:
        """Return what to show above the message, such as the text that is wrong with a caret below the place."""
        return ""

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (type(self), self.message, self.remedy)


class UsageError(RolewatchError):
    """What was typed (or stands in a file of settings or rules) does not make sense."""

    exit_code = 2


class SourceError(RolewatchError):
    """A SOURCE means nothing that exists."""

    exit_code = 2


class CannotDo(RolewatchError):  # noqa: N818 - reads as what it says
    """Understood, but impossible here and now: credentials, network, a locked state, a full disk, a missing extra."""


def marked(line: str, start: int, end: int) -> str:
    """Draw a line with carets below some of its characters, counted from 0, cut around them where it is long."""
    cut = max(0, start - _BEFORE)
    shown = line[cut : cut + _SHOWN].replace("\n", " ").replace("\t", " ")
    first = start - cut
    carets = min(max(1, end - start), max(1, len(shown) - first))
    return f"{shown}\n{' ' * first}{'^' * carets}"


def _remade(kind: type[RolewatchError], message: str, remedy: str | None) -> RolewatchError:
    return kind(message, remedy=remedy)
