"""The bytes of a test file in; the alarms or the template it is about, and its tests, out. Source: DESIGN "Template tests"."""

from typing import NamedTuple

from rolewatch.templates.collector import ALARM, COMPOSITE, LOG_ALARM, Collector
from rolewatch.templates.definitions import Metric, Place, Template
from rolewatch.templates.document import Document, read_document
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.fields import Fields, Identity, Scope, given
from rolewatch.templates.nodes import Mapping, Node, Scalar
from rolewatch.templates.structure import Structure
from rolewatch.templates.trial_values import interval, is_date, moment, seconds, series
from rolewatch.templates.units import UNITS

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
EVERY, ASKED = "every", "asked"
MINUTE = 60
MOST_VALUES = 5_000_000  # of all series of a file
_KINDS = (("AlarmRule", COMPOSITE), ("ScheduledQueryConfiguration", LOG_ALARM))
_FILE = ("template", "parameters", "alarms", "tests")
_TEST = ("name", "interval", "metrics", "records", "initial_state", "evaluate", "expect")
_METRIC = ("namespace", "name", "dimensions", "unit", "values")
_EXPECT = ("alarm", "at", "state")


class Written(NamedTuple):
    """A text, and where it stands."""

    text: str
    place: Place


class TrialMetric(NamedTuple):
    """A metric's values, one for each interval from the start; None is a missing datapoint."""

    metric: Metric
    unit: str | None
    values: list[float | None]
    place: Place


class Expectation(NamedTuple):
    """A state that an alarm has to be in: `offset` seconds after the start, or at `time` (epoch seconds); the other is None."""

    alarm: str
    offset: int | None
    time: int | None
    state: str
    place: Place


class Trial(NamedTuple):
    """A test: metrics with values each `interval` seconds, or records (paths relative to the test file), and what to expect.

    `initial_state` has the states that alarms begin with, by name or logical id. `every` says whether alarms are
    evaluated after each interval; else only at the times of the expectations.
    """

    name: str
    interval: int
    metrics: tuple[TrialMetric, ...]
    records: tuple[Written, ...]
    initial_state: dict[Written, str]
    every: bool
    expect: tuple[Expectation, ...]
    place: Place


class WrongTrial(NamedTuple):
    """A test that makes no sense: what it is called (`tests[0]` without a name), and why."""

    name: str
    place: Place
    error: TemplateError


class Trials(NamedTuple):
    """A test file: the path of its template relative to it, or None; its own alarms; and the tests."""

    template: Written | None
    parameters: dict[str, str]
    alarms: Template
    tests: tuple[Trial | WrongTrial, ...]


def read_trials(content: bytes, name: str) -> Trials:
    """Read a test file; TemplateError with line, column and remedy for what makes the whole of it useless.

    What is wrong with one of its alarms is among the notices of `alarms`, what is wrong with a test stands in its place;
    whether the alarms that it names exist is not looked at (see `trial_names`).
    """
    return _Reader(read_document(content, name)).trials()


