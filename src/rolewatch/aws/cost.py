"""A pipeline's parameters in; what it would cost in a month, line by line and with what was assumed, out.

Prices are those of `prices.json`: list prices of one Region on one date. The result is an estimate and says so.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

DAYS: Final = 30
EVENTS: Final = 100_000  # management events in a day, where nobody says how many
DATA: Final = 10_000  # data events in a day, where there are any and nobody says how many
BYTES: Final = 1_300  # of an event in a log group: the mean of 3,142 real records is 1,256
PACKED: Final = 0.12  # of its bytes that remain when they are stored (gzip on the same records: 0.10 to 0.16)
ROLES: Final = 5  # service-linked roles that are refused in a month, of which each is a metric
PUTS: Final = 288 * 8  # log files in a day: every five minutes, in eight Regions with something to record
CALLS: Final = 1_440 * 2  # calls of the function in a day
SECONDS: Final = 2.0  # of one call, with 1 GB of memory
_GB: Final = 1_000_000_000


class Line(NamedTuple):
    """One item: how much of what, at what price, and the product in dollars."""

    what: str
    amount: float
    unit: str
    price: float

    @property
    def dollars(self) -> float:
        """What it comes to in a month."""
        return self.amount * self.price


class Estimate(NamedTuple):
    """The lines, what was assumed, and what the estimate knows nothing of."""

    lines: tuple[Line, ...]
    assumptions: tuple[str, ...]

    @property
    def dollars(self) -> float:
        """All lines together."""
        return sum(line.dollars for line in self.lines)


def estimate(
    values: Mapping[str, str], *, events: int = EVENTS, data: int = DATA, copies: int = 0
) -> Estimate:
    """Estimate a month; `events` are management events in a day, `data` data events, `copies` the other trails that record the former."""
    made = []
    new_trail, watching = values["Trail"] == "new", values["Parts"] == "all"
    data = data if new_trail and values["DataEvents"] != "none" else 0
    month = events * DAYS
    size = (events + data) * DAYS * BYTES / _GB
    if data:
        made.append(_line("data events", data * DAYS, "trail-data"))
    if new_trail and copies:
        made.append(_line("a further copy of all management events", month, "trail-copy"))
    if new_trail:
        made.append(_line("log files, of the first month", size * PACKED, "s3-stored"))
        made.append(_line("writing log files", PUTS * DAYS, "s3-put"))
    if values["TrailKey"] == "new" and new_trail:
        made.append(_line("the key of the log files", 1, "kms-key"))
    if watching:
        made += _watching(values, size)
    return Estimate(tuple(made), tuple(_assumptions(values, events, data, copies)))


def _watching(values: Mapping[str, str], size: float) -> list[Line]:
    made = []
    new_group = not values["ExistingLogGroup"]
    if new_group:
        made.append(_line("events into the log group", size, "logs-ingested"))
        stored = size / DAYS * int(values["RetentionDays"]) * PACKED
        made.append(_line(f"events of {values['RetentionDays']} days in it", stored, "logs-stored"))
    if values["Key"] == "new":
        made.append(_line("the key of topic and log group", 1, "kms-key"))
    if values["Alarm"] == "log":
        windows = DAYS * 288 * 3  # every five minutes over fifteen
        made.append(_line("what the log alarm scans", size / (DAYS * 288) * windows, "logs-scanned"))
        made.append(_line("the alarm on silence", 1, "alarm-metric"))
    else:
        # An anomaly alarm is charged for the metric and both sides of its band.
        metrics = 3 if values["Alarm"] == "anomaly" else 1
        made.append(_line("the alarm on denials", metrics, "alarm-metric"))
        made.append(_line("the alarm on silence", 1, "alarm-metric"))
        made.append(_line("the composite alarm", 1, "composite-alarm"))
        made.append(_line("metrics: all denials, and those of each role", 1 + ROLES, "custom-metric"))
    if values["Dashboard"] == "yes":
        made.append(_line("the dashboard", 1, "dashboard"))
    if values["FunctionCode"] or values["FunctionImage"]:
        made.append(_line("calls of the function", CALLS * DAYS, "lambda-request"))
        made.append(_line("the function at work", CALLS * DAYS * SECONDS, "lambda-gb-second"))
    return made


def _assumptions(values: Mapping[str, str], events: int, data: int, copies: int) -> list[str]:
    found = [
        f"list prices of {prices()['region']} as of {prices()['as_of']}, without free tiers, discounts and tax",
        f"{events:,} management events a day (--events-per-day), of {BYTES:,} bytes each",
    ]
    if data:
        found.append(
            f"{data:,} data events a day (--data-events-per-day): how many there really are, only the trail tells; each is charged for"
        )
    if values["Trail"] == "new":
        found.append(
            f"{copies} other trail{'s record' if copies != 1 else ' records'} management events already: only the first copy is free"
            if copies
            else "no other trail records management events: the first copy is free"
        )
    if values["Parts"] == "all" and values["Alarm"] != "log":
        found.append(f"{ROLES} service-linked roles are refused in a month, of which each is a metric then")
    if values["Alarm"] == "log":
        found.append(
            "the log alarm itself is not in it: its price is not known here, only that of what it scans"
        )
    if values["FunctionCode"] or values["FunctionImage"]:
        found.append(
            f"{CALLS:,} calls of the function a day, of {SECONDS:g} seconds; its database or EFS is not in it"
        )
    return [
        *found,
        "SMS and what is paid to others for delivery are not in it; the first thousand e-mails of a month are free",
    ]


def _line(what: str, amount: float, name: str) -> Line:
    row: Mapping[str, Any] = prices()["prices"][name]
    return Line(what, amount, row["unit"], row["price"])


@cache
def prices() -> Mapping[str, Any]:
    """Give the price file."""
    content = resources.files("rolewatch.aws").joinpath("prices.json").read_bytes()
    found: Mapping[str, Any] = json.loads(content)
    return found
