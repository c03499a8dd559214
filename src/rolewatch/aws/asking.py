"""A request to AWS that fails, as an error that says which call it was, what had been done by then, and what to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo

_AGAIN: Final = "then run the same command again: it goes on where this one stopped"
_DENIED: Final = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized",
    "UnauthorizedOperation",
})  # fmt: skip
_THROTTLED: Final = frozenset({
    "LimitExceededException", "RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip


@contextmanager
def asking(action: str, doing: str, done: Sequence[str] = ()) -> Iterator[None]:
    """Turn an error of boto3 within it into CannotDo; `action` is the call's IAM action, `done` what was changed before."""
    try:
        yield
    except aws.errors() as error:
        raise refused(error, action, doing, done) from error


def refused(error: Exception, action: str, doing: str, done: Sequence[str] = ()) -> CannotDo:
    """Say that a call failed, what it was for, and what stands as it is now."""
    told = aws.cannot(error, f"could not {doing} ({action})")
    before = f"; done before that: {', '.join(done)}" if done else "; nothing was changed"
    remedy = told.remedy
    if is_denied(error):
        remedy = f"ask for {action}"
    elif aws.code_of(error) in _THROTTLED:
        remedy = "AWS is asked too often at the moment: wait a minute"
    return CannotDo(f"{told.message}{before}", remedy=f"{remedy}, {_AGAIN}" if remedy else _AGAIN)


def is_denied(error: Exception) -> bool:
    """Whether AWS refused a call for want of a permission."""
    return aws.code_of(error) in _DENIED
