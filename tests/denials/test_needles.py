"""The literals that a scan searches for let no record slip that detection would make something of."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trail import IDENTITIES, LEFT_OUT, LINKED, SLR, USER, item, raw

from rolewatch.catalog.codes import AUTHORIZED_BUT_ABSENT, CODES, DELETES, GONE, LISTED_ERRORS
from rolewatch.cloudtrail.read import Listed
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials, facts, search, worth

RULES = [Rule(), *(Rule(frozenset(("slr", kind))) for kind in ("service", "service-role", "all"))]
WITH_AUTHENTICATION = Rule(authentication=True)
QUIET = {"errorCode": LEFT_OUT, "errorMessage": LEFT_OUT}


def reached(record, rule, *, recovery=True):
    """Say how a scan comes to decode a record: in full for its error, for what it proves, or not at all (None)."""
    marked = Listed([record], search(rule, recovery=recovery)).marked
    return worth(record, marked[0][2], rule, recovery=recovery) if marked else None


def escape(text, letters):
    """Write some letters of JSON strings, and slashes, as the escapes that mean the same."""
    out, inside, skip = [], False, False
    for char in text:
        if inside and not skip and char in letters and char not in '"\\':
            out.append("\\/" if char == "/" else f"\\u{ord(char):04x}")
        else:
            out.append(char)
        if char == '"' and not skip:
            inside = not inside
        skip = inside and char == "\\" and not skip
    return "".join(out)


def check(record, rule):
    """Hold that a record with a denial is decoded in full, and one with a fact at least for what it proves."""
    decoded = decode(record)
    if denials(decoded, record, rule):
        assert reached(record, rule) == "error"
        assert reached(record, rule, recovery=False) == "error"
    elif facts(decoded, rule):
        assert reached(record, rule)


CODES_OF_INTEREST = sorted(
    {row.code for row in CODES} | {f"Client.{row.code}" for row in GONE} | {row.code for row in GONE} | AUTHORIZED_BUT_ABSENT
)  # fmt: skip
CALLS = (
    st.sampled_from([("s3.amazonaws.com", "HeadBucket"), ("s3.amazonaws.com", "DeleteBucket")])
    | st.sampled_from([(row.event_source, row.event_name) for row in LISTED_ERRORS])
    | st.sampled_from(sorted(DELETES))
)
LISTED = {"failedAccounts": [{"errorCode": "ACCESS_DENIED"}], "UnprocessedAssociationUpdates": [{"ErrorCode": "ACCESS_DENIED"}]}  # fmt: skip
PARAMETERS = [
    None,
    {"bucketName": "b"},
    {"bucketName": "b", "note": 'errorCode":"errorCode"'},
    {"bucketName": "b", "errorCode": "NoSuchBucket"},
    {"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q"},
    {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}},
]


FIELDS = st.fixed_dictionaries(
    {
        "userIdentity": st.sampled_from([*IDENTITIES.values(), None, {"type": "Role", "arn": SLR}, {}]),
        "errorCode": st.just(LEFT_OUT)
        | st.sampled_from([None, "", "SlowDown", "AccessDenied", "NoSuchBucket"])
        | st.sampled_from(CODES_OF_INTEREST),
        "responseElements": st.sampled_from([None, LISTED]),
        "requestParameters": st.sampled_from(PARAMETERS),
    }
)
LAYOUTS = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"separators": (" , ", "\t:\n")}])


@settings(max_examples=500)
@given(
    st.sampled_from([*RULES, WITH_AUTHENTICATION]),
    FIELDS,
    CALLS,
    LAYOUTS,
    st.sampled_from(["", "", "/", "a", "rC", "e", "a/", "DTN", "S"]),
)
def test_complete(rule, fields, call, layout, letters):
    """Whoever called, whatever came of it and however it is written, a record that matters is decoded."""
    source, name = call
    text = json.dumps(item(**fields, eventSource=source, eventName=name), **layout)
    check(escape(text, letters).encode(), rule)


@pytest.mark.parametrize("code", CODES_OF_INTEREST)
@pytest.mark.parametrize("rule", RULES, ids=["slr", "service", "service-role", "all"])
def test_every_code(code, rule):
    """No code of any table is behind a literal that a record with it need not hold."""
    sources = {row.event_source for row in GONE if row.code in code} or {"s3.amazonaws.com"}
    for source in sources:
        for identity in IDENTITIES.values():
            check(raw(errorCode=code, eventSource=source, userIdentity=identity), rule)


@pytest.mark.parametrize("rule", RULES, ids=["slr", "service", "service-role", "all"])
def test_every_success(rule):
    """No watched principal's success is behind a literal that its record need not hold."""
    for identity in IDENTITIES.values():
        check(raw(userIdentity=identity), rule)


@pytest.mark.parametrize("row", GONE, ids=[f"{row.event_source} {row.code}" for row in GONE])
def test_worth_of_what_is_missing(row):
    """A person's error that says that a resource does not exist is worth decoding where recovery is followed."""
    record = raw(errorCode=row.code, eventSource=row.event_source, userIdentity=USER)
    assert reached(record, Rule()) == "error"
    assert reached(record, Rule(), recovery=False) is None


@pytest.mark.parametrize(("source", "name"), sorted(DELETES))
def test_deletions(source, name):
    """A person's deletion holds a literal, also where the error that is none comes with it."""
    fields = {"eventSource": source, "eventName": name, "userIdentity": USER}
    assert reached(raw(**fields), Rule()) == "success"
    assert reached(raw(**fields, errorCode=None), Rule()) == "success"


NOT_WORTH = [
    {"userIdentity": USER, "errorCode": "AccessDenied"},
    {"userIdentity": USER, "errorCode": "ThrottlingException"},
    {"userIdentity": {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}, "errorCode": "AccessDenied"},
]


@pytest.mark.parametrize("fields", NOT_WORTH)
def test_what_is_not_decoded(fields):
    """Other people's refusals are passed over unless they are watched, which is what makes a scan quick."""
    assert reached(raw(**fields), Rule()) is None
    assert reached(raw(**fields), RULES[-1]) == "error"


def test_without_recovery():
    """Without following recovery only records with an error are decoded."""
    assert reached(raw(**QUIET, userIdentity=LINKED), Rule(), recovery=False) is None
    assert reached(raw(**QUIET, userIdentity=LINKED), Rule()) == "success"


@pytest.mark.parametrize("letters", ["/", "a", "rC", "DTN"])
@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", LEFT_OUT])
def test_escapes(letters, code):
    """A literal that is hidden behind an escape makes the record one to decode all the same."""
    record = escape(json.dumps(item(errorCode=code, eventName="DeleteBucket")), letters).encode()
    check(record, Rule())
