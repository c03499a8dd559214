"""The units of CloudWatch's metrics. Source: the API's StandardUnit."""

_SIZES = (
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
)
_RATES = tuple(f"{size}/Second" for size in _SIZES)

UNITS = (
    "Seconds",
    "Microseconds",
    "Milliseconds",
    *_SIZES,
    "Percent",
    "Count",
    *_RATES,
    "Count/Second",
    "None",
)
