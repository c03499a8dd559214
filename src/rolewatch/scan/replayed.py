"""What a replay found: the datapoints of a template's metric filters, what its alarms did, and the records behind them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from rolewatch.alarms.history import History
from rolewatch.alarms.log_results import Attributes, LogResults
from rolewatch.metrics.series import Series
from rolewatch.scan.pool import Tell
from rolewatch.scan.request import ScanRequest
from rolewatch.templates.definitions import LogAlarm, Metric, Notice, Template

UNIT = "None"  # how CloudWatch spells that a metric has no unit

Metrics = Mapping[Metric, Mapping[str, Series]]  # of each metric, by unit


class Match(NamedTuple):
    """A record that a metric filter counted, as far as a reader needs it to find it again.

    `finding` is the id of the finding that it belongs to, None if it is no denial of a watched principal.
    """

    time: str
    event_id: str | None
    event_source: str | None
    event_name: str | None
    error_code: str | None
    principal: str | None  # the role's or user's ARN, or the service
    account: str | None
    finding: str | None


class Behind(NamedTuple):
    """What one metric filter made of the records of one minute.

    `findings` are the ids of all findings that the matching records belong to, in order; `examples` some of the records.
    """

    matched: int  # records that match the pattern
    defaults: int  # records that do not match, for each of which the default value was published
    findings: tuple[str, ...]
    examples: tuple[Match, ...]


class Named(NamedTuple):
    """A finding in a few words: `resource` cannot be reached by `service`."""

    service: str
    role_name: str | None
    account: str
    resource: str


class Logged(NamedTuple):
    """The results of a log alarm's query, and by minute (epoch seconds) the records that its first filters let through.

    `contributors` has those of each contributor, as far as a record tells whose it is.
    """

    results: LogResults
    behind: Mapping[int, Behind]
    contributors: Mapping[Attributes, Mapping[int, Behind]]


class Answered(NamedTuple):
    """What the queries of log alarms gave, by the alarm's name; one that cannot be run is among the notices instead."""

    logs: Mapping[str, Logged]
    findings: Mapping[str, Named]
    notices: tuple[Notice, ...]


class Asking(NamedTuple):
    """What the queries of log alarms are asked of: records that happened before `latest`, and arrived `delay` seconds later."""

    sources: Sequence[str]
    request: ScanRequest
    delay: int
    latest: datetime
    progress: Tell | None = None


#: Runs the queries of log alarms; the engine is in a room above.
Ask = Callable[[Sequence[LogAlarm], Asking], Answered]

_NO_LOGS: Final[Mapping[str, Logged]] = MappingProxyType({})


class Replayed(NamedTuple):
    """A whole replay, from `start` (epoch seconds; the first minute with a record) to `end` (when alarms had seen the last one).

    Without a minute in which a record lies there is no time in between, and nothing was replayed (`nothing`). `behind` has the filters by logical id, and of each the minutes (epoch seconds) in which it matched anything or published
    its default. `delay` in seconds is how much later than they happen events are seen by the alarms. `logs` has log alarms
    by name.
    """

    template: Template
    metrics: Metrics
    histories: tuple[History, ...]
    behind: Mapping[str, Mapping[int, Behind]]
    findings: Mapping[str, Named]
    notices: tuple[Notice, ...]
    start: int
    end: int
    delay: int
    totals: Mapping[str, int | float]
    skipped: tuple[tuple[str, str], ...]  # delivery, reason
    unreadable: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    logs: Mapping[str, Logged] = _NO_LOGS

    @property
    def nothing(self) -> bool:
        """Whether no record counted."""
        return self.start == self.end
