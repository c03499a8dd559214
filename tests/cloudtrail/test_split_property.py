"""Whatever the records and however they are wrapped, `split` gives exactly the records."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from wrappings import (
    SHAPES,
    base64_gzip,
    dumps,
    event,
    filtered,
    lines,
    log_events,
    notification,
    parsed,
)

LOOK_ALIKES = ('},{"eventVersion":"1.08"', '{"Records":[', "]}", "\n{", "\\", '"', "\u2028", "\ufeff", "\U0001f512", "\x00", "{[", "2026-03-01T00:00:00Z {")  # fmt: skip
TEXTS = st.text(max_size=8) | st.lists(st.sampled_from(LOOK_ALIKES), max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(TEXTS | st.sampled_from(["eventVersion", "Records", "detail", "message", "Body"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
FIELDS = dict.fromkeys(("requestParameters", "responseElements", "serviceEventDetails", "message", "data", "x"), VALUES)  # fmt: skip
KNOWN = dict.fromkeys(("eventVersion", "eventTime", "eventName", "eventID", "errorCode", "eventType"), TEXTS)  # fmt: skip


@st.composite
def records(draw):
    """Make a record: some of its keys, in any order, with any content below them."""
    chosen = draw(st.fixed_dictionaries({}, optional={**FIELDS, **KNOWN}))
    chosen.setdefault("eventName", "GetBucketAcl")
    return dict(draw(st.permutations(list(chosen.items()))))


# Each wraps one content as a string or object in another; they can be put into one another in any order.
ENVELOPES = {
    "SNS": notification,
    "SQS": lambda content: {"Messages": [{"Body": content}]},
    "SQS, Lambda": lambda content: {"Records": [{"body": content, "eventSource": "aws:sqs"}]},
    "EventBridge": lambda content: event(json.loads(content)),
    "log events": lambda content: filtered([json.loads(content)]),
    "CloudWatch Logs": lambda content: log_events([json.loads(content)]),
    "Lambda": lambda content: {"awslogs": {"data": base64_gzip(content.encode())}},
    "LookupEvents": lambda content: {"Events": [{"CloudTrailEvent": content}]},
    "array": lambda content: [json.loads(content)],
    "log file": lambda content: {"Records": [json.loads(content)]},
}


@settings(max_examples=400, deadline=None)
@given(st.lists(records(), min_size=1, max_size=5), st.sampled_from(sorted(SHAPES)), st.integers(1, 200))
def test_shapes(items, shape, size):
    """Every shape, in pieces of any size, gives back the records."""
    assert (items, None) == parsed(SHAPES[shape](items), size)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(records(), min_size=1, max_size=4),
    st.lists(st.sampled_from(sorted(ENVELOPES)), max_size=4),
    st.integers(1, 200),
)
def test_envelopes_in_envelopes(items, names, size):
    """Envelopes may stand in one another in any order."""
    wrapped = []
    for item in items:
        text = dumps(item)
        for name in names:
            text = dumps(ENVELOPES[name](text))
        wrapped.append(json.loads(text))
    assert (items, None) == parsed(lines(wrapped), size)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                sorted(
                    set(SHAPES)
                    - {
                        name
                        for name in SHAPES
                        if "UTF" in name or "gzip" in name or "members" in name or "Firehose" in name
                    }
                )
            ),
            records(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_shapes_one_after_another(parts):
    """Contents of different shapes may follow one another in a delivery."""
    content = b"\n".join(SHAPES[shape]([item]) for shape, item in parts)
    assert ([item for _, item in parts], None) == parsed(content)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b'{"Records":[',
                b"]}",
                b"{",
                b'"',
                b"\\",
                b"\n",
                b",",
                b":",
                b'{"eventName":1}',
                b'{"message":"',
                b"[",
                b"]",
                b"\xef\xbb\xbf",
                b"2026-03-01T00:00:00Z ",
                b"\x1f\x8b\x08",
                b"\0",
                b"x",
                b" ",
            ]
        ),
        max_size=60,
    ).map(b"".join),
    st.integers(1, 50),
)
def test_no_bytes_make_it_fail(content, size):
    """Whatever the bytes and pieces, the result is the same: records that are JSON objects, and maybe a verdict."""
    found, verdict = parsed(content, size)
    assert {dict}.issuperset(map(type, found))
    whole, again = parsed(content)
    assert (whole, type(again)) == (found, type(verdict))
