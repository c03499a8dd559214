"""The dialect of Athena (Trino's): for people who run a query there themselves, so without functions in Python.

What the engine has no words for is a CannotDo that names it. Regular expressions are Trino's there.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from rolewatch.base.errors import CannotDo
from rolewatch.base.sanitise import encodable
from rolewatch.engines.functions import FUNCTIONS
from rolewatch.engines.sql import Dialect
from rolewatch.engines.times import FIRST, LAST, ceiling, floor, period_of
from rolewatch.plan import Constant, Expression, Type

_TYPES: Final = {Type.NUMBER: "double", Type.TIME: "bigint", Type.TRUTH: "boolean"}
_NUMERIC: Final = "'^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$'"
_BLANKS: Final = r"U&' \0009\000A\000B\000C\000D'"
_MOMENT: Final = "from_unixtime(CAST({0} AS double) / 1000)"
_MONTHS: Final = f"((year({_MOMENT}) - 1970) * 12 + month({_MOMENT}) - 1)"


def literal(value: str | float | bool | None, type_: Type) -> str:  # noqa: FBT001 - it is any constant
    """Write a constant; a text with anything but printable ASCII by the numbers of its characters."""
    if value is None:
        return f"CAST(NULL AS {_TYPES.get(type_, 'varchar')})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"CAST({value:d} AS bigint)"
    if isinstance(value, float):
        return f"CAST('{value!r}' AS double)" if math.isfinite(value) else "CAST(NULL AS double)"
    text = encodable(value)
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return "U&'" + "".join(_character(each) for each in text) + "'"


def _character(character: str) -> str:
    if character in "'\\":
        return character * 2
    return character if character.isascii() and character.isprintable() else f"\\+{ord(character):06X}"


def _as_number(place: int) -> str:
    return f"TRY_CAST({{{place}}} AS double)"


def _is_number(place: int) -> str:
    return f"(regexp_like({{{place}}}, {_NUMERIC}) AND is_finite({_as_number(place)}))"


def _compared(sign: str) -> str:
    both = f"{_is_number(0)} AND {_is_number(1)}"
    return f"CASE WHEN {both} THEN {_as_number(0)} {sign} {_as_number(1)} ELSE {{0}} {sign} {{1}} END"


def _once(argument: str, name: str, body: str) -> str:
    return f"transform(ARRAY[{argument}], {name} -> {body})[1]"


def _finite(body: str) -> str:
    return _once(body, "v", "CASE WHEN is_finite(v) THEN v END")


def _one_or_zero(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1e0 ELSE 0e0 END"


def _kind(first: str, body: str) -> str:
    """Write something of a structure that begins with some character, NULL for others."""
    return f"CASE WHEN substr({{0}}, 1, 1) IN ({first}) THEN {body} END"


def _pct() -> str:
    values = "array_sort(array_agg({0}) FILTER (WHERE {0} IS NOT NULL))"
    place = "(cardinality(v) - 1) * {1} / 100"
    low = f"CAST(floor({place}) AS bigint)"
    between = (
        f"v[{low} + 1] + (v[least({low} + 2, cardinality(v))] - v[{low} + 1]) * ({place} - floor({place}))"
    )
    return _once(values, "v", f"CASE WHEN cardinality(v) > 0 THEN {between} END")


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
    "contains": "(strpos({0}, {1}) > 0)",
    "matches": "regexp_like({0}, {1})",
    "present": "({0} IS NOT NULL)",
    "coalesce": "coalesce({all})",
    # conversions
    "leaf": "CASE substr({0}, 1, 1) WHEN '\"' THEN json_extract_scalar({0}, '$') WHEN 't' THEN '1' WHEN 'f' THEN '0' WHEN '{{' THEN NULL WHEN '[' THEN NULL WHEN 'n' THEN NULL ELSE {0} END",
    "number_of_text": f"CASE WHEN {_is_number(0)} THEN {_as_number(0)} END",
    "number_of_truth": _one_or_zero("{0}"),
    "number_of_time": "CAST({0} AS double)",
    "text_of_number": "CASE WHEN abs({0}) < 1e15 AND {0} = truncate({0}) THEN CAST(CAST({0} AS bigint) AS varchar) ELSE CAST({0} AS varchar) END",
    "text_of_truth": "CASE WHEN {0} THEN '1' ELSE '0' END",
    "text_of_time": f"format_datetime({_MOMENT}, 'yyyy-MM-dd HH:mm:ss.SSS')",
    "truth_of_text": "coalesce({0} IN ('1', 'true'), FALSE)",
    "truth_of_number": "coalesce({0} = 1e0, FALSE)",
    "truth_of_time": "FALSE",
    "time_of_number": f"CASE WHEN {{0}} BETWEEN {FIRST} AND {LAST} THEN CAST(truncate({{0}}) AS bigint) END",
    # numbers
    "add": _finite("{0} + {1}"),
    "subtract": _finite("{0} - {1}"),
    "multiply": _finite("{0} * {1}"),
    "divide": _finite("CASE WHEN {1} <> 0 THEN {0} / {1} END"),
    "remainder": "CASE WHEN {1} <> 0 THEN {0} % {1} END",
    "power": _finite("power({0}, {1})"),
    "negative": "(-{0})",
    "abs": "abs({0})",
    "ceil": "ceiling({0})",
    "floor": "floor({0})",
    "log": "CASE WHEN {0} > 0 THEN ln({0}) END",
    "sqrt": "CASE WHEN {0} >= 0 THEN sqrt({0}) END",
    "toint": "truncate({0})",
    "tolong": "truncate({0})",
    "round": "round({0})",
    "round_2": "CASE WHEN {1} IS NOT NULL THEN round({0}, CAST(truncate(greatest(least({1}, 15), -15)) AS integer)) END",
    "greatest": "greatest({all})",
    "least": "least({all})",
    # texts
    "isempty": _one_or_zero("coalesce({0} = '', TRUE)"),
    "isblank": _one_or_zero(f"coalesce(trim(BOTH {_BLANKS} FROM {{0}}) = '', TRUE)"),
    "trim": f"trim(BOTH {_BLANKS} FROM {{0}})",
    "trim_2": "trim(BOTH {1} FROM {0})",
    "ltrim": f"trim(LEADING {_BLANKS} FROM {{0}})",
    "ltrim_2": "trim(LEADING {1} FROM {0})",
    "rtrim": f"trim(TRAILING {_BLANKS} FROM {{0}})",
    "rtrim_2": "trim(TRAILING {1} FROM {0})",
    "strlen": "CAST(length({0}) AS double)",
    "bytes": "CAST(length(to_utf8({0})) AS double)",
    "toupper": "upper({0})",
    "tolower": "lower({0})",
    "substr": "CASE WHEN {1} >= 0 THEN substr({0}, CAST(truncate(least({1}, 1e9)) AS bigint) + 1) END",
    "substr_3": "CASE WHEN {1} >= 0 AND {2} >= 0 THEN substr({0}, CAST(truncate(least({1}, 1e9)) AS bigint) + 1, CAST(truncate(least({2}, 1e9)) AS bigint)) END",
    "replace": "CASE WHEN {1} = '' THEN CASE WHEN {2} IS NOT NULL THEN {0} END ELSE replace({0}, {1}, {2}) END",
    "strcontains": "CAST(strpos({0}, {1}) > 0 AS double)",
    "strcontains_3": "CAST(CASE WHEN {2} THEN strpos(lower({0}), lower({1})) > 0 ELSE strpos({0}, {1}) > 0 END AS double)",
    "startswith": "CAST(starts_with({0}, {1}) AS double)",
    "endswith": "CAST(starts_with(reverse({0}), reverse({1})) AS double)",
    "md5": "lower(to_hex(md5(to_utf8({0}))))",
    "sha256": "lower(to_hex(sha256(to_utf8({0}))))",
    "base64encode": "to_base64(to_utf8({0}))",
    "urlencode": "url_encode({0})",
    "urldecode": "TRY(url_decode({0}))",
    "base64decode": "TRY(from_utf8(from_base64({0})))",
    # addresses
    "isvalidip": "(TRY_CAST({0} AS ipaddress) IS NOT NULL)",
    "isipinsubnet": "coalesce(TRY(contains({1}, CAST({0} AS ipaddress))), FALSE)",
    "isipv4insubnet": "coalesce(TRY(contains({1}, CAST({0} AS ipaddress))), FALSE)",
    "isipv6insubnet": "coalesce(TRY(contains({1}, CAST({0} AS ipaddress))), FALSE)",
    # structures
    "jsonparse": "TRY(CASE WHEN substr(ltrim({0}), 1, 1) IN ('{{', '[') THEN json_format(json_parse({0})) END)",
    "jsonstringify": _kind("'{{', '['", "{0}"),
    "jsonarraysize": _kind("'['", "CAST(json_array_length({0}) AS double)"),
    "jsonarraycontains": "coalesce(" + _kind("'['", "json_array_contains({0}, {1})") + ", FALSE)",
    "split": "json_format(CAST(split({0}, {1}) AS json))",
}  # fmt: skip

AGGREGATES: Final = {
    "count_rows": "CAST(count(*) AS double)",
    "count": "CAST(count({0}) AS double)",
    "count_distinct": "CAST(count(DISTINCT {0}) AS double)",
    "sum": _finite("sum({0})"),
    "avg": _finite("avg({0})"),
    "stddev": _finite("stddev_pop({0})"),
    "variance": _finite("var_pop({0})"),
    "pct": _pct(),
    "min": "min({0})",
    "max": "max({0})",
    "min_text": "min_by({0}, {1})",
    "max_text": "max_by({0}, {1})",
    "values_text": "json_format(CAST(transform(array_sort(array_agg(DISTINCT ROW({1}, {0})) FILTER (WHERE {0} IS NOT NULL)), r -> r[2]) AS json))",
    "earliest": "min_by({0}, ROW({1}, {0})) FILTER (WHERE {0} IS NOT NULL AND {1} IS NOT NULL)",
    "latest": "max_by({0}, ROW({1}, {0})) FILTER (WHERE {0} IS NOT NULL AND {1} IS NOT NULL)",
}

_PADDED: Final = "'0' || lpad(CAST(length(p) AS varchar), 7, '0') || p"
# As the key of DuckDB's dialect.
ORDER_KEY: Final = (
    "CASE WHEN regexp_like({0}, '^[0-9]+$') "
    "THEN '1' || lpad(CAST(length(ltrim({0}, '0')) AS varchar), 7, '0') || ltrim({0}, '0') || ' ' || {0} "
    f"ELSE '0' || array_join(transform(regexp_extract_all({{0}}, '[0-9]+|[^0-9]+'), p -> CASE WHEN regexp_like(p, '^[0-9]') THEN {_PADDED} ELSE p END), '') END"
).replace("ltrim({0}, '0')", "trim(LEADING '0' FROM {0})")


def _in_years(make: Callable[[Sequence[Expression]], str]) -> Callable[[Sequence[Expression]], str]:
    """Write a time, NULL for one beyond the years that have a name."""

    def special(arguments: Sequence[Expression]) -> str:
        time = make(arguments)
        return f"CASE WHEN {time} BETWEEN {FIRST} AND {LAST} THEN {time} END"

    return special


def _floor_months(arguments: Sequence[Expression]) -> str:
    period = period_of(arguments)
    first = f"({_MONTHS} - ({_MONTHS} % {period} + {period}) % {period})"
    return (
        f"CAST(to_unixtime(date_add('month', {first}, TIMESTAMP '1970-01-01 00:00:00 UTC')) * 1000 AS bigint)"
    )


def _ceiling_months(arguments: Sequence[Expression]) -> str:
    begin, period = _floor_months(arguments), period_of(arguments)
    after = f"CAST(to_unixtime(date_add('month', {period}, from_unixtime(CAST({begin} AS double) / 1000))) * 1000 AS bigint)"
    return f"CASE WHEN {begin} = {{0}} THEN {{0}} ELSE {after} END"


def _inside(arguments: Sequence[Expression]) -> str:
    found = "json_parse({0})"
    for each in arguments[1:]:
        step = str(each.value) if isinstance(each, Constant) else ""
        name = literal('$["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]', Type.TEXT)
        name = name.replace("{", "{{").replace("}", "}}")
        if step.isascii() and step.isdigit():
            found = f"coalesce(json_extract({found}, '$[{int(step)}]'), json_extract({found}, {name}))"
        else:
            found = f"json_extract({found}, {name})"
    return f"json_format({found})"


def _extract(arguments: Sequence[Expression]) -> str:
    group = arguments[2]
    number = group.value if isinstance(group, Constant) else 0
    return (
        f"CASE WHEN regexp_like({{0}}, {{1}}) THEN coalesce(regexp_extract({{0}}, {{1}}, {number}), '') END"
    )


def _extract_all(arguments: Sequence[Expression]) -> str:
    return f"json_format(CAST(regexp_extract_all({{0}}, {{1}}, {len(arguments) - 2}) AS json))"


def _regex_replace(arguments: Sequence[Expression]) -> str:
    replacement = arguments[2]
    text = str(replacement.value) if isinstance(replacement, Constant) else ""
    dollars = literal(_dollars(text), Type.TEXT).replace("{", "{{").replace("}", "}}")
    return f"regexp_replace({{0}}, {{1}}, {dollars})"


def _dollars(text: str) -> str:
    r"""Write a replacement with `\1` as one with `$1`."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            found.append(f"${text[at + 1]}" if text[at + 1].isdigit() else "\\" + text[at + 1])
            at += 2
            continue
        found.append("\\$" if text[at] == "$" else text[at])
        at += 1
    return "".join(found)


