"""What makes it impossible to evaluate an alarm, and where in its expression or rule."""

from rolewatch.base.errors import UsageError


class AlarmError(UsageError):
    """An alarm that cannot be evaluated; `position` counts characters of `text`, its expression or rule, from 0."""

    def __init__(
        self, message: str, text: str | None = None, position: int = 0, *, remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        """Return message, place and remedy in one line."""
        if self.text is None:
            return super().__str__()
        shown = self.text if len(self.text) <= 100 else f"{self.text[:99]}…"
        return f"{super().__str__()}, at character {self.position + 1} of {shown!r}"

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (self.message, self.text, self.position, self.remedy)


def _remade(message: str, text: str | None, position: int, remedy: str | None) -> AlarmError:
    return AlarmError(message, text, position, remedy=remedy)
