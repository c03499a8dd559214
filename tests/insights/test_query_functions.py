"""Each function of the language: engines and the slow evaluator give the same, in as many ways as there are arguments."""

import pytest
from answers import answers
from messages import MESSAGES
from reference import run
from test_query_engines import alike

from rolewatch.insights import QueryError
from rolewatch.insights.functions import FUNCTIONS
from rolewatch.insights.lower import Moments
from rolewatch.insights.parse import parse_query
from rolewatch.insights.planner import plan_query

SPAN = {"start": 1_772_359_200_000, "end": 1_772_366_400_000}
SAMPLES = {
    "round": ["round(size)", "round(size, 1)"],
    "greatest": ["greatest(size, 2, 3)"],
    "least": ["least(size, 2, 3)"],
    "haversine": ["round(haversine(52.5, 13.4, size, 2.35), 6)"],
    "bin": ["bin(7m)", "bin(1w)", "bin(1mo)"],
    "datefloor": ["datefloor(@timestamp, 2h)"],
    "dateceil": ["dateceil(@timestamp, 1q)"],
    "frommillis": ["fromMillis(size)", "fromMillis(toMillis(@timestamp) + 1)"],
    "tomillis": ["toMillis(@timestamp)"],
    "parsedate": ["parseDate(eventTime, \"yyyy-MM-dd'T'HH:mm:ss'Z'\")", "parseDate('2026-07-01', 'yyyy-MM-dd', 'Europe/Berlin')"],
    "formatdate": ["formatDate(@timestamp, 'yyyy-MM-dd HH:mm:ss.SSS')", "formatDate(@timestamp, 'HH', 'Asia/Tokyo')"],
    "strftime": ["strftime(@timestamp, 'yyyy')"],
    "coalesce": ["coalesce(errorCode, awsRegion)"],
    "if": ["if(size > 1, eventName, awsRegion)"],
    "case": ["case(size > 5, 'a', size > 1, 'b', 'c')", "case(size > 5, 'a', size > 1, 'b')"],
    "jsonparse": ["jsonParse(text)"],
    "jsonstringify": ["jsonStringify(jsonParse(text))"],
    "jsonarraysize": ["jsonArraySize(jsonParse('[1, 2]'))", "jsonArraySize(jsonParse(text))"],
    "jsonarraycontains": ["jsonArrayContains(jsonParse('[\"x\", \"y\"]'), 'y')"],
    "isipinsubnet": ["isIpInSubnet(sourceIPAddress, '10.0.0.0/8')"],
    "isipv4insubnet": ["isIpv4InSubnet(sourceIPAddress, '192.0.2.0/24')"],
    "isipv6insubnet": ["isIpv6InSubnet(sourceIPAddress, '2001:db8::/64')"],
    "concat": ["concat(eventName, size, readOnly)"],
    "substr": ["substr(eventName, 2)", "substr(eventName, 1, 2)", "substr(eventName, 0 - 1)", "substr(eventName, 1, size)"],
    "replace": ["replace(eventName, 'e', '*')"],
    "regexreplace": ["regexReplace(eventName, '([A-Z])([a-z]+)', '<\\\\2\\\\1>')"],
    "strcontains": ["strcontains(eventName, 'obj')", "strcontains(eventName, 'obj', true)"],
    "startswith": ["startsWith(eventName, 'Get')"],
    "endswith": ["endsWith(eventName, 'ct')"],
    "split": ["split(eventName, 'e')", "split(eventName, '')", "split(nope, 'x')"],
    "pct": ["pct(size, 75)"],
    "count": ["count()", "count(*)", "count(size)"],
    **{name: [f"{name}({argument})"] for name in ("trim", "ltrim", "rtrim") for argument in ["eventName, 'Gtx'"]},
}  # fmt: skip
ALL = [
    (name, call)
    for name, function in FUNCTIONS.items()
    for call in SAMPLES.get(name, [f"{name}({', '.join(['size'] * function.least)})"])
]


@pytest.mark.parametrize(("name", "call"), ALL, ids=[call for _, call in ALL])
def test_function(name, call, engine):
    """A value for each record, or for each group."""
    query = f"stats {call} as value by awsRegion" if FUNCTIONS[name].aggregate else f"fields {call} as value"
    assert alike(answers(query, MESSAGES, engine=engine, **SPAN), run(query, MESSAGES, **SPAN))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("regexReplace(a, '(', 'x')", "not a regular expression that RE2 takes"),
        ("regexReplace(a, b, 'x')", "regexReplace takes a quoted text here"),
        ("regexReplace(a, '(x)', '\\\\2')", "a replacement refers to the 1 groups of its expression"),
        ("regexReplace(a, '(x)', '\\\\y')", "a replacement refers to the 1 groups of its expression"),
        ("formatDate(@timestamp, a)", "formatdate takes a quoted text here"),
    ],
)
def test_wrong_arguments(call, message):
    """What only a constant can say has to be one, and right."""
    with pytest.raises(QueryError, match=message):
        plan_query(parse_query(f"fields {call}"), Moments(0, 0))
