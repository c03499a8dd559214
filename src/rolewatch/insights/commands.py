"""A query's commands, each with its own grammar (spec/insights-ql.md §3)."""

from collections.abc import Callable
from typing import Final, Literal, TypeVar, cast

from rolewatch.insights.expressions import Expressions
from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.scanner import Scanner
from rolewatch.insights.syntax import (
    Anomaly,
    Call,
    Column,
    Command,
    Dedup,
    Diff,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Join,
    Key,
    Limit,
    Lookup,
    ParseGlob,
    ParseRegex,
    PatternOf,
    Query,
    Sort,
    Source,
    Span,
    Stats,
    Text,
    Unmask,
    Unnest,
)
from rolewatch.patterns.regex import compiled

MOST_COMMANDS: Final = 100
MOST_ROWS: Final = 100_000  # of a `limit` (API reference)
CHOICES: Final = {"nameprefix": "namePrefix", "accountidentifiers": "accountIdentifiers", "class": "class"}
#: Commands of the newest documentation that nobody has recorded the behaviour of.
NOT_SUPPORTED: Final = frozenset((
    "accum", "addtotals", "appendcols", "autoregress", "cidrlookup", "countfrequent", "estimate", "expand",
    "filldown", "fillmissing", "logcompare", "outlier", "relevantfields", "sessionize",
))  # fmt: skip
T = TypeVar("T")


