"""A test of alarms in; the expectations that do not hold, each with what was found instead, out (DESIGN "Template tests")."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from rolewatch.alarms.composite import ARN_PREFIX
from rolewatch.alarms.evaluate import replay as evaluate
from rolewatch.alarms.history import CREATED, AnyAlarm, History, State
from rolewatch.base.errors import SourceError
from rolewatch.metrics.series import series_of
from rolewatch.scan.replay import replay
from rolewatch.scan.replayed import UNIT, Ask, Asking, Logged, Metrics
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import deliveries_of
from rolewatch.templates.definitions import Notice, Template
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.trial_names import Known
from rolewatch.templates.trials import Expectation, Trial, Written

#: When the values of a test begin; any full day will do, and the same one makes a test tell the same each time.
EPOCH: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
MINUTE: Final = 60
LATEST: Final = datetime(
    2100, 1, 1, tzinfo=UTC
)  # of a record in a test, which tells the same whenever it runs


class Failure(NamedTuple):
    """An expectation that does not hold: at `time` (epoch seconds) the alarm was in the state `actual`, and why.

    An alarm that cannot be evaluated is in no state.
    """

    expected: Expectation
    time: int
    actual: State | None
    reason: str


class Verdict(NamedTuple):
    """What a test came to: expectations that do not hold, or errors on account of which it was not run."""

    failures: Sequence[Failure] = ()
    errors: Sequence[TemplateError] = ()


class _Given(NamedTuple):
    """What a test begins with: datapoints from `start` to `end` (epoch seconds), and what the queries of log alarms gave."""

    metrics: Metrics
    start: int
    end: int
    logs: Mapping[str, Logged]
    unreadable: tuple[tuple[str, str], ...] = ()


class Runner:
    """Runs the tests of one file against the alarms that it is about; records are found beside it, and read once.

    `errors` are told by alarms that cannot be evaluated, whether or not a test needs them. `unreadable` has, after the tests,
    the deliveries that could not be read, each with the reason.
    """

    def __init__(
        self, template: Template, folder: Path, request: ScanRequest, ask: Ask | None = None
    ) -> None:
        """Take what is tested; `ask` runs the queries of log alarms, if there are any."""
        self._template = template
        self._folder = folder
        self._request = request
        self._read: dict[tuple[str, ...], _Given] = {}
        every: Iterable[AnyAlarm] = chain(template.alarms, template.log_alarms, template.composites)
        self._names = {name: alarm.name for alarm in every for name in (alarm.logical_id, alarm.name)}
        self._known = Known(template)
        self._ask = ask
        self._unasked, unanswered = self._asked(())
        _, notices = evaluate(
            template.alarms, template.composites, {},
            start=EPOCH, end=EPOCH, log_alarms=template.log_alarms,
            results={name: logged.results for name, logged in self._unasked.items()},
        )  # fmt: skip
        self.errors = [notice for notice in (*unanswered, *notices) if notice.level == "error"]
        self._broken = self._without_history()

    @property
    def unreadable(self) -> list[tuple[str, str]]:
        """The deliveries that could not be read."""
        return [each for given in self._read.values() for each in given.unreadable]

    def run(self, trial: Trial) -> Verdict:
        """Run one test, unless it names what is not there."""
        errors = list(self._known.wrong(trial))
        if errors:
            return Verdict(errors=errors)
        try:
            given = self._records(trial.records) if trial.records else self._values(trial)
        except TemplateError as error:
            return Verdict(errors=[error])
        times = [_time(expected, given.start) for expected in trial.expect]
        wanted = {self._names[each.alarm] for each in trial.expect if each.alarm not in self._broken}
        histories = self._histories(trial, given, times, wanted)
        failures = []
        for expected, time in zip(trial.expect, times, strict=True):
            broken = self._broken.get(expected.alarm)
            if broken is not None:
                failures.append(Failure(expected, time, None, f"{broken.place}: {broken.message}"))
                continue
            actual, reason = _state_at(histories[self._names[expected.alarm]], time)
            if actual != expected.state:
                failures.append(Failure(expected, time, actual, reason))
        return Verdict(failures)

    def _without_history(self) -> dict[str, Notice]:
        """Say by name and logical id what is wrong with alarms that AWS would refuse, and with those that cannot be evaluated."""
        found = {
            name: each.notice
            for each in self._template.left_out
            for name in (each.logical_id, each.name)
            if name not in self._names
        }
        told = {notice.message.partition(" cannot be evaluated: ")[0]: notice for notice in self.errors}
        return found | {name: told[own] for name, own in self._names.items() if own in told}

    def _histories(
        self, trial: Trial, given: _Given, times: Sequence[int], wanted: Collection[str]
    ) -> dict[str, History]:
        """Evaluate the alarms that are wanted; for a composite alarm, all of them."""
        composites = (
            self._template.composites
            if any(each.name in wanted for each in self._template.composites)
            else ()
        )
        alarms = [each for each in self._template.alarms if composites or each.name in wanted]
        log_alarms = [each for each in self._template.log_alarms if composites or each.name in wanted]
        end = max(given.end, *times)
        asked: Sequence[int] | None = None
        if not trial.every:
            asked = sorted(set(times))
        elif not trial.records and trial.interval != MINUTE:
            asked = range(given.start + trial.interval, end + 1, trial.interval)
        initial = {
            self._names[name]: State(state)
            for (name, _), state in trial.initial_state.items()
            if name in self._names
        }
        histories, _ = evaluate(
            alarms, composites, given.metrics,
            start=given.start, end=end, initial=initial, asked=asked,
            arn_prefix=self._template.arn_prefix or ARN_PREFIX, detectors=self._template.anomaly_detectors,
            log_alarms=log_alarms, results={name: logged.results for name, logged in given.logs.items()},
        )  # fmt: skip
        return {history.alarm.name: history for history in histories}

    def _records(self, records: tuple[Written, ...]) -> _Given:
        """Let the template's metric filters count records; TemplateError for some that are not there."""
        names = tuple(name for name, _ in records)
        if names not in self._read:
            filters = Template(filters=self._template.filters)
            paths = [name if "://" in name else str(self._folder / name) for name in names]
            for path, (_, place) in zip(paths, records, strict=True):
                try:
                    deliveries_of([path], self._request.window, [])
                except SourceError as error:
                    raise TemplateError(error.message, place, remedy=error.remedy) from None
            begin = datetime.fromtimestamp(EPOCH, UTC)
            found = replay(paths, filters, self._request, delay=0, now=begin, latest=LATEST)
            for notice in found.notices:
                if notice.level == "error":
                    raise TemplateError(notice.message, notice.place)
            logs, _ = self._asked(paths)
            self._read[names] = _Given(found.metrics, found.start, found.end, logs, found.unreadable)
        return self._read[names]

    def _asked(self, sources: Sequence[str]) -> tuple[Mapping[str, Logged], Sequence[Notice]]:
        """Run the queries of log alarms over records; what is wrong with one is told."""
        if self._ask is None or not self._template.log_alarms:
            return {}, ()
        answered = self._ask(self._template.log_alarms, Asking(sources, self._request, 0, LATEST))
        return answered.logs, answered.notices

    def _values(self, trial: Trial) -> _Given:
        """Make datapoints of a test's values; there are no records then."""
        metrics, length = _metrics(trial)
        return _Given(metrics, EPOCH, EPOCH + length, self._unasked)


def _metrics(trial: Trial) -> tuple[Metrics, int]:
    """Make datapoints of values, one for each interval; and give the seconds that they take."""
    metrics = {
        each.metric: {
            each.unit or UNIT: series_of({
                EPOCH + number * trial.interval: {value: 1}
                for number, value in enumerate(each.values)
                if value is not None
            })
        }
        for each in trial.metrics
    }  # fmt: skip
    longest = max((len(each.values) for each in trial.metrics), default=0)
    return metrics, longest * trial.interval


def _time(expected: Expectation, start: int) -> int:
    """Return when an expectation has to hold, in epoch seconds."""
    return expected.time if expected.time is not None else start + (expected.offset or 0)


def _state_at(history: History, time: int) -> tuple[State, str]:
    """Return the state that an alarm was in at a time, and the reason."""
    changes = [change for change in history.transitions if change.time <= time]
    if changes:
        return changes[-1].after, changes[-1].reason
    created = history.initial is State.INSUFFICIENT_DATA
    return history.initial, CREATED if created else "it began in this state, and nothing has changed it"
