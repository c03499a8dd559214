"""Texts in; numbers, whole numbers and truth values out, as CloudFormation takes them: `300` and `"300"` are the same."""

import math
import re

GREATEST = 2.0**360  # of a metric's value, and of its opposite: CloudWatch takes no others ("PutMetricData")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_WHOLE = re.compile(r"([+-]?[0-9]{1,18})(?:\.0*)?")
_TRUTHS = {"true": True, "false": False}


def number(text: str) -> float | None:
    """Read a finite number; None for anything else."""
    if len(text) > 400 or not _NUMBER.fullmatch(text.strip()):
        return None
    found = float(text)
    return found if math.isfinite(found) else None


def whole(text: str) -> int | None:
    """Read a whole number; None for anything else."""
    found = _WHOLE.fullmatch(text.strip())
    return int(found[1]) if found else None


def truth(text: str) -> bool | None:
    """Read `true` or `false` in any case; None for anything else."""
    return _TRUTHS.get(text.strip().lower())
