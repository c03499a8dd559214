"""Sends in tests, and lets go of what was opened for it."""

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.notify.target import target_of


def send(url, *notifications):
    """Send to the target of a URL, and let go of its connections."""
    target = target_of(url, environ={})
    try:
        for notification in notifications:
            target.send(notification)
    finally:
        for each in vars(target).values():
            if hasattr(each, "meta"):
                each.close()


def refused(url, what, environ=None, secret="s3cr3t"):  # noqa: S107 - made up
    """Check that a URL is refused: that it is said what is wrong, and what to do, without what is secret in it."""
    with pytest.raises(UsageError) as caught:
        target_of(url, environ={} if environ is None else environ)
    assert what in str(caught.value)
    assert caught.value.remedy
    assert secret not in str(caught.value)
