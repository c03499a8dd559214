"""The expressions of an alarm in; something that computes its one time series from those of its metrics out.

What is wrong with an expression is found here, before anything is computed: every node has a kind, S (a number), TS (a
time series) or TS[] (several), as in the tables of the CloudWatch guide.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.expression import Array, Call, Node, Number, Text, Word, parse_expression
from rolewatch.alarms.functions import (
    ALONG,
    EACH,
    OPERATORS,
    REDUCTIONS,
    TIMES,
    Moment,
    Value,
    choose,
    constant,
    fill,
    fill_linear,
    fill_repeated,
    number,
    of_time,
    reduce,
)
from rolewatch.templates.definitions import MetricQuery

_FILLERS: Final = {"REPEAT": fill_repeated, "LINEAR": fill_linear}
_Result = Value | list[Value]


class Formula:
    """The expression that an alarm watches, with the expressions it refers to.

    `metrics` are the ids it needs. `along`: a period's value depends on other periods of the range, too. `timely`: it
    depends on the time of day or the date.
    """

    def __init__(self, queries: Sequence[MetricQuery], watched: str) -> None:
        self._queries = {query.id: query for query in queries}
        self._trees: dict[str, Node] = {}
        self._kinds: dict[str, str | None] = {}
        self.metrics: set[str] = set()
        self.along = False
        self.timely = False
        kind = self._kind_of(watched, None, 0)
        if kind != "TS":
            found = {"S": "a single number", "TS[]": "several time series"}[kind]
            text = self._queries[watched].expression
            raise AlarmError(f"an alarm watches one time series, and the expression gives {found}", text)

    def compute(self, watched: str, metrics: Mapping[str, Value], moment: Moment) -> Value:
        """Compute the series of an id from those of the metrics, all of the shape of `moment.ends`."""
        known: dict[str, _Result] = dict(metrics)
        result = self._value(Word(watched, 0), known, moment)
        assert isinstance(result, Value)  # noqa: S101 - its kind was checked
        return result

    def _kind_of(self, name: str, text: str | None, at: int) -> str:
        """Give the kind of what an id stands for, and check its expression first."""
        query = self._queries.get(name)
        if query is None:
            raise AlarmError(f"there is no metric or expression with the id {name}", text, at)
        if query.expression is None:
            self.metrics.add(name)
            return "TS"
        if name not in self._kinds:
            self._kinds[name] = None
            self._trees[name] = parse_expression(query.expression)
            self._kinds[name] = self._kind(self._trees[name], query.expression)
        kind = self._kinds[name]
        if kind is None:
            raise AlarmError(f"the expression {name} depends on itself", text, at)
        return kind

    def _kind(self, node: Node, text: str) -> str:
        match node:
            case Number():
                return "S"
            case Word(name, at):
                return self._kind_of(name, text, at)
            case Text(_, at):
                raise AlarmError("a text can be the argument of METRICS only", text, at)
            case Array(items, at):
                if not items or any(self._kind(item, text) == "S" for item in items):
                    raise AlarmError("an array holds time series", text, at)
                return "TS[]"
            case Call():
                return self._call_kind(node, text)

    def _call_kind(self, call: Call, text: str) -> str:
        name, arguments = call.name, call.arguments
        if name == "METRICS":
            return self._metrics_kind(call, text)
        if (
            name == "FILL"
            and len(arguments) == 2
            and isinstance(arguments[1], Word)
            and arguments[1].name in _FILLERS
        ):
            self.along = True
            return self._fitting(call, (self._kind(arguments[0], text), "S"), text)
        kinds = tuple(self._kind(argument, text) for argument in arguments)
        self.along |= name in ALONG or (name in REDUCTIONS and kinds == ("TS",))
        self.timely |= name in TIMES
        return self._fitting(call, kinds, text)

    def _metrics_kind(self, call: Call, text: str) -> str:
        if len(call.arguments) > 1 or not all(isinstance(argument, Text) for argument in call.arguments):
            raise AlarmError("METRICS takes a text or nothing", text, call.at)
        names = self._matching(call)
        if not names:
            raise AlarmError("METRICS finds no metric", text, call.at)
        self.metrics.update(names)
        return "TS[]"

    def _fitting(self, call: Call, kinds: tuple[str, ...], text: str) -> str:
        """Look up what a function makes of arguments of these kinds."""
        found = _RESULTS.get(call.name)
        if found is None:
            raise AlarmError(f"rolewatch does not know the function {call.name}", text, call.at)
        result = found.get(kinds)
        if result is None:
            wrong = ", ".join(kinds) or "nothing"
            right = " or ".join(", ".join(each) for each in found)
            raise AlarmError(f"{call.name} takes {right}, not {wrong}", text, call.at)
        if call.name == "PERIOD" and not self._is_metric(call.arguments[0]):
            raise AlarmError("PERIOD takes the id of a metric", text, call.at)
        return result

    def _is_metric(self, node: Node) -> bool:
        return isinstance(node, Word) and self._queries[node.name].expression is None

    def _matching(self, call: Call) -> list[str]:
        """Give the ids of the metrics that METRICS stands for."""
        part = call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Text) else ""
        return [query.id for query in self._queries.values() if query.expression is None and part in query.id]

    def _value(self, node: Node, known: dict[str, _Result], moment: Moment) -> _Result:
        match node:
            case Number(written):
                return number(written)
            case Word(name):
                if name not in known:
                    known[name] = self._value(self._trees[name], known, moment)
                return known[name]
            case Array(items):
                values = [self._value(item, known, moment) for item in items]
                return [each for value in values for each in (value if isinstance(value, list) else [value])]
            case Call("METRICS"):
                return [each for name in self._matching(node) if isinstance(each := known[name], Value)]
            case Call("FILL", (filled, Word(name))) if name in _FILLERS:
                filling = _FILLERS[name]
                value = self._value(filled, known, moment)
                return [filling(each) for each in value] if isinstance(value, list) else filling(value)
            case Call(name, arguments):
                return _call(name, [self._value(argument, known, moment) for argument in arguments], moment)
        raise AssertionError(node)


def _call(name: str, arguments: list[_Result], moment: Moment) -> _Result:
    """Apply a function or operator to values whose kinds fit."""
    first = arguments[0]
    if name in REDUCTIONS:
        return reduce(name, first, moment)
    if name in ("METRIC_COUNT", "FIRST", "LAST"):
        assert isinstance(first, list)  # noqa: S101 - their kinds were checked, here and below
        return number(len(first)) if name == "METRIC_COUNT" else first[0 if name == "FIRST" else -1]
    if name in TIMES:
        return of_time(name, moment)
    if name == "PERIOD":
        return number(moment.period)
    # What is left works on one series at a time: of an array, on each in turn.
    many = next((len(argument) for argument in arguments if isinstance(argument, list)), None)
    if many is None:
        return _plain(name, [argument for argument in arguments if isinstance(argument, Value)], moment)
    columns = [argument if isinstance(argument, list) else [argument] * many for argument in arguments]
    return [_plain(name, list(each), moment) for each in zip(*columns, strict=True)]


def _plain(name: str, values: list[Value], moment: Moment) -> Value:
    if name in OPERATORS:
        return OPERATORS[name](*values)
    if name == "IF":
        return choose(values[0], values[1], values[2] if len(values) > 2 else None)
    if name == "FILL":
        return fill(*values)
    if name == "TIME_SERIES":
        return constant(values[0], moment)
    return {**EACH, **ALONG}[name](values[0], moment)


_Signatures = dict[tuple[str, ...], str]


def _results() -> dict[str, _Signatures]:
    """Say for each function which kinds of arguments it takes, and the kind of its result."""
    one = ("S", "TS")
    pairs: _Signatures = {(a, b): "S" if a == b == "S" else "TS" for a in one for b in one}
    arrays: _Signatures = {pair: "TS[]" for kind in one for pair in ((kind, "TS[]"), ("TS[]", kind))}
    each: _Signatures = {(kind,): kind for kind in (*one, "TS[]")}
    choices: _Signatures = {
        (*pair, c): "S" if kind == c == "S" else "TS" for pair, kind in pairs.items() for c in one
    }
    series: _Signatures = {("TS",): "TS", ("TS[]",): "TS[]"}
    reduced: _Signatures = {("TS",): "S", ("TS[]",): "TS"}
    results: dict[str, _Signatures] = {name: {**pairs, **arrays} for name in ("+", "-", "*", "/", "^")}
    results |= {name: pairs for name in OPERATORS if name not in results}
    results |= dict.fromkeys(EACH, each)
    results |= dict.fromkeys(ALONG, series)
    results |= dict.fromkeys(REDUCTIONS, reduced)
    results |= {name: {("TS",): "TS"} for name in TIMES}
    return results | {
        "IF": {**pairs, **choices},
        "FILL": {(filled, filler): filled for filled in ("TS", "TS[]") for filler in one},
        "METRIC_COUNT": {("TS[]",): "S"},
        "FIRST": {("TS[]",): "TS"},
        "LAST": {("TS[]",): "TS"},
        "PERIOD": {("TS",): "S"},
        "TIME_SERIES": {("S",): "TS"},
    }


_RESULTS: Final = _results()
