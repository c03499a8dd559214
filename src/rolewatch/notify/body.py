"""The body of machine formats as JSON, as large as a target takes: findings are shortened, then left out and counted."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification
from rolewatch.report.json_text import dumps


class _Measure(NamedTuple):
    """What a shortened finding keeps: items of each list, characters of each text."""

    items: int
    characters: int


#: The second is for findings of which not even one fits with the first.
_MEASURES: Final = (_Measure(20, 1000), _Measure(5, 100))
_KEYS: Final = 60  # of a table: a finding has about forty
#: No target takes more characters, so that nothing larger is written to find that out.
_LARGEST: Final = 16 * 1024 * 1024


def body(notification: Notification, fits: Callable[[str], bool]) -> str:
    """Write the body as JSON in ASCII so that it fits.

    What does not fit as it is has `"shortened": true`: each list of a finding has 20 items at most, each text 1,000
    characters. If that is still too much, the last findings are left out and counted in `left_out`; where none would be
    left, lists have 5 items and texts 100 characters. Raises SendError if nothing of it fits.
    """
    whole = notification.body()
    if _characters(whole) <= _LARGEST:
        written = dumps(whole)
        if fits(written):
            return written
    best = ""
    for measure in _MEASURES:
        number, written = _most(notification, whole, measure, fits)
        best = written or best
        if number or not notification.findings:
            break
    if not best:
        raise SendError(f"notification {notification.id} is larger than the target takes, whatever is left out of it")  # fmt: skip
    return best


def _most(
    notification: Notification, whole: dict[str, Any], measure: _Measure, fits: Callable[[str], bool]
) -> tuple[int, str]:
    """Find the most shortened findings that fit, and write them; "" if not even none do."""
    findings = [_shortened(finding, measure) for finding in notification.findings]
    # An alarm's message is for CloudWatch's readers: it is whole, or not there.
    rest = {name: value if name == "alarm" else _shortened(value, measure) for name, value in whole.items() if name != "findings"}  # fmt: skip
    fitting, beyond, best = -1, len(findings) + 1, ""
    while beyond - fitting > 1:
        number = (fitting + beyond) // 2
        left_out = notification.left_out + len(findings) - number
        written = dumps(rest | {"findings": findings[:number], "left_out": left_out, "shortened": True})
        if fits(written):
            fitting, best = number, written
        else:
            beyond = number
    return max(fitting, 0), best


def bytes_of(limit: int) -> Callable[[str], bool]:
    """Say of a text in ASCII whether it has so many bytes at most."""
    return lambda written: len(written) <= limit


def _characters(value: Any) -> int:
    """Count the characters of all texts: JSON has at least as many."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_characters, value)) + sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, (list, tuple)) else 0


def _shortened(value: Any, measure: _Measure) -> Any:
    if isinstance(value, str):
        most = measure.characters
        return value if len(value) <= most else f"{value[: most - 1]}…"
    if isinstance(value, (list, tuple)):
        return [_shortened(item, measure) for item in value[: measure.items]]
    if isinstance(value, dict):
        kept = list(value.items())[: max(measure.items, _KEYS)]
        return {_shortened(name, measure): _shortened(item, measure) for name, item in kept}
    return value
