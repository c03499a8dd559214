"""The dialect of Spark: its own words where they say the same as DuckDB's, else functions in Python.

No expression fails in its ANSI mode either, which is on from Spark 4 on.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from rolewatch.base.sanitise import encodable
from rolewatch.engines.functions import FUNCTIONS, PREFIX
from rolewatch.engines.spark_functions import IN_PYTHON
from rolewatch.engines.sql import Dialect
from rolewatch.engines.times import FIRST, LAST, ceiling, floor, period_of
from rolewatch.plan import Constant, Expression, Type

TYPES: Final = {Type.NUMBER: "DOUBLE", Type.TIME: "BIGINT", Type.TRUTH: "BOOLEAN"}  # all else is STRING
GREATEST: Final = (
    "1.7976931348623157E308D"  # Spark sorts NaN behind all numbers, and infinity behind this one
)
EXACT: Final = "9007199254740992D"  # doubles from here on have no fraction

_PLAIN: Final = re.compile(r"[A-Za-z0-9 ._:/@-]*")
_NO_OPERATOR: Final = re.compile(r"[A-Za-z0-9 _:/@,;=-]*")


def literal(value: str | float | bool | None, type_: Type) -> str:  # noqa: FBT001 - it is any constant
    """Write a constant; a text with anything but letters and the like as its bytes, from which nothing can escape."""
    if value is None:
        return f"CAST(NULL AS {TYPES.get(type_, 'STRING')})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"CAST('{value:d}' AS BIGINT)"
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)" if math.isfinite(value) else "CAST(NULL AS DOUBLE)"
    text = encodable(value)
    return f"'{text}'" if _PLAIN.fullmatch(text) else f"CAST(X'{text.encode().hex()}' AS STRING)"


def _text(text: str) -> str:
    return literal(text, Type.TEXT)


_NUMERIC: Final = _text(r"^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?\z")
_DIGITS: Final = _text(r"^[0-9]+\z")
_PARTS: Final = _text("[0-9]+|[^0-9]+")
_BLANKS: Final = _text(" \t\n\v\f\r")
_MONTHS: Final = (
    "(CAST(year(timestamp_millis({0})) - 1970 AS BIGINT) * 12 + month(timestamp_millis({0})) - 1)"
)


def _as_number(place: int) -> str:
    return f"TRY_CAST({{{place}}} AS DOUBLE)"


def _is_number(place: int) -> str:
    """Write whether an argument spells a number that a double holds."""
    return f"({{{place}}} RLIKE {_NUMERIC} AND abs({_as_number(place)}) <= {GREATEST})"


def _compared(sign: str) -> str:
    both = f"{_is_number(0)} AND {_is_number(1)}"
    return f"CASE WHEN {both} THEN {_as_number(0)} {sign} {_as_number(1)} ELSE {{0}} {sign} {{1}} END"


def _finite(body: str) -> str:
    """Write something twice, which Spark evaluates once."""
    return f"CASE WHEN abs({body}) <= {GREATEST} THEN {body} END"


def _one_or_zero(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1D ELSE 0D END"


def _whole(function: str) -> str:
    """Write a function that gives a BIGINT, which is too small for some numbers that have no fraction anyway."""
    return f"CASE WHEN abs({{0}}) < {EXACT} THEN CAST({function} AS DOUBLE) ELSE {{0}} END"


def _python(name: str, arguments: str = "{all}") -> str:
    return f"{PREFIX}{name}({arguments})"


def _rest(start: str) -> str:
    return f"CAST(least({start}, 1e9D) AS INT)"


TEMPLATES: Final = {
    # truths
    "not": "(NOT {0})",
    "equal": "({0} = {1})",
    "equal_text": "({0} = {1})",
    "less": "({0} < {1})",
    "up_to": "({0} <= {1})",
    "less_text": _compared("<"),
    "up_to_text": _compared("<="),
    "among": "({0} IN ({rest}))",
    "contains": "contains({0}, {1})",
    "present": "({0} IS NOT NULL)",
    "coalesce": "coalesce({all})",
    # conversions
    "number_of_text": f"CASE WHEN {_is_number(0)} THEN {_as_number(0)} END",
    "number_of_truth": _one_or_zero("{0}"),
    "number_of_time": "CAST({0} AS DOUBLE)",
    "text_of_truth": "CASE WHEN {0} THEN '1' ELSE '0' END",
    "text_of_time": "date_format(timestamp_millis({0}), 'yyyy-MM-dd HH:mm:ss.SSS')",
    "truth_of_text": "coalesce({0} IN ('1', 'true'), FALSE)",
    "truth_of_number": "coalesce({0} = 1D, FALSE)",
    "truth_of_time": "FALSE",
    "time_of_number": f"CASE WHEN {{0}} BETWEEN {FIRST}D AND {LAST}D THEN CAST({{0}} AS BIGINT) END",
    # numbers
    "add": _finite("({0} + {1})"),
    "subtract": _finite("({0} - {1})"),
    "multiply": _finite("({0} * {1})"),
    "divide": "CASE WHEN {1} <> 0D THEN " + _finite("({0} / {1})") + " END",
    "remainder": "CASE WHEN {1} <> 0D THEN {0} % {1} END",
    "power": _finite("pow({0}, {1})"),
    "negative": "(-{0})",
    "abs": "abs({0})",
    "ceil": _whole("ceil({0})"),
    "floor": _whole("floor({0})"),
    "log": "CASE WHEN {0} > 0D THEN ln({0}) END",
    "sqrt": "CASE WHEN {0} >= 0D THEN sqrt({0}) END",
    "toint": _whole("CAST({0} AS BIGINT)"),
    "tolong": _whole("CAST({0} AS BIGINT)"),
    # texts
    "isempty": _one_or_zero("coalesce({0} = '', TRUE)"),
    "isblank": _one_or_zero(f"coalesce(trim(BOTH {_BLANKS} FROM {{0}}) = '', TRUE)"),
    "trim": f"trim(BOTH {_BLANKS} FROM {{0}})",
    "trim_2": "trim(BOTH {1} FROM {0})",
    "ltrim": f"trim(LEADING {_BLANKS} FROM {{0}})",
    "ltrim_2": "trim(LEADING {1} FROM {0})",
    "rtrim": f"trim(TRAILING {_BLANKS} FROM {{0}})",
    "rtrim_2": "trim(TRAILING {1} FROM {0})",
    "strlen": "CAST(char_length({0}) AS DOUBLE)",
    "bytes": "CAST(octet_length({0}) AS DOUBLE)",
    "substr": f"CASE WHEN {{1}} >= 0D THEN substring({{0}}, {_rest('{1}')} + 1) END",
    "substr_3": f"CASE WHEN {{1}} >= 0D AND {{2}} >= 0D THEN substring({{0}}, {_rest('{1}')} + 1, {_rest('{2}')}) END",
    "replace": "CASE WHEN {1} = '' THEN CASE WHEN {2} IS NOT NULL THEN {0} END ELSE replace({0}, {1}, {2}) END",
    "strcontains": "CAST(contains({0}, {1}) AS DOUBLE)",
    "strcontains_3": f"CAST(CASE WHEN {{2}} THEN contains({_python('tolower', '{0}')}, {_python('tolower', '{1}')}) ELSE contains({{0}}, {{1}}) END AS DOUBLE)",
    "startswith": "CAST(startswith({0}, {1}) AS DOUBLE)",
    "endswith": "CAST(endswith({0}, {1}) AS DOUBLE)",
    "md5": "md5(CAST({0} AS BINARY))",
    "sha256": "sha2(CAST({0} AS BINARY), 256)",
    # Some versions break lines.
    "base64encode": "replace(replace(base64(CAST({0} AS BINARY)), chr(13), ''), chr(10), '')",
}  # fmt: skip

AGGREGATES: Final = {
    "count_rows": "CAST(count(*) AS DOUBLE)",
    "count": "CAST(count({0}) AS DOUBLE)",
    "count_distinct": "CAST(count(DISTINCT {0}) AS DOUBLE)",
    "sum": _finite("sum({0})"),
    "avg": _finite("avg({0})"),
    "stddev": _finite("stddev_pop({0})"),
    "variance": _finite("var_pop({0})"),
    "pct": _finite("percentile({0}, {1} / 100D)"),
    "min": "min({0})",
    "max": "max({0})",
    "min_text": "min_by({0}, {1})",
    "max_text": "max_by({0}, {1})",
    "values_text": (
        "CASE WHEN count({0}) > 0 THEN to_json(transform(array_sort(collect_set("
        "CASE WHEN {0} IS NOT NULL THEN struct({1} AS key, {0} AS text) END)), each -> each.text)) END"
    ),
    "earliest": "min_by({0}, CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN struct({1} AS time, {0} AS value) END)",
    "latest": "max_by({0}, CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN struct({1} AS time, {0} AS value) END)",
}  # fmt: skip

# As DuckDB's: numbers by value behind all other texts; those part by part, each run of digits behind its length.
ORDER_KEY: Final = (
    f"CASE WHEN {{0}} RLIKE {_DIGITS} THEN concat('1', lpad(CAST(char_length(trim(LEADING '0' FROM {{0}})) AS STRING), 7, '0'), "
    "trim(LEADING '0' FROM {0}), ' ', {0}) "
    f"ELSE concat('0', array_join(transform(regexp_extract_all({{0}}, {_PARTS}, 0), part -> CASE WHEN substring(part, 1, 1) BETWEEN '0' AND '9' "
    "THEN concat('0', lpad(CAST(char_length(part) AS STRING), 7, '0'), part) ELSE part END), '')) END"
)


def _months(months: str) -> str:
    return f"unix_millis(CAST(add_months(DATE '1970-01-01', CAST({months} AS INT)) AS TIMESTAMP))"


def _first_month(period: int) -> str:
    return f"({_MONTHS} - (({_MONTHS} % {period}L) + {period}L) % {period}L)"


def _floor_months(arguments: Sequence[Expression]) -> str:
    return _months(_first_month(period_of(arguments)))


def _ceiling_months(arguments: Sequence[Expression]) -> str:
    period = period_of(arguments)
    first = _first_month(period)
    return f"CASE WHEN {_months(first)} = {{0}} THEN {{0}} ELSE {_months(f'{first} + {period}L')} END"


def _in_years(make: Callable[[Sequence[Expression]], str]) -> Callable[[Sequence[Expression]], str]:
    """Write a time, NULL for one beyond the years that have a name."""

    def special(arguments: Sequence[Expression]) -> str:
        time = make(arguments)
        return f"CASE WHEN {time} BETWEEN {FIRST}L AND {LAST}L THEN {time} END"

    return special


def _missing_if_any(function: str) -> Callable[[Sequence[Expression]], str]:
    """Write a function that ignores NULL so that it gives NULL for it."""

    def special(arguments: Sequence[Expression]) -> str:
        each = [f"{{{number}}}" for number in range(len(arguments))]
        if len(each) == 1:
            return "{0}"  # they take two at least
        there = " AND ".join(f"{one} IS NOT NULL" for one in each)
        return f"CASE WHEN {there} THEN {function}({', '.join(each)}) END"

    return special


def _matches(arguments: Sequence[Expression]) -> str:
    """Write a search: for an expression without an operator that of a text, which Spark knows itself."""
    expression = arguments[1]
    plain = isinstance(expression, Constant) and _NO_OPERATOR.fullmatch(str(expression.value))
    return "contains({0}, {1})" if plain else _python("matches")


def _in_python(name: str) -> Callable[[Sequence[Expression]], str]:
    function = IN_PYTHON[name]

    def special(arguments: Sequence[Expression]) -> str:
        shared = FUNCTIONS.get(name)
        left_out = shared and len(arguments) < len(shared.arguments) and shared.default
        call = _python(name, f"{{all}}, {_text(left_out)}" if left_out else "{all}")
        return f"coalesce({call}, FALSE)" if function.type == "boolean" else call

    return special


SPARK: Final = Dialect(
    TEMPLATES,
    AGGREGATES,
    literal,
    once=None,
    unnest=(
        "SELECT *, CAST(e{place} + 1 AS BIGINT) AS {place} FROM "
        f"(SELECT *, {_python('elements', '{structure}')} AS a{{place}} FROM {{source}}) "
        "LATERAL VIEW posexplode(a{place}) v{place} AS e{place}, {column}"
    ),
    order_key=ORDER_KEY,
    special={
        **{name: _in_python(name) for name in IN_PYTHON},
        "matches": _matches,
        "floor_time": _in_years(floor),
        "ceiling_time": _in_years(ceiling),
        "floor_months": _in_years(_floor_months),
        "ceiling_months": _in_years(_ceiling_months),
        "greatest": _missing_if_any("greatest"),
        "least": _missing_if_any("least"),
        "concat": lambda _: "concat({all})",
    },
)
