"""Which columns of a query's result a chart draws, and in bins of what length: told by its plan alone."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.plan import Aggregate, Apply, Column, Constant, Group, Plan, Type
from rolewatch.plan.stages import is_made

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BINS: Final = frozenset(("floor_time", "ceiling_time", "floor_months", "ceiling_months"))
#: Aggregates of which the values of several bins add up, and those that are 0 where there is no row.
_ADDITIVE: Final = frozenset(("count", "sum"))
_COUNTS: Final = frozenset(("count", "sum", "count_distinct"))
_UNITS: Final = {"count": "records", "count_distinct": "distinct values"}
_SPELLED: Final = frozenset(("min_text", "max_text", "earliest", "latest"))  # texts that may be numbers
_PERIODS: Final = (
    (604_800_000, "w"),
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1000, "s"),
    (1, "ms"),
)


class Bin(NamedTuple):
    """The length of the bins of time: so many milliseconds, or calendar months."""

    milliseconds: int
    months: int

    def number(self, time: int) -> int:
        """Give the number of a bin by its beginning."""
        if not self.months:
            return time // self.milliseconds
        moment = _EPOCH + timedelta(milliseconds=time)
        return (moment.year * 12 + moment.month - 1) // self.months

    def beginning(self, index: int) -> int:
        """Give the beginning of a bin by its number, in milliseconds since 1970; the calendar ends with year 9999."""
        if not self.months:
            return index * self.milliseconds
        year, month = divmod(index * self.months, 12)
        return (datetime(min(max(year, 1), 9999), month + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(
            milliseconds=1
        )

    def words(self, number: int = 1) -> str:
        """Say how long so many bins are."""
        if self.months:
            return f"{self.months * number} month{'s' if self.months * number > 1 else ''}"
        length = self.milliseconds * number
        return next(f"{length // unit}{name}" for unit, name in _PERIODS if not length % unit)


class Measure(NamedTuple):
    """A column of numbers, and what function of several rows they come from; "" if from arithmetic."""

    place: int
    name: str
    primitive: str

    @property
    def additive(self) -> bool:
        """Whether the values of bins side by side add up to that of one long bin."""
        return self.primitive in _ADDITIVE

    @property
    def empty(self) -> float | None:
        """What it is in a bin without a row."""
        return 0.0 if self.primitive in _COUNTS else None

    @property
    def unit(self) -> str:
        """What is counted, if anything."""
        return _UNITS.get(self.primitive, "")


class Shape(NamedTuple):
    """Which columns of a result are drawn: `time` is what bins are in, None if there are none."""

    time: int | None
    bin: Bin
    groups: tuple[int, ...]
    measures: tuple[Measure, ...]
    names: tuple[str, ...]


def shape_of(plan: Plan) -> Shape:
    """Tell what of a result is drawn; UsageError if nothing is."""
    group = next((step for step in reversed(plan.steps) if isinstance(step, Group)), None)
    names = tuple(terminal(shown.name) for shown in plan.shown)
    if group is None and any(is_made(shown.expression) for shown in plan.shown):
        return _of_stage(plan, names)
    if group is None:
        raise UsageError(
            "--chart draws what stats gives, and this query has none",
            remedy="end it with, for example, | stats count(*) by bin(1h)",
        )
    keys, aggregates = dict(group.keys), dict(group.aggregates)
    time, length, groups, measures = None, Bin(1, 0), [], []
    for place, shown in enumerate(plan.shown):
        number = shown.expression.number if isinstance(shown.expression, Column) else None
        key = keys.get(number) if number is not None else None
        if time is None and isinstance(key, Apply) and key.primitive in _BINS:
            time, length = place, _length(key)
        elif key is not None:
            groups.append(place)
        elif primitive := _drawn(
            shown.expression.type, aggregates.get(number) if number is not None else None
        ):
            measures.append(Measure(place, terminal(shown.name), primitive.removeprefix("=")))
    if not measures:
        raise UsageError(
            "--chart draws numbers, and this query gives none",
            remedy="write, for example, stats count(*) by …",
        )
    names = tuple(terminal(shown.name) for shown in plan.shown)
    return Shape(time, length, tuple(groups), tuple(measures), names)


def _of_stage(plan: Plan, names: tuple[str, ...]) -> Shape:
    """Draw the numbers that came through a stage as bars; all else names them."""
    numbers = [place for place, shown in enumerate(plan.shown) if shown.expression.type is Type.NUMBER]
    if not numbers:
        raise _no_number()
    groups = tuple(place for place in range(len(names)) if place not in numbers)
    return Shape(None, Bin(1, 0), groups, tuple(Measure(place, names[place], "") for place in numbers), names)


def _no_number() -> UsageError:
    return UsageError(
        "--chart draws numbers, and this query gives none", remedy="write, for example, stats count(*) by …"
    )


def _drawn(kind: Type, aggregate: Aggregate | None) -> str:
    """Say what a column's numbers come from; "" for a column that has none."""
    if aggregate is None:
        return "=" if kind is Type.NUMBER else ""
    return aggregate.primitive if kind is Type.NUMBER or aggregate.primitive in _SPELLED else ""


def _length(key: Apply) -> Bin:
    amount = key.arguments[1]
    number = int(amount.value or 1) if isinstance(amount, Constant) else 1
    return Bin(0, number) if key.primitive.endswith("months") else Bin(number, 0)
