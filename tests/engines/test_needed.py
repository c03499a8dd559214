"""The literals that a query's filters need find every record that the filters let through."""

from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trails import content, planned, record

from rolewatch.engines.deliveries import needed
from rolewatch.engines.duckdb import rows_of
from rolewatch.plan import gets
from rolewatch.scan.pool import fold
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.rows import Rows
from rolewatch.sources import BytesDelivery

TEXTS = [
    "AccessDenied", "Access", "GetObject", "NoSuchBucket", "", "1", "0", "true", "7", "7.0", "1e3", "1000", "2.5", "e", "Infinity",
    'a"b\\c', "\u00e9 \U0001f512", "\U0001f512", "a*b", "*", "a/b", "/", "\n", "\x00", "\u2028", "\ufffd", "\ud800", "arn:aws:sts::", "missing", "null", "{", "errorCode",
]  # fmt: skip
NAMES = ["errorCode", "eventName", "requestParameters.size", "requestParameters.list.0", "requestParameters.list", "userIdentity.arn", "userIdentity", "nope", "x", '`a"b`', "`\u00f6x`", "@@x", "@x", "eventTime", "@message"]  # fmt: skip
VALUES = st.sampled_from([*TEXTS, 1, 2.5, 1000.0, True, False, None, [], {"a": "AccessDenied"}, ["GetObject"]]) | st.text(max_size=6)  # fmt: skip


def quoted(text):
    """Write a text as a literal of the language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


FIELDS = st.sampled_from(NAMES)
WRITTEN = st.sampled_from(TEXTS).map(quoted) | st.text(max_size=6).map(quoted)
SINGLE = st.one_of(
    st.builds("{} {} {}".format, FIELDS, st.sampled_from(["=", "!=", "like", "not like"]), WRITTEN),
    st.builds("{} = {}".format, WRITTEN, FIELDS),
    st.builds("{} = {}".format, FIELDS, st.sampled_from(["1", "7", "2.5", "true", "false", "errorCode"])),
    st.builds(lambda name, word, values: f"{name} {word} [{', '.join(values)}]", FIELDS, st.sampled_from(["in", "not in"]), st.lists(WRITTEN | st.sampled_from(["1", "7"]), min_size=1, max_size=3)),
    st.builds("ispresent({})".format, FIELDS),
)  # fmt: skip
FILTERS = st.recursive(
    SINGLE,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)
ODD = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("errorCode", "eventName", "x", 'a"b', "öx", "@x", "eventTime"), VALUES),
)
LAYOUTS = st.sampled_from([
    {}, {}, {"ensure_ascii": True, "separators": (",", ":")}, {"ensure_ascii": False, "indent": 1},
])  # fmt: skip


def found(plan, pattern, text):
    """Answer a plan over a delivery."""
    delivery = BytesDelivery(
        name="x.json", identity="x", named=True, size=len(text), remote=False, content=text
    )
    with fold([delivery], partial(Rows, gets(plan), pattern, ScanRequest()), 1) as crew:
        table = crew.summary
    assert table.unreadable == []
    columns = dict(zip(gets(plan), table.columns, strict=True))
    return rows_of(plan, columns, table.number, most=100), table.number


@settings(max_examples=120)
@given(st.lists(FILTERS, min_size=1, max_size=2), st.lists(ODD, min_size=1, max_size=4), LAYOUTS, st.sampled_from(["/", "\\/"]))  # fmt: skip
@example(["x = '\ufffd'"], [{"x": "\udcff"}], {}, "/")
@example(["x in ['ab\ufffd\ufffd\ufffd']"], [{"x": "ab\udcff"}], {}, "/")
@example(["`\u00f6x` like 'abcdef'"], [{"\u00f6x": "abcdefg"}], {}, "/")
@example(["x in ['1', 'a/bcdef']"], [{"x": True}, {"x": "a/bcdef"}], {}, "\\/")
def test_as_without(filters, odd, layout, slash):
    """The answer with literals is the answer without them, whatever the records and the filters hold."""
    plan = planned(" | ".join(f"filter {each}" for each in filters) + " | fields eventID | sort eventID")
    put = [record(n, **fields) for n, fields in enumerate(odd)] + [record(n) for n in range(8, 18)]
    text = content(*put, **layout).replace(b"/", slash.encode())
    expected, all_of_them = found(plan, None, text)
    answered, some = found(plan, needed(plan), text)
    assert answered == expected
    assert some <= all_of_them == len(put)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("filter errorCode = 'AccessDenied'", 2),
        ("filter 'AccessDenied' = errorCode", 2),
        ("filter errorCode like 'ccessDeni'", 2),
        ("filter errorCode in ['AccessDenied', 'NoSuchBucket']", 4),
        ("filter errorCode = 'AccessDenied' or errorCode = 'NoSuchBucket'", 4),
        ("filter errorCode != 'NoSuchBucket' | filter errorCode = 'AccessDenied'", 2),
        ("filter errorCode != 'AccessDenied'", 16),
        ("filter errorCode = 'AccessDenied' or size = 1", 16),
        ("stats count(*) by errorCode | filter errorCode = 'AccessDenied'", 16),
        ("fields 1 as errorCode | filter errorCode = 'AccessDenied'", 16),
    ],
)
def test_what_is_looked_at(query, rows):
    """Only records that may matter become rows, where filters tell by a text which those are."""
    plan = planned(query)
    assert found(plan, needed(plan), content(*map(record, range(16))))[1] == rows
