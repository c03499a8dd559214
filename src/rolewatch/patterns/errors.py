"""What is wrong with a filter pattern, in the service's words, and where.

Texts: spec/filter-pattern.md §8 (`InvalidParameterException` of CloudWatch Logs); the place and the caret are ours.
"""

from rolewatch.base.errors import UsageError, marked

INVALID = "Invalid metric filter pattern"


class PatternError(UsageError):
    """A pattern that the service refuses; `position` counts characters of the pattern from 0."""

    def __init__(self, message: str, pattern: str, position: int, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.pattern = pattern
        self.position = position

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (self.message, self.pattern, self.position, self.remedy)

    def drawing(self) -> str:
        """Return the pattern with a caret below the place, cut where it is long."""
        return marked(self.pattern, self.position, self.position + 1)


def _remade(message: str, pattern: str, position: int, remedy: str | None) -> PatternError:
    return PatternError(message, pattern, position, remedy=remedy)