def _joined(arguments: Sequence[Expression]) -> str:
    return f"({' || '.join(f'{{{number}}}' for number in range(len(arguments)))})"


def _wordless(name: str) -> Callable[[Sequence[Expression]], str]:
    def special(_: Sequence[Expression]) -> str:
        raise CannotDo(f"Athena has no words for the function {name}", remedy="run the query with rolewatch")

    return special


ATHENA: Final = Dialect(
    TEMPLATES,
    AGGREGATES,
    literal,
    once="transform(ARRAY[{argument}], {name} -> {body})[1]",
    unnest=(
        "SELECT {source}.*, json_format(u.e) AS {column}, u.o AS {place} FROM {source} CROSS JOIN UNNEST("
        "CASE WHEN substr({structure}, 1, 1) = '[' THEN CAST(json_parse({structure}) AS array(json)) "
        "ELSE ARRAY[json_parse({structure})] END) WITH ORDINALITY AS u (e, o)"
    ),
    order_key=ORDER_KEY,
    special={
        "floor_time": _in_years(floor),
        "ceiling_time": _in_years(ceiling),
        "floor_months": _in_years(_floor_months),
        "ceiling_months": _in_years(_ceiling_months),
        "inside": _inside,
        "extract": _extract,
        "extract_all": _extract_all,
        "regexreplace": _regex_replace,
        "concat": _joined,
        **{name: _wordless(name) for name in FUNCTIONS if name not in TEMPLATES},
    },
)
