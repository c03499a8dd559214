"""The name of a statistic in; whether CloudWatch knows it out. Source: spec/alarm.md §1.

What a statistic is computed from is the business of `metrics/`; here a name is only told from a mistake.
"""

import re

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
SHOWN = "p90, tm90, tc90, ts90, wm90, IQM, PR(1:10), TC(10%:90%), TM(10%:90%), TS(10%:90%) or WM(10%:90%)"
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,10})?"
_PERCENTILE = re.compile(rf"(?:p|tm|tc|ts|wm)({_NUMBER})")
_PARTS = re.compile(rf"(?:TC|TM|TS|WM)\((?:({_NUMBER})%)?:(?:({_NUMBER})%)?\)")
_VALUES = re.compile(rf"(?:PR|TC|TM|TS|WM)\(({_NUMBER})?:({_NUMBER})?\)")


def is_extended(name: str) -> bool:
    """Whether a name is an extended statistic: `p99.9`, `tm90`, `IQM`, `PR(1:10)`, `TM(10%:90%)` and the like."""
    if name == "IQM":
        return True
    percentile = _PERCENTILE.fullmatch(name)
    if percentile:
        return float(percentile[1]) <= 100
    parts = _PARTS.fullmatch(name)
    found = parts or _VALUES.fullmatch(name)
    bounds = [float(bound) for bound in found.groups() if bound] if found else []
    if not bounds or (len(bounds) == 2 and bounds[0] >= bounds[1]):
        return False
    return not parts or bounds[-1] <= 100


def beyond_alarms(name: str) -> bool:
    """Whether a range of percentiles reaches beyond the 10 to 90 % that the API names for alarms."""
    found = _PARTS.fullmatch(name)
    return found is not None and any(not 10 <= float(bound) <= 90 for bound in found.groups() if bound)
