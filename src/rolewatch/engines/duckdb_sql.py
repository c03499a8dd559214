"""The dialect of DuckDB."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from rolewatch.base.sanitise import encodable
from rolewatch.engines.functions import FUNCTIONS, PREFIX
from rolewatch.engines.sql import Dialect
from rolewatch.engines.times import FIRST, LAST, ceiling, floor, period_of
from rolewatch.plan import Constant, Expression, Type

_NUMERIC: Final = r"'-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?'"
_AS_NUMBER: Final = "TRY_CAST({{{0}}} AS DOUBLE)"
_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
_MONTHS: Final = "((date_part('year', make_timestamp({0} * 1000)) - 1970) * 12 + date_part('month', make_timestamp({0} * 1000)) - 1)"


def literal(value: str | float | bool | None, type_: Type) -> str:  # noqa: FBT001 - it is any constant
    """Write a constant."""
    if value is None:
        kind = {Type.NUMBER: "DOUBLE", Type.TIME: "BIGINT", Type.TRUTH: "BOOLEAN"}.get(type_, "VARCHAR")
        return f"CAST(NULL AS {kind})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"CAST({value:d} AS BIGINT)"
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)" if math.isfinite(value) else "CAST(NULL AS DOUBLE)"
    parts = ["'" + part.replace("'", "''") + "'" for part in encodable(value).split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def _is_number(place: int) -> str:
    """Write whether an argument spells a number that a double holds; the engine gives infinity for others."""
    return f"regexp_full_match({{{place}}}, {_NUMERIC}) AND isfinite({_AS_NUMBER.format(place)})"


def _finite(body: str) -> str:
    return f"list_filter([{body}], lambda v: isfinite(v))[1]"


def _one_or_zero(condition: str) -> str:
    return f"CASE WHEN {condition} THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END"


def _kind(kinds: str, body: str) -> str:
    """Write something of a structure that is of some kind, NULL for others."""
    return f"CASE WHEN json_type({{0}}) IN ({kinds}) THEN {body} END"


def _leaf(body: str) -> str:
    """Write the text of a leaf of a structure, NULL for all else."""
    return (
        f"CASE json_type({body}) WHEN 'VARCHAR' THEN json_extract_string({body}, '$') "
        f"WHEN 'BOOLEAN' THEN CASE CAST({body} AS VARCHAR) WHEN 'true' THEN '1' ELSE '0' END "
        f"WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL ELSE CAST({body} AS VARCHAR) END"
    )


TEMPLATES: Final = {
    # truths
    "not": "(NOT {0})",
    "equal": "({0} = {1})",
    "equal_text": "({0} = {1})",
    "less": "({0} < {1})",
    "up_to": "({0} <= {1})",
    "less_text": f"CASE WHEN {_is_number(0)} AND {_is_number(1)} THEN {_AS_NUMBER.format(0)} < {_AS_NUMBER.format(1)} ELSE {{0}} < {{1}} END",
    "up_to_text": f"CASE WHEN {_is_number(0)} AND {_is_number(1)} THEN {_AS_NUMBER.format(0)} <= {_AS_NUMBER.format(1)} ELSE {{0}} <= {{1}} END",
    "among": "({0} IN ({rest}))",
    "contains": "contains({0}, {1})",
    "matches": "regexp_matches({0}, {1})",
    "present": "({0} IS NOT NULL)",
    "coalesce": "coalesce({all})",
    # conversions
    "leaf": _leaf("{0}"),
    "number_of_text": f"CASE WHEN {_is_number(0)} THEN {_AS_NUMBER.format(0)} END",
    "number_of_truth": _one_or_zero("{0}"),
    "number_of_time": "CAST({0} AS DOUBLE)",
    "text_of_number": "CASE WHEN abs({0}) < 1e15 AND {0} = trunc({0}) THEN CAST(CAST({0} AS BIGINT) AS VARCHAR) ELSE CAST({0} AS VARCHAR) END",
    "text_of_truth": "CASE WHEN {0} THEN '1' ELSE '0' END",
    "text_of_time": "strftime(make_timestamp({0} * 1000), '%Y-%m-%d %H:%M:%S.%g')",
    "truth_of_text": "coalesce({0} IN ('1', 'true'), FALSE)",
    "truth_of_number": "coalesce({0} = 1, FALSE)",
    "truth_of_time": "FALSE",
    "time_of_number": f"CASE WHEN {{0}} BETWEEN {FIRST} AND {LAST} THEN CAST(trunc({{0}}) AS BIGINT) END",
    # numbers
    "add": _finite("{0} + {1}"),
    "subtract": _finite("{0} - {1}"),
    "multiply": _finite("{0} * {1}"),
    "divide": _finite("CASE WHEN {1} <> 0 THEN {0} / {1} END"),
    "remainder": "CASE WHEN {1} <> 0 THEN {0} % {1} END",
    "power": _finite("pow({0}, {1})"),
    "negative": "(-{0})",
    "abs": "abs({0})",
    "ceil": "ceil({0})",
    "floor": "floor({0})",
    "log": "CASE WHEN {0} > 0 THEN ln({0}) END",
    "sqrt": "CASE WHEN {0} >= 0 THEN sqrt({0}) END",
    "toint": "trunc({0})",
    "tolong": "trunc({0})",
    "round": "round({0})",
    "round_2": "CASE WHEN {1} IS NOT NULL THEN round({0}, CAST(trunc(greatest(least({1}, 15), -15)) AS INTEGER)) END",
    # texts
    "isempty": _one_or_zero("coalesce({0} = '', TRUE)"),
    "isblank": _one_or_zero(f"coalesce(trim({{0}}, {_BLANKS}) = '', TRUE)"),
    "trim": f"trim({{0}}, {_BLANKS})",
    "trim_2": "trim({0}, {1})",
    "ltrim": f"ltrim({{0}}, {_BLANKS})",
    "ltrim_2": "ltrim({0}, {1})",
    "rtrim": f"rtrim({{0}}, {_BLANKS})",
    "rtrim_2": "rtrim({0}, {1})",
    "strlen": "CAST(length({0}) AS DOUBLE)",
    "bytes": "CAST(strlen({0}) AS DOUBLE)",
    "toupper": "upper({0})",
    "tolower": "lower({0})",
    "substr": "CASE WHEN {1} >= 0 THEN substring({0}, CAST(trunc(least({1}, 1e9)) AS BIGINT) + 1) END",
    "substr_3": "CASE WHEN {1} >= 0 AND {2} >= 0 THEN substring({0}, CAST(trunc(least({1}, 1e9)) AS BIGINT) + 1, CAST(trunc(least({2}, 1e9)) AS BIGINT)) END",
    "replace": "CASE WHEN {1} = '' THEN CASE WHEN {2} IS NOT NULL THEN {0} END ELSE replace({0}, {1}, {2}) END",
    "strcontains": "CAST(contains({0}, {1}) AS DOUBLE)",
    "strcontains_3": "CAST(CASE WHEN {2} THEN contains(lower({0}), lower({1})) ELSE contains({0}, {1}) END AS DOUBLE)",
    "startswith": "CAST(starts_with({0}, {1}) AS DOUBLE)",
    "endswith": "CAST(ends_with({0}, {1}) AS DOUBLE)",
    "regexreplace": "regexp_replace({0}, {1}, {2}, 'g')",
    "md5": "md5({0})",
    "sha256": "sha256({0})",
    "base64encode": "base64(encode({0}))",
    # structures
    "jsonparse": "CASE WHEN json_valid({0}) THEN CASE WHEN json_type({0}) IN ('OBJECT', 'ARRAY') THEN {0} END END",
    "jsonstringify": _kind("'OBJECT', 'ARRAY'", "CAST(json({0}) AS VARCHAR)"),
    "jsonarraysize": _kind("'ARRAY'", "CAST(json_array_length({0}) AS DOUBLE)"),
    "jsonarraycontains": "coalesce(" + _kind("'ARRAY'", f"list_contains(list_transform(json_extract({{0}}, '$[*]'), lambda e: {_leaf('e')}), {{1}})") + ", FALSE)",
    # Versions differ in what they make of an empty text.
    "split": "CASE WHEN {0} = '' AND {1} IS NOT NULL THEN '[\"\"]' ELSE CAST(to_json(string_split({0}, {1})) AS VARCHAR) END",
}  # fmt: skip

AGGREGATES: Final = {
    "count_rows": "CAST(count(*) AS DOUBLE)",
    "count": "CAST(count({0}) AS DOUBLE)",
    "count_distinct": "CAST(count(DISTINCT {0}) AS DOUBLE)",
    "sum": _finite("fsum({0})"),
    "avg": _finite("favg({0})"),
    "stddev": _finite("stddev_pop({0})"),
    "variance": _finite("var_pop({0})"),
    "pct": "quantile_cont({0}, {1} / 100)",
    "min": "min({0})",
    "max": "max({0})",
    "min_text": "arg_min({0}, {1})",
    "max_text": "arg_max({0}, {1})",
    "values_text": (
        "CAST(to_json(list_transform(list_sort(list(DISTINCT {{'key': {1}, 'text': {0}}}) FILTER (WHERE {0} IS NOT NULL)), "
        "lambda s: s.text)) AS VARCHAR)"
    ),
    # The value decides between those of the same time.
    "earliest": "arg_min({0}, {{'time': {1}, 'value': {0}}}) FILTER (WHERE {0} IS NOT NULL AND {1} IS NOT NULL)",
    "latest": "arg_max({0}, {{'time': {1}, 'value': {0}}}) FILTER (WHERE {0} IS NOT NULL AND {1} IS NOT NULL)",
}

# Numbers by value behind all other texts; those part by part, each run of digits behind its length.
ORDER_KEY: Final = (
    "CASE WHEN regexp_full_match({0}, '[0-9]+') "
    "THEN '1' || lpad(CAST(length(ltrim({0}, '0')) AS VARCHAR), 7, '0') || ltrim({0}, '0') || ' ' || {0} "
    "ELSE '0' || array_to_string(list_transform(regexp_extract_all({0}, '[0-9]+|[^0-9]+'), "
    "lambda p: CASE WHEN p[1] BETWEEN '0' AND '9' THEN '0' || lpad(CAST(length(p) AS VARCHAR), 7, '0') || p ELSE p END), '') END"
)


def _floor_months(arguments: Sequence[Expression]) -> str:
    period = period_of(arguments)
    first = f"({_MONTHS} - (({_MONTHS} % {period}) + {period}) % {period})"
    return f"epoch_ms(CAST(DATE '1970-01-01' AS TIMESTAMP) + to_months(CAST({first} AS INTEGER)))"


def _ceiling_months(arguments: Sequence[Expression]) -> str:
    floor, period = _floor_months(arguments), period_of(arguments)
    return f"CASE WHEN {floor} = {{0}} THEN {{0}} ELSE epoch_ms(make_timestamp({floor} * 1000) + to_months({period})) END"


def _in_years(make: Callable[[Sequence[Expression]], str]) -> Callable[[Sequence[Expression]], str]:
    """Write a time, NULL for one beyond the years that have a name."""

    def special(arguments: Sequence[Expression]) -> str:
        time = make(arguments)
        return f"CASE WHEN {time} BETWEEN {FIRST} AND {LAST} THEN {time} END"

    return special


def _inside(arguments: Sequence[Expression]) -> str:
    steps = [str(each.value) for each in arguments[1:] if isinstance(each, Constant)]
    pointer = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
    path = literal(pointer, Type.TEXT).replace("{", "{{").replace("}", "}}")
    return f"CAST(json_extract({{0}}, {path}) AS VARCHAR)"


def _extract(arguments: Sequence[Expression]) -> str:
    group = arguments[2]
    assert isinstance(group, Constant)  # noqa: S101 - so it is made
    assert isinstance(group.value, int)  # noqa: S101
    return f"CASE WHEN regexp_matches({{0}}, {{1}}) THEN regexp_extract({{0}}, {{1}}, {group.value:d}) END"


def _extract_all(arguments: Sequence[Expression]) -> str:
    group = len(arguments) - 2
    return f"CAST(to_json(regexp_extract_all({{0}}, {{1}}, {group})) AS VARCHAR)"


def _missing_if_any(function: str) -> Callable[[Sequence[Expression]], str]:
    """Write a function that ignores NULL so that it gives NULL for it."""

    def special(arguments: Sequence[Expression]) -> str:
        each = [f"{{{number}}}" for number in range(len(arguments))]
        there = " AND ".join(f"{one} IS NOT NULL" for one in each)
        return f"CASE WHEN {there} THEN {function}({', '.join(each)}) END"

    return special


def _joined(arguments: Sequence[Expression]) -> str:
    return f"({' || '.join(f'{{{number}}}' for number in range(len(arguments)))})"


def _in_python(name_: str) -> Callable[[Sequence[Expression]], str]:
    function = FUNCTIONS[name_]

    def special(arguments: Sequence[Expression]) -> str:
        left_out = len(arguments) < len(function.arguments) and function.default
        call = f"{PREFIX}{name_}({{all}}{', ' + literal(left_out, Type.TEXT) if left_out else ''})"
        return f"coalesce({call}, FALSE)" if function.type is Type.TRUTH else call

    return special


DUCKDB: Final = Dialect(
    TEMPLATES,
    AGGREGATES,
    literal,
    once="list_transform([{argument}], lambda {name}: {body})[1]",
    unnest=(
        "SELECT * EXCLUDE (elements), unnest(elements) AS {column}, CAST(generate_subscripts(elements, 1) AS BIGINT) AS {place} "
        "FROM (SELECT *, CASE WHEN json_type({structure}) = 'ARRAY' "
        "THEN CAST(json_extract({structure}, '$[*]') AS VARCHAR[]) ELSE [{structure}] END AS elements FROM {source})"
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
        "greatest": _missing_if_any("greatest"),
        "least": _missing_if_any("least"),
        "concat": _joined,
        **{function: _in_python(function) for function in FUNCTIONS},
    },
)
