"""JSON numbers as the service compares them: integers exactly, others as doubles, and as Java would write them.

Source: spec/filter-pattern.md §4 and §5.2 (recorded cases J, N and E).
"""

import math
from decimal import Decimal
from typing import NamedTuple


class JsonNumber(NamedTuple):
    """A number of a message, as it is written there."""

    text: str

    @property
    def is_integer(self) -> bool:
        """Whether it is written as an integer."""
        return not any(char in self.text for char in ".eE")


Numeric = JsonNumber | int  # an integer may come decoded; its text tells no more than its value


def value_of(number: Numeric) -> Decimal | None:
    """Give the value to compare with; None for one that no double can hold, which equals nothing.

    A double's value is that of the shortest text that reads back as the same double: 1e308 equals 1e308.
    """
    if isinstance(number, int):
        return Decimal(number)
    if number.is_integer:
        return Decimal(number.text)
    double = float(number.text)
    return None if math.isinf(double) else Decimal(repr(double))


def rendered(number: Numeric) -> str:
    """Write the number as the service sees it where it compares text: `1e3` is `1000.0`, `1e309` is `Infinity`."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer:
        return "0" if number.text == "-0" else number.text
    return java_double(float(number.text))


def may_be_number(word: str) -> bool:
    """Whether a text can be how a number is rendered: `"1"` equals 1."""
    return word[-1:].isdigit() or word.endswith("Infinity")


def java_double(double: float) -> str:
    """Write a double as Java's Double.toString does."""
    if math.isinf(double):
        return "Infinity" if double > 0 else "-Infinity"
    if double == 0:
        return "-0.0" if math.copysign(1, double) < 0 else "0.0"
    sign = "-" if double < 0 else ""
    _, digits, exponent = Decimal(repr(abs(double))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = len(digits) + int(exponent)  # digits before the decimal point
    if 1e-3 <= abs(double) < 1e7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{text}"
        whole = text[:point].ljust(point, "0")
        return f"{sign}{whole}.{text[point:] or '0'}"
    return f"{sign}{text[0]}.{text[1:] or '0'}E{point - 1}"