class _Reader:
    """Reads one file."""

    def __init__(self, document: Document) -> None:
        self._source = document.source
        self._root = document.root
        self._structure = Structure(document.source)
        self._values = 0

    def trials(self) -> Trials:
        """Read the whole file."""
        root, error = self._root, self._source.error
        self._structure.check_keys(root, _FILE, "")
        written = [root.entries[name].key.start for name in ("template", "alarms") if name in root.entries]
        if len(written) != 1:
            what = "both template and alarms" if written else "neither template nor alarms"
            raise error(f"there are {what}", max(written, default=root.start), remedy="write one of them")
        template = root.get("template")
        alarms = self._alarms()
        tests = self._structure.required(root, "tests", "")
        found = [
            self._test_or_error(item, f"tests[{number}]")
            for number, item in enumerate(self._structure.items(tests, "tests"))
        ]
        if not found:
            raise error("there are no tests", tests.start, "tests", remedy="write at least one")
        path = None if template is None else self._written(template, "template")
        return Trials(path, self._parameters(), alarms, tuple(found))

    def _written(self, node: Node, path: str) -> Written:
        return Written(self._structure.text(node, path), self._source.place(node.start, path))

    def _parameters(self) -> dict[str, str]:
        node = self._root.get("parameters")
        if node is not None and "template" not in self._root.entries:
            raise self._source.error(
                "parameters are for a template", node.start, "parameters", remedy="write template: as well"
            )
        return self._structure.texts_by_name(node, "parameters")

    def _alarms(self) -> Template:
        """Read the file's own alarms; what has no effect is an error, too."""
        node = self._root.get("alarms")
        collector = Collector([])
        for number, item in enumerate(self._structure.items(node, "alarms") if node is not None else ()):
            path = f"alarms[{number}]"
            try:
                fields = Fields(Scope(self._source, given), self._structure.mapping(item, path), path)
                name = fields.required("AlarmName", longest=255)
                type_ = next((type_ for key, type_ in _KINDS if fields.has(key)), ALARM)
                collector.read(type_, fields, Identity(name, name, "", self._source.place(item.start, path)))
            except TemplateError as error:
                collector.notices.append(error.notice())
        template = collector.template()
        notices = (
            notice._replace(level="error")
            if notice.level == "unused" or notice.message.startswith("extraneous key")
            else notice
            for notice in template.notices
        )
        return template._replace(notices=tuple(notices))

    def _test_or_error(self, node: Node, path: str) -> Trial | WrongTrial:
        try:
            return self._test(node, path)
        except TemplateError as error:
            named = node.get("name") if isinstance(node, Mapping) else None
            name = named.text.strip() if isinstance(named, Scalar) else ""
            return WrongTrial(name or path, self._source.place(node.start, path), error)

    def _test(self, node: Node, path: str) -> Trial:
        test = self._structure.mapping(node, path)
        self._structure.check_keys(test, _TEST, path)
        metrics, records, length = test.get("metrics"), test.get("records"), test.get("interval")
        if metrics is not None and records is not None:
            text = "a test has either metrics or records"
            raise self._source.error(
                text, test.entries["records"].key.start, f"{path}.records", remedy="make two tests of it"
            )
        if records is not None and length is not None:
            text = "interval belongs to metrics; records have times of their own"
            raise self._source.error(
                text, test.entries["interval"].key.start, f"{path}.interval", remedy="remove it"
            )
        expected = self._structure.required(test, "expect", path)
        expect = [
            self._expectation(item, f"{path}.expect[{number}]", dated=records is not None)
            for number, item in enumerate(self._structure.items(expected, f"{path}.expect"))
        ]
        if not expect:
            raise self._source.error(
                "the test expects nothing", expected.start, f"{path}.expect", remedy="write what has to hold"
            )
        return Trial(
            self._structure.text(self._structure.required(test, "name", path), f"{path}.name"),
            MINUTE if length is None else self._structure.word(length, f"{path}.interval", interval),
            self._metrics(metrics, f"{path}.metrics"),
            tuple(
                self._written(item, f"{path}.records[{number}]")
                for number, item in enumerate(self._structure.items(records, f"{path}.records"))
            )
            if records is not None
            else (),
            self._states(test.get("initial_state"), f"{path}.initial_state"),
            self._structure.choice(test.get("evaluate"), f"{path}.evaluate", (EVERY, ASKED)) != ASKED,
            tuple(expect),
            self._source.place(test.start, path),
        )

    def _metrics(self, node: Node | None, path: str) -> tuple[TrialMetric, ...]:
        found: dict[Metric, TrialMetric] = {}
        for number, item in enumerate(self._structure.items(node, path) if node is not None else ()):
            own = f"{path}[{number}]"
            metric = self._metric(item, own)
            if metric.metric in found:
                text = "this metric is there already"
                raise self._source.error(text, item.start, own, remedy="write all its values in one text")
            found[metric.metric] = metric
        return tuple(found.values())

    def _metric(self, node: Node, path: str) -> TrialMetric:
        item = self._structure.mapping(node, path)
        self._structure.check_keys(item, _METRIC, path)
        namespace, name = (
            self._written(self._structure.required(item, key, path), f"{path}.{key}")
            for key in ("namespace", "name")
        )
        dimensions = self._structure.texts_by_name(item.get("dimensions"), f"{path}.dimensions")
        values = self._structure.word(
            self._structure.required(item, "values", path), f"{path}.values", series
        )
        self._values += len(values)
        if self._values > MOST_VALUES:
            raise self._source.error(
                f"more than {MOST_VALUES:,} values in this file", node.start, path, remedy="split the file"
            )
        unit = self._structure.choice(item.get("unit"), f"{path}.unit", UNITS)
        metric = Metric(namespace.text, name.text, tuple(sorted(dimensions.items())))
        return TrialMetric(metric, unit, values, name.place)

    def _states(self, node: Node | None, path: str) -> dict[Written, str]:
        mapping = Mapping({}, 0) if node is None else self._structure.mapping(node, path)
        return {
            Written(name, self._source.place(entry.key.start, f"{path}.{name}")): self._state(
                entry.value, f"{path}.{name}"
            )
            for name, entry in mapping.entries.items()
        }

    def _state(self, node: Node, path: str) -> str:
        return self._structure.choice(node, path, STATES) or ""

    def _expectation(self, node: Node, path: str, *, dated: bool) -> Expectation:
        item = self._structure.mapping(node, path)
        self._structure.check_keys(item, _EXPECT, path)
        alarm, at, state = (self._structure.required(item, key, path) for key in _EXPECT)
        offset: int | None = None
        time: int | None = None
        if isinstance(at, Scalar) and is_date(at.text):
            if not dated:
                text = "a test without records has no dates"
                raise self._source.error(
                    text, at.start, f"{path}.at", remedy="write how long after the start, as in 5m"
                )
            time = self._structure.word(at, f"{path}.at", moment)
        else:
            offset = self._structure.word(at, f"{path}.at", seconds)
        return Expectation(
            self._structure.text(alarm, f"{path}.alarm"),
            offset,
            time,
            self._state(state, f"{path}.state"),
            self._source.place(item.start, path),
        )
