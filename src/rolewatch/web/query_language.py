"""What there is to write in a query, for completion: the commands and functions of the language, and the fields of records."""

from functools import cache
from typing import Any, Final

from rolewatch.insights.functions import FUNCTIONS
from rolewatch.lake.schema import COLUMNS
from rolewatch.lint.trail import FIELDS

#: Commands that can be run, and what each does.
COMMANDS: Final = {
    "fields": "show these fields, or make new ones: fields a, concat(a, b) as c",
    "filter": "keep records for which this is true: filter errorCode like /Denied/",
    "where": "the same as filter",
    "filterIndex": "keep records whose field has a value",
    "stats": "count and sum up: stats count(*) by eventSource, bin(1h)",
    "sort": "put in order: sort @timestamp desc",
    "order": "the same as sort",
    "limit": "take so many rows",
    "head": "the same as limit",
    "tail": "take so many of the last rows",
    "parse": "take parts out of a text: parse userAgent '*/*' as product, version",
    "display": "show only these fields, at the end",
    "dedup": "one row for each combination of values",
    "unnest": "a row for each element of an array",
    "pattern": "which patterns texts have: pattern @message",
    "diff": "compare patterns with the time before",
    "join": "put the rows of another query beside these",
    "unmask": "show masked values",
    "SOURCE": "choose log groups; a lake has none, so it changes nothing",
}
#: Fields that no record has by itself.
GIVEN: Final = {
    "@timestamp": "when it happened",
    "@message": "the whole record as JSON",
}


@cache
def vocabulary() -> dict[str, list[dict[str, Any]]]:
    """Give commands, functions and fields, each with its name and what it is; `column`: it is read without the record."""
    functions = [
        {"name": each.name, "least": each.least, "most": each.most, "aggregate": each.aggregate}
        for each in sorted(FUNCTIONS.values(), key=lambda each: each.name.lower())
    ]
    columns = {".".join(steps): steps for steps in COLUMNS}
    known = {".".join("0" if not isinstance(step, str) else step for step in path) for path in FIELDS}
    fields = [{"name": name, "about": about, "column": name == "@timestamp"} for name, about in GIVEN.items()]
    fields += [
        {"name": name, "about": "", "column": name in columns} for name in sorted(known.union(columns), key=str.lower)
    ]  # fmt: skip
    commands = [{"name": name, "about": about} for name, about in COMMANDS.items()]
    return {"commands": commands, "functions": functions, "fields": fields}
