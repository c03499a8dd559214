"""Records that nobody writes, as text of JSON: for tests that two ways of reading agree on whatever can come."""

import json

from hypothesis import strategies as st

from rolewatch.plan import Get, Plan, Shown

NAMES = [
    "a", "b", "0", "1", "00", "2147483648", "1234567890", "", "a.b", "a/b", "a~b", "~1", "/", "@x", "@@x", "@message", "é", "x\0y", "²", "-", "$", "*", '"', "'",
    "eventName", "errorCode", "errorMessage", "readOnly", "managementEvent", "userIdentity", "arn", "type", "sessionContext", "sessionIssuer", "attributes",
    "mfaAuthenticated", "resources", "ARN", "tlsDetails", "tlsVersion", "requestParameters", "addendum",
]  # fmt: skip
LEAVES = [
    "0", "1", "-1", "-0", "-0.0", "1.5", "1.50", "0.1e-7", "1e3", "1E400", "123456789012345", "1234567890123456", "18446744073709551616", "-9223372036854775809",
    "true", "false", "null", '""', '"x"', '"1"', '"true"', '"é"', '"\U0001f512"', r'"\u0041"', r'"\u0000"', r'"\ud83d\ude00"', r'"\ud800"', r'"\udc00x"',
    r'"a\/b"', r'"\n\t\"\\"', r'"\\ud800"', r'":-0,"'.replace(",", ""), '"\x7f"', "[]", "{}", "[[]]", "[{}]",
]  # fmt: skip
TIMES = ["2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z", "2026-03-02T00:00:00Z", "2026-03-31T23:59:59Z"]
ODD_TIMES = [
    "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
    "2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z", "2026-03-01", "20260301T100000Z", "2026-03-01T10:00:00+02:00", "2026-03-01T10:00:00.123456Z", "x", "",
]  # fmt: skip
HEAD = '"eventVersion":"1.09"'


def _escaped(name):
    return '"' + "".join(f"\\u{ord(char):04x}" for char in name) + '"'


def _spelled(name):
    plain = json.dumps(name, ensure_ascii=False)
    return st.sampled_from([plain] * 6 + [_escaped(name)])


KEYS = st.sampled_from(NAMES).flatmap(_spelled)


def _object(inner):
    return st.lists(st.tuples(KEYS, inner), max_size=4).map(lambda members: "{" + ",".join(f"{key}:{value}" for key, value in members) + "}")  # fmt: skip


def _array(inner):
    return st.lists(inner, max_size=3).map(lambda values: f"[{','.join(values)}]")


VALUES = st.recursive(
    st.sampled_from(LEAVES), lambda inner: st.one_of(_object(inner), _array(inner)), max_leaves=8
)
TIME = st.sampled_from([*TIMES * 4, *ODD_TIMES]).map(lambda time: f'"eventTime":{json.dumps(time)}')
PLACE = st.sampled_from(['"awsRegion":"us-east-1"', '"awsRegion":"eu-west-1"', '"awsRegion":1', '"awsRegion":null'])  # fmt: skip
OWNER = st.sampled_from(['"recipientAccountId":"111122223333"', '"recipientAccountId":111122223333', '"recipientAccountId":""', '"x":1'])  # fmt: skip
MEMBERS = st.lists(st.tuples(KEYS, VALUES).map(":".join), max_size=6)


@st.composite
def records(draw):
    """Make a record in CloudTrail's order of keys, with members of any kind, some of them twice or with white space."""
    members = [draw(TIME), draw(PLACE), draw(OWNER), *draw(MEMBERS)]
    space = draw(st.sampled_from(["", "", "", " ", "\n"]))
    return "{" + f",{space}".join([HEAD, *members]) + "}"


STEPS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)


def _get(steps):
    first, *others = steps
    return Get((f"@{first}" if first.startswith("@") else first, *others))


GETS = STEPS.map(_get)


def showing(gets):
    """Make the plan that shows fields of all records."""
    return Plan((), tuple(Shown("", get) for get in gets))
