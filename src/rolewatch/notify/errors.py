"""What happened when a notification could not be sent, and whether trying again may help."""

from rolewatch.base.errors import CannotDo


class SendError(CannotDo):
    """A target did not take a notification.

    `passing`: trying again may help, because the target was not reached, is busy or failed itself. `retry_after`: the
    seconds that it asks to wait for, None if it does not say. Neither message nor remedy holds a secret.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        passing: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.passing = passing
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (self.message, self.remedy, self.passing, self.retry_after)


def _remade(message: str, remedy: str | None, passing: bool, retry_after: float | None) -> SendError:  # noqa: FBT001 - as __reduce__ gives them
    return SendError(message, remedy=remedy, passing=passing, retry_after=retry_after)
