"""Expressions of a query, from the weakest operator to the strongest: or, and, not, comparisons, + -, * / %, ^, a sign."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from rolewatch.insights.functions import FUNCTIONS
from rolewatch.insights.periods import LARGEST, UNITS, period
from rolewatch.insights.scanner import Scanner
from rolewatch.insights.syntax import (
    Call,
    Expression,
    Field,
    List,
    Nested,
    Number,
    Period,
    Query,
    Regex,
    Star,
    Text,
    Truth,
)

DEEPEST: Final = 60  # parentheses, functions and signs within each other
IN_A_ROW: Final = 200  # operators of one kind: the tree that they make is as deep
RESERVED: Final = frozenset(("and", "or", "not", "in", "like", "as", "by", "asc", "desc"))
_COMPARISONS: Final = ("!=", "<=", ">=", "=", "<", ">")
_LEVELS: Final = (("+", "-"), ("*", "/", "%"))
_PERIODS: Final = frozenset(("bin", "datefloor", "dateceil"))  # functions whose last argument is one


class Expressions:
    """Reads expressions with a scanner; `nested` reads a query in parentheses."""

    def __init__(self, scanner: Scanner, nested: Callable[[], Query]) -> None:
        self._scanner = scanner
        self._nested = nested
        self._depth = 0

    def one(self) -> Expression:
        """Read an expression of any kind."""
        return self._deeper(lambda: self._joined("or", lambda: self._joined("and", self._negated)))

    def field(self) -> Field:
        """Read a field's name."""
        scanner, start = self._scanner, self._scanner.at
        word = scanner.word()
        reserved = word is not None and word.lower() in RESERVED
        first = None if reserved or not (word or scanner.next == "`") else scanner.step()
        if first is None:
            raise scanner.unexpected("a field's name")
        steps: list[str | int] = [first]
        while scanner.follows(".["):
            if scanner.sign("."):
                step = scanner.step() if scanner.at == scanner.behind else None
                if step is None:
                    raise scanner.unexpected("the next step of the field's name")
                steps.append(step)
            else:
                steps.append(self._index())
        return Field(tuple(steps), scanner.span(start))

    def literals(self) -> List:
        """Read a list of literals."""
        scanner, start = self._scanner, self._scanner.at
        self._need("[")
        items = [self._literal()]
        while scanner.sign(","):
            items.append(self._literal())
        self._need("]")
        return List(tuple(items), scanner.span(start))

    def _values(self) -> List | Nested:
        """Read what `in` looks through: a list, or a query that gives one."""
        scanner, start = self._scanner, self._scanner.at
        if scanner.next != "(":
            return self.literals()
        if scanner.query[start + 1 :].lstrip()[:1] in ("'", '"', "-", *"0123456789"):
            raise scanner.error("a list stands in brackets", start, start + 1, remedy='write in ["a", "b"]')
        return Nested(self._nested(), scanner.span(start))

    def period(self) -> Period:
        """Read a span of time."""
        found = self._number() if self._scanner.next.isdigit() else None
        if not isinstance(found, Period):
            raise self._scanner.unexpected("a span of time such as 5m")
        return found

    def _need(self, sign: str) -> None:
        if not self._scanner.sign(sign):
            raise self._scanner.unexpected(f"'{sign}'")

    def _deeper(self, read: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            at = self._scanner.at
            raise self._scanner.error("the expression is nested too deeply", at, at + 1)
        found = read()
        self._depth -= 1
        return found

    def _index(self) -> int:
        scanner = self._scanner
        self._need("[")
        start, digits = scanner.at, scanner.number() or ""
        if not digits.isdigit() or len(digits) > 6:
            raise scanner.error("an index is a number from 0", start, max(scanner.behind, start + 1))
        self._need("]")
        return int(digits)

    def _joined(self, word: str, part: Callable[[], Expression]) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        parts = [part()]
        while scanner.keyword(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Call(word, tuple(parts), scanner.span(start))

    def _negated(self) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        if scanner.keyword("not"):
            return Call("not", (self._deeper(self._negated),), scanner.span(start))
        return self._compared()

    def _compared(self) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        left = self._level(0)
        if scanner.next == "=" and scanner.query.startswith("==", scanner.at):
            raise scanner.error("there is no operator '=='", scanner.at, scanner.at + 2, remedy="write =")
        if scanner.next == "<" and scanner.query.startswith("<>", scanner.at):
            raise scanner.error("there is no operator '<>'", scanner.at, scanner.at + 2, remedy="write !=")
        if scanner.sign("=~"):
            return Call("like", (left, self._needle(as_regex=True)), scanner.span(start))
        sign = scanner.sign(*_COMPARISONS)
        if sign:
            return Call(sign, (left, self._operand()), scanner.span(start))
        negated = "not-" if scanner.keyword("not") else ""
        if scanner.keyword("like"):
            return Call(f"{negated}like", (left, self._needle(as_regex=False)), scanner.span(start))
        if scanner.keyword("in"):
            return Call(f"{negated}in", (left, self._values()), scanner.span(start))
        if negated:
            raise scanner.unexpected("'like' or 'in' after 'not'")
        return left

    def _needle(self, *, as_regex: bool) -> Text | Regex:
        """Read what `like` looks for: a part of a text, or a regular expression."""
        scanner, start = self._scanner, self._scanner.at
        found = scanner.regex() or scanner.text()
        if found is None:
            raise scanner.unexpected("a quoted text or a /regular expression/")
        if isinstance(found, Text) and as_regex:
            return Regex(scanner.checked(found.value, start), found.span)
        return found

    def _operand(self) -> Expression:
        """Read what follows a comparison; an address without quotes, as documented once, is a text."""
        scanner, start = self._scanner, self._scanner.at
        word = scanner.word()
        if word and scanner.query.startswith("://", start + len(word)):
            return Text(scanner.rest(), scanner.span(start))
        return self._level(0)

    def _level(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._power()
        scanner, start = self._scanner, self._scanner.at
        found, number = self._level(level + 1), 0
        while sign := scanner.sign(*_LEVELS[level]):
            number += 1
            if number > IN_A_ROW:
                raise scanner.error("the expression has too many operators in a row", start, scanner.behind)
            found = Call(sign, (found, self._level(level + 1)), scanner.span(start))
        return found

    def _power(self) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        if scanner.sign("-"):
            return Call("negative", (self._deeper(self._power),), scanner.span(start))
        found = self._primary()
        if scanner.sign("^"):
            return Call("^", (found, self._deeper(self._power)), scanner.span(start))
        return found

    def _primary(self) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        if scanner.sign("("):
            found = self.one()
            self._need(")")
            return found
        if scanner.next.isdigit() or (scanner.next == "." and scanner.query[start + 1 : start + 2].isdigit()):
            return self._number()
        text = scanner.text()
        if text:
            return text
        word = scanner.word()
        if word and word.lower() in ("true", "false"):
            return Truth(scanner.keyword("true", "false") == "true", scanner.span(start))
        if word and word.lower() not in RESERVED and self._is_call(word):
            return self._call()
        if (word and word.lower() not in RESERVED) or scanner.next == "`":
            return self.field()
        raise scanner.unexpected("a field, a value or a function")

    def _is_call(self, word: str) -> bool:
        place = self._scanner.at + len(word)
        return self._scanner.query[place:].lstrip().startswith("(")

    def _call(self) -> Call:
        scanner, start = self._scanner, self._scanner.at
        word = scanner.name() or ""
        function = FUNCTIONS.get(word.lower())
        if function is None:
            known = [each.name for each in FUNCTIONS.values()]
            raise scanner.unknown("function", word, known, start)
        self._need("(")
        arguments: list[Expression] = []
        while not scanner.sign(")"):
            if arguments:
                self._need(",")
            arguments.append(self._argument(word.lower()))
        if not function.least <= len(arguments) <= function.most:
            raise scanner.error(_wrong_number(function.name, function.least, function.most, len(arguments)), start, scanner.behind)  # fmt: skip
        call = Call(word.lower(), tuple(arguments), scanner.span(start))
        self._check_periods(call)
        return call

    def _argument(self, function: str) -> Expression:
        start = self._scanner.at
        if function == "count" and self._scanner.sign("*"):
            return Star(self._scanner.span(start))
        return self._deeper(self.one)

    def _check_periods(self, call: Call) -> None:
        """Complain about a span of time where none belongs, and about a missing one."""
        for number, argument in enumerate(call.arguments, 1):
            wanted = call.name in _PERIODS and number == len(call.arguments)
            if wanted != isinstance(argument, Period):
                message = f"{call.name} takes a span of time such as 5m" if wanted else f"{call.name} takes no span of time here"  # fmt: skip
                raise self._scanner.error(message, *argument.span)

    def _number(self) -> Number | Period:
        """Read a number, or with a unit right behind it a span of time."""
        scanner, start = self._scanner, self._scanner.at
        digits = scanner.number() or ""
        unit = scanner.name() if scanner.at == scanner.behind and scanner.word() else None
        if unit is None:
            return Number(Decimal(digits), scanner.span(start))
        if unit.lower() not in UNITS or not digits.isdigit():
            raise scanner.error(
                f"{digits + unit!r} is neither a number nor a span of time", start, scanner.behind,
                remedy="units are ms, s, m, h, d, w, mo, q, y",
            )  # fmt: skip
        if not 0 < int(digits[:10]) <= LARGEST:
            raise scanner.error(f"a span of time has 1 to {LARGEST:,} of its unit", start, scanner.behind)
        return Period(*period(int(digits), unit), scanner.span(start))

    def _literal(self) -> Expression:
        scanner, start = self._scanner, self._scanner.at
        found: Expression | None = scanner.text()
        if found is None and (scanner.next.isdigit() or scanner.next in ("-", ".")):
            found = self._power()
        if found is None and scanner.keyword("true", "false"):
            found = Truth(scanner.query[start].lower() == "t", scanner.span(start))
        if found is None:
            raise scanner.unexpected("a quoted text or a number")
        if isinstance(found, Call):
            if found.name != "negative" or not isinstance(found.arguments[0], Number):
                raise scanner.error("a list holds texts and numbers only", start, scanner.behind)
            return Number(-found.arguments[0].value, scanner.span(start))
        return found


def _wrong_number(name: str, least: int, most: int, found: int) -> str:
    """Say how many arguments a function takes."""
    takes = f"{least}" if least == most else f"{least} to {most}"
    return f"{name} takes {takes if most else 'no'} argument{'' if takes == '1' else 's'}, found {found}"
