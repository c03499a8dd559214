"""The functions of the language: data. Source: spec/insights-ql.md §6; what is marked there as newer is taken as well."""

from typing import NamedTuple

MANY = 100  # arguments


class Function(NamedTuple):
    """A function: how many arguments it takes, and whether it sums up several rows."""

    name: str  # as the documentation writes it
    least: int
    most: int
    aggregate: bool = False


def _table(*rows: Function) -> dict[str, Function]:
    return {row.name.lower(): row for row in rows}


FUNCTIONS = _table(
    # numbers
    *(Function(name, 1, 1) for name in ("abs", "ceil", "floor", "log", "sqrt", "toNumber", "toInt", "toLong", "toDouble", "isNumeric")),
    Function("greatest", 1, MANY),
    Function("least", 1, MANY),
    Function("round", 1, 2),
    Function("haversine", 4, 4),
    # time
    Function("bin", 1, 1),
    Function("datefloor", 2, 2),
    Function("dateceil", 2, 2),
    Function("fromMillis", 1, 1),
    Function("toMillis", 1, 1),
    *(Function(name, 0, 0) for name in ("now", "queryStartTime", "queryEndTime", "queryTimeRange", "messageSize")),
    Function("parseDate", 2, 3),
    Function("formatDate", 2, 3),
    Function("strftime", 2, 3),
    # what is there
    Function("ispresent", 1, 1),
    Function("coalesce", 1, MANY),
    Function("if", 3, 3),
    Function("case", 3, 21),
    Function("isempty", 1, 1),
    Function("isblank", 1, 1),
    # structures
    Function("jsonParse", 1, 1),
    Function("jsonStringify", 1, 1),
    Function("jsonArraySize", 1, 1),
    Function("jsonArrayContains", 2, 2),
    # addresses
    *(Function(name, 1, 1) for name in ("isValidIp", "isValidIpV4", "isValidIpV6", "ipv4ToNumber", "isPrivateIP", "isPublicIP", "isReservedIP")),
    *(Function(name, 2, 2) for name in ("isIpInSubnet", "isIpv4InSubnet", "isIpv6InSubnet")),
    # texts
    Function("concat", 1, MANY),
    *(Function(name, 1, 2) for name in ("trim", "ltrim", "rtrim")),
    *(Function(name, 1, 1) for name in ("strlen", "toupper", "tolower", "urlencode", "urldecode", "base64encode", "base64decode", "md5", "sha256", "hexToAscii", "hexToDec", "decToHex")),
    Function("substr", 2, 3),
    Function("replace", 3, 3),
    Function("regexReplace", 3, 3),
    Function("strcontains", 2, 3),
    Function("startsWith", 2, 2),
    Function("endsWith", 2, 2),
    Function("split", 2, 2),
    Function("unmask", 1, 1),
    # of several rows
    Function("count", 0, 1, aggregate=True),
    *(Function(name, 1, 1, aggregate=True) for name in ("avg", "count_distinct", "max", "min", "stddev", "variance", "sum", "earliest", "latest", "sortsFirst", "sortsLast", "values")),
    Function("pct", 2, 2, aggregate=True),
)  # fmt: skip

AGGREGATES = frozenset(name for name, function in FUNCTIONS.items() if function.aggregate)
