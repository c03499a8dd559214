"""Writes a report in a format, and fills reports with what attackers might have written."""

import unicodedata
from io import StringIO
from itertools import cycle

from hypothesis import strategies as st

from rolewatch.report.formats import FORMATS, Options

#: Whatever can be in a record: any character at all, lone surrogates and controls included.
STRINGS = st.text(st.characters(), max_size=40) | st.sampled_from(
    [
        "\x1b[2J",
        "=1+1",
        "\x9b31m",
        "\u202edesrever",
        "\ud800",
        "a\nb",
        "\t-1",
        "[red]x[/red]",
        "漢字",
        "x" * 300,
    ]
)


def written(name, report, **options):
    """Return a report in a format, as a stream that is no terminal gets it; the environment is empty."""
    out = StringIO()
    FORMATS[name](report, out, Options(**{"environ": {}, **options}))
    return out.getvalue()


def steering(text):
    """Return the characters of a text that would move a cursor, reorder it or cannot be encoded; a line feed is none."""
    return {
        char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


def infested(report, strings):
    """Return the report with every string that may come from a record replaced by one of these, in turn."""
    supply = cycle(strings)

    def fill(value, *, names=False):
        if isinstance(value, str):
            return next(supply)
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, dict):
            return {
                next(supply) + str(index) if names else key: fill(
                    item, names=key in {"actions", "error_codes"}
                )
                for index, (key, item) in enumerate(value.items())
            }
        return value

    return fill(report)


def by_resource(report, resource):
    """Return the finding of a resource."""
    return next(finding for finding in report["findings"] if finding["resource"] == resource)


def only(report, *resources):
    """Return the report with the findings of these resources, in this order."""
    return report | {"findings": [by_resource(report, f"arn:aws:s3:::{name}") for name in resources]}