class Commands:
    """Reads commands with a scanner."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._expressions = Expressions(scanner, self._nested)
        self._start = 0
        self._within = False  # a query in parentheses
        self._readers: dict[str, Callable[[], Command]] = {
            "fields": lambda: Fields(self._columns(), self._span()),
            "display": lambda: Display(self._columns(), self._span()),
            "filter": self._filter,
            "where": self._filter,
            "filterindex": self._filter_index,
            "stats": self._stats,
            "sort": self._sort,
            "order": self._sort,
            "limit": lambda: self._limit(last=False),
            "head": lambda: self._limit(last=False),
            "tail": lambda: self._limit(last=True),
            "parse": self._parse,
            "dedup": lambda: Dedup(self._fields(), self._span()),
            "unnest": self._unnest,
            "pattern": lambda: PatternOf(self._expressions.one(), self._span()),
            "anomaly": lambda: Anomaly(self._span()),
            "diff": self._diff,
            "unmask": lambda: Unmask(self._fields(), self._span()),
            "lookup": self._lookup,
            "join": self._join,
            "source": self._source,
        }

    def several(self) -> tuple[Command, ...]:
        """Read commands with `|` between them."""
        scanner = self._scanner
        found = [self._one()]
        while scanner.sign("|"):
            if len(found) == MOST_COMMANDS:
                raise scanner.error(
                    f"a query has at most {MOST_COMMANDS} commands", scanner.at, len(scanner.query)
                )
            start = scanner.at
            found.append(self._one())
            if isinstance(found[-1], Source):
                raise scanner.error("SOURCE comes first", start, scanner.behind)
        return tuple(found)

    def _nested(self) -> Query:
        """Read a query in parentheses."""
        scanner, around, start = self._scanner, self._start, self._scanner.at
        self._sign("(")
        if self._within:
            raise scanner.error("a query within a query cannot hold another one", start, start + 1)
        self._within = True
        commands = self.several()
        self._sign(")")
        self._within, self._start = False, around
        return Query(commands, scanner.query)

    def _one(self) -> Command:
        scanner = self._scanner
        self._start = scanner.at
        word = scanner.name()
        if word is None:
            raise scanner.unexpected("a command")
        read = self._readers.get(word.lower())
        if read:
            return read()
        if word.lower() in NOT_SUPPORTED:
            raise scanner.error(f"the command {word!r} is not supported", self._start, scanner.behind)
        raise scanner.unknown("command", word, self._readers, self._start, remedy=f"commands are {', '.join(self._readers)}")  # fmt: skip

    def _span(self) -> Span:
        return self._scanner.span(self._start)

    def _need(self, word: str) -> None:
        if not self._scanner.keyword(word):
            raise self._scanner.unexpected(f"'{word}'")

    def _name(self) -> str:
        """Read a name that is given to something."""
        return self._expressions.field().name

    def _several(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self._scanner.sign(","):
            found.append(read())
        return tuple(found)

    def _fields(self) -> tuple[Field, ...]:
        return self._several(self._expressions.field)

    def _columns(self) -> tuple[Column, ...]:
        return self._several(self._column)

    def _column(self) -> Column:
        scanner, start = self._scanner, self._scanner.at
        expression = self._expressions.one()
        written = scanner.query[start : scanner.behind]
        if scanner.keyword("as"):
            return Column(self._name(), expression, named=True)
        return Column(expression.name if isinstance(expression, Field) else written, expression, named=False)

    def _filter(self) -> Filter:
        return Filter(self._expressions.one(), self._span())

    def _filter_index(self) -> Filter:
        """Read `field = value` or `field in [values]`: here nothing is indexed, and it is a filter like others."""
        scanner, start = self._scanner, self._scanner.at
        condition = self._expressions.one()
        if not isinstance(condition, Call) or condition.name not in ("=", "in") or not isinstance(condition.arguments[0], Field):  # fmt: skip
            raise scanner.error("filterIndex takes a field, = or in, and values", start, scanner.behind)
        return Filter(condition, self._span())

    def _stats(self) -> Stats:
        scanner = self._scanner
        aggregates = self._columns()
        groups = self._columns() if scanner.keyword("by") else ()
        offset = self._expressions.period() if scanner.keyword("offset") else None
        if not any(holds_aggregate(column.expression) for column in aggregates):
            raise scanner.error(
                "stats takes functions of several rows", self._start, scanner.behind,
                remedy=f"they are {', '.join(sorted(AGGREGATES))}",
            )  # fmt: skip
        return Stats(aggregates, groups, offset, self._span())

    def _sort(self) -> Sort:
        self._scanner.keyword("by")
        return Sort(self._several(self._key), self._span())

    def _key(self) -> Key:
        expression = self._expressions.one()
        return Key(expression, self._scanner.keyword("asc", "desc") == "desc")

    def _limit(self, *, last: bool) -> Limit:
        scanner = self._scanner
        first = scanner.keyword("any") is not None
        start, digits = scanner.at, scanner.number() or ""
        if not digits.isdigit() or not 1 <= int(digits[:10]) <= MOST_ROWS:
            end = max(scanner.behind, start + 1)
            raise scanner.error(f"a limit is a whole number from 1 to {MOST_ROWS:,}", start, end)
        return Limit(int(digits), last, first, self._span())

    def _parse(self) -> ParseGlob | ParseRegex:
        scanner = self._scanner
        source: Expression = Field(("@message",), Span(scanner.at, scanner.at))
        if scanner.next not in ("'", '"', "/"):
            source = self._expressions.field()
        glob, regex = scanner.text(), None if scanner.next != "/" else scanner.regex()
        if regex:
            multi = None
            if scanner.keyword("as"):
                multi = self._name()
                self._need("multi")
            return self._checked(ParseRegex(source, regex, group_names(regex.source), multi, self._span()))
        if glob is None:
            raise scanner.unexpected("a quoted text with * in it, or a /regular expression/")
        self._need("as")
        names = self._several(self._name)
        texts = tuple(glob.value.split("*"))
        if len(names) != len(texts) - 1:
            stars, given = len(texts) - 1, len(names)
            raise scanner.error(f"there are {stars} * in the text and {given} names for them", *glob.span)
        return ParseGlob(source, texts, names, self._span())

    def _checked(self, parse: ParseRegex) -> ParseRegex:
        if not parse.names and parse.multi is None:
            raise self._scanner.error(
                "the regular expression names no field", *parse.regex.span, remedy="write (?<name>…) around what to take"
            )  # fmt: skip
        return parse

    def _unnest(self) -> Unnest:
        field = self._expressions.field()
        self._need("into")
        return Unnest(field, self._name(), self._span())

    def _diff(self) -> Diff:
        found = self._scanner.keyword("previousday", "previousweek", "previousmonth") or "previous"
        return Diff(cast('Literal["previous", "previousday", "previousweek", "previousmonth"]', found), self._span())  # fmt: skip

    def _lookup(self) -> Lookup:
        table = self._name()
        keys = self._several(self._lookup_key)
        how = self._scanner.keyword("output", "outputnew")
        if how is None:
            raise self._scanner.unexpected("OUTPUT or OUTPUTNEW")
        return Lookup(table, keys, how == "output", self._several(self._name), self._span())

    def _lookup_key(self) -> tuple[str, Field]:
        field = self._expressions.field()
        return field.name, self._expressions.field() if self._scanner.keyword("as") else field

    def _join(self) -> Join:
        scanner, start = self._scanner, self._start
        found: dict[str, str] = {}
        while option := scanner.keyword("type", "left", "right"):
            self._sign("=")
            if option in found:
                raise scanner.error(f"{option}= stands there twice", start, scanner.behind)
            at, found[option] = scanner.at, self._name()
            if option == "type" and found[option].lower() not in ("inner", "left"):
                raise scanner.error("a join is of type inner or left", at, scanner.behind)
        if "left" not in found or "right" not in found or found["left"] == found["right"]:
            raise scanner.error("join needs two names, for the rows here and those of the other query", start, scanner.behind, remedy="write left=a right=b")  # fmt: skip
        left, right = found["left"], found["right"]
        self._need("where")
        keys = [self._key_pair(left, right)]
        while scanner.keyword("and"):
            keys.append(self._key_pair(left, right))
        query = self._nested()
        return Join(
            found.get("type", "inner").lower() == "inner",
            left,
            right,
            tuple(keys),
            query,
            scanner.span(start),
        )

    def _key_pair(self, left: str, right: str) -> tuple[Field, Field]:
        """Read what is equal in rows that go together: `a.field = b.field`, in whatever order."""
        scanner, start = self._scanner, self._scanner.at
        one = self._expressions.field()
        self._sign("=")
        pair = {each.steps[0]: each for each in (one, self._expressions.field()) if len(each.steps) > 1}
        if pair.keys() != {left, right}:
            raise scanner.error(f"a join compares a field of {left} with one of {right}", start, scanner.behind, remedy=f"write {left}.field = {right}.field")  # fmt: skip
        here, there = (pair[name]._replace(steps=pair[name].steps[1:]) for name in (left, right))
        return here, there

    def _source(self) -> Source:
        scanner = self._scanner
        data: tuple[str, ...] | None = None
        groups: tuple[tuple[str, tuple[str, ...]], ...] | None = None
        if scanner.keyword("datasource"):
            self._sign("(")
            data = self._texts()
            self._sign(")")
        if scanner.keyword("loggroups"):
            self._sign("(")
            groups = () if scanner.next == ")" else self._several(self._choice)
            self._sign(")")
        if scanner.next in ("'", '"') and data is None and groups is None:
            groups = (("names", self._several(self._text)),)
        if data is None and groups is None:
            raise scanner.unexpected("a log group's quoted name, logGroups(…) or dataSource(…)")
        return Source(groups, data, self._span())

    def _choice(self) -> tuple[str, tuple[str, ...]]:
        scanner, start = self._scanner, self._scanner.at
        word = scanner.name() or ""
        if word.lower() not in CHOICES:
            raise scanner.unknown("way to choose log groups", word, CHOICES.values(), start)
        self._sign(":")
        return CHOICES[word.lower()], self._texts()

    def _texts(self) -> tuple[str, ...]:
        found = self._expressions.literals()
        for item in found.items:
            if not isinstance(item, Text):
                raise self._scanner.error("these are quoted texts", *item.span)
        return tuple(item.value for item in found.items if isinstance(item, Text))

    def _text(self) -> str:
        found = self._scanner.text()
        if found is None:
            raise self._scanner.unexpected("a quoted text")
        return found.value

    def _sign(self, sign: str) -> None:
        if not self._scanner.sign(sign):
            raise self._scanner.unexpected(f"'{sign}'")


def holds_aggregate(expression: Expression) -> bool:
    """Whether a function of several rows is in an expression."""
    if not isinstance(expression, Call):
        return False
    return expression.name in AGGREGATES or any(map(holds_aggregate, expression.arguments))


def group_names(source: str) -> tuple[str, ...]:
    """Give the named groups of a regular expression, in the order of their numbers."""
    groups: dict[str, int] = compiled(source).groupindex
    return tuple(sorted(groups, key=groups.__getitem__))
