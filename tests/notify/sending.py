"""Sends in tests, and lets go of what was opened for it."""

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
