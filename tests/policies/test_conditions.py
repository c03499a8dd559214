"""Conditions against what is known of keys, from the files in conditions/: each has its source."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.policies.conditions import test_of as condition_of
from rolewatch.policies.conditions import value_shown
from rolewatch.policies.operators import OPERATORS, moment
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import UNKNOWN, Context, Unsure, context_of, make_request, principal_of
from rolewatch.policies.statements import apply, why
from rolewatch.policies.truth import Truth

FILES = sorted(Path(__file__).with_name("conditions").glob("*.json"))
ROWS = [(file.stem, row) for file in FILES for row in json.loads(file.read_text())["rows"]]
VALUES = {"date": "2026-01-01", "ip": "10.0.0.0/8", "bool": "true", "binary": "AAAA"}
ALL = [f"{name}{ending}" for name in OPERATORS for ending in ("", "ifexists")]


def applied(row):
    """Hold a row's context against a statement with its condition."""
    statement = {"Effect": "Deny", "Action": "x:Do", "Resource": "*", "Condition": row["condition"]}
    policy = read_policy(
        json.dumps({"Version": row.get("version", "2012-10-17"), "Statement": statement}), "case"
    )
    given_keys = {
        key: [str(each) for each in (value if isinstance(value, list) else [value])]
        for key, value in row["context"].items()
    }
    context = context_of(given_keys, absent=row.get("absent", []), complete=row.get("complete", True))
    request = make_request(principal_of("config.amazonaws.com"), "x:Do", "arn:aws:x:::y", "", context)
    return apply(policy.statements[0], request), request


@pytest.mark.parametrize(("file", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else value["says"])  # fmt: skip
def test_condition_holds_as_its_source_says(file, row):
    """A condition holds, does not hold, or hangs on keys, as the row of a file says."""
    del file
    found, request = applied(row)
    assert found.truth.known is row["holds"], why(found, request)
    assert list(found.missing) == row.get("missing", [])
    assert why(found, request)


def test_every_operator_is_in_a_file():
    """Each operator is in a row of the files, plain, and each kind of value with IfExists and a set operator."""
    used = {operator.lower() for _, row in ROWS for operator in row["condition"]}
    assert not set(OPERATORS) - used
    assert "null" in used
    assert {"forallvalues", "foranyvalue"} <= {name.partition(":")[0] for name in used if ":" in name}


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize("prefix", ["", "ForAllValues:", "ForAnyValue:"])
def test_absent_unknown_and_unsure_keys(operator, prefix):
    """What holds for an absent key and for every value holds for an unknown one; else an unknown one is not certain."""
    negated = OPERATORS[operator.removesuffix("ifexists")].negated
    lenient = operator.endswith("ifexists")
    values = [next((value for name, value in VALUES.items() if name in operator), "1")]
    decide = condition_of(prefix + operator, "k:x", values, variables=True).decide
    absent = {"": negated, "ForAllValues:": True, "ForAnyValue:": False}[prefix] or lenient
    assert decide(Context({})).truth is Truth.of(absent)
    assert decide(Context({}, frozenset({"k:x"}), complete=False)).truth is Truth.of(absent)
    assert decide(Context({}, complete=False)).truth is Truth.UNKNOWN
    never = condition_of(prefix + operator, "k:x", [], variables=True).decide
    assert never(Context({"k:x": ("1",)})).truth is Truth.of(negated)
    same = Truth.of(negated) if absent is negated else Truth.UNKNOWN
    assert never(Context({}, complete=False)).truth is same


@pytest.mark.parametrize(("value", "operator", "values", "holds"), [
    (Unsure(values=("a",)), "StringEquals", ["a"], None),
    (Unsure(values=("a",)), "StringEquals", ["b"], False),
    (Unsure(values=("a",)), "StringNotEquals", ["b"], True),
    (Unsure(values=("a",)), "StringEqualsIfExists", ["a"], True),
    (Unsure(values=("a",), there=True), "StringEquals", ["a"], True),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "StringLike", ["arn:aws:iam::1:role/*"], True),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "StringLike", ["arn:aws:iam::1:role/x/y*"], None),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "StringLike", ["arn:aws:iam::1:user/*"], False),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "StringNotLike", ["arn:aws:iam::1:user/*"], True),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "StringLike", ["*"], True),
    (Unsure(there=True, begins=("AROA1:", "AROA2:")), "StringLike", ["AROA1:*"], None),
    (Unsure(there=True, begins=("AROA1:",)), "StringEquals", ["AROA1"], False),
    (Unsure(there=True, begins=("AROA1:",)), "StringLike", ["AROA1:?*"], None),
    (Unsure(there=True, begins=("AROA1:",)), "StringEquals", ["AROA1:x"], None),
    (Unsure(there=True, begins=("AROA1:",)), "ArnLike", ["arn:aws:s3:::*"], False),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "ArnLike", ["arn:aws:iam::*:role/x/*"], True),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "ArnNotLike", ["arn:*:iam::1:role/x/y"], None),
    (Unsure(there=True, begins=("arn:aws:iam::1:role/x/",)), "ArnNotEquals", ["arn:aws:iam::1:role/*"], False),
    (Unsure(there=True, begins=("AROA1:",)), "StringLike", ["${*}AROA"], None),
    (Unsure(there=True, begins=("AROA1:",)), "StringLike", ["${k:unknown}"], None),
    (Unsure(there=True), "Null", ["false"], True),
    (Unsure(), "Null", ["false"], None),
    (Unsure(may_be=lambda value: value == "*"), "StringEquals", ["vpce-1"], False),
    (Unsure(may_be=lambda value: value == "*"), "StringNotEquals", ["vpce-1"], True),
    (Unsure(may_be=lambda value: value == "*"), "StringLike", ["vpce-1", "*"], None),
    (Unsure(may_be=lambda value: value == "*"), "StringEqualsIfExists", ["vpce-1"], None),
    (UNKNOWN, "StringLike", ["*"], None),
])  # fmt: skip
def test_values_known_in_part(value, operator, values, holds):
    """A key whose value is known in part decides where all that it may be decide alike."""
    context = Context({}, others=lambda key: value if key == "k:x" else UNKNOWN)
    held = condition_of(operator, "k:x", values, variables=True).decide(context)
    assert held.truth.known is holds
    assert held.missing == (("k:x",) if holds is None else ())


@given(st.sampled_from(ALL), st.text(max_size=8), st.text(max_size=8))
def test_operators_take_any_text(operator, wanted, found):
    """Whatever a policy and a request hold, an operator decides, and its negation decides the opposite."""
    decide = condition_of(operator, "k:x", [wanted], variables=False).decide
    assert decide(Context({"k:x": (found,)})).truth in (Truth.YES, Truth.NO)


@given(st.text("*?ab", max_size=6), st.text("ab*?", max_size=8))
def test_negated_operators_are_opposites(wanted, found):
    """For one value that is there, a negated operator says the opposite of the plain one."""
    context = Context({"k:x": (found,)})
    for plain, negated in (("StringLike", "StringNotLike"), ("StringEquals", "StringNotEquals"), ("ArnLike", "ArnNotLike"), ("NumericEquals", "NumericNotEquals")):  # fmt: skip
        one, other = (condition_of(each, "k:x", [wanted], variables=True).decide(context) for each in (plain, negated))  # fmt: skip
        assert one.truth is ~other.truth


@pytest.mark.parametrize(("text", "seconds"), [
    ("2026-01-01", 1767225600), ("2026-01", 1767225600), ("2026-01-01T00:00Z", 1767225600), ("2026-01-01T01:00:00+0100", 1767225600),
    ("1767225600", 1767225600), ("2026-01-01T00:00:00.250Z", 1767225600.25), (" 2026-01-01 ", 1767225600), ("2026", 2026),
    ("999999999999", None), ("2026-13-01", None), ("20260101", 20260101), ("2026-01-01 00:00", None), ("2026-01-01T25:00:00Z", None), ("", None), ("-1", None),
])  # fmt: skip
def test_dates(text, seconds):
    """Dates are W3C's profile of ISO 8601 or seconds since 1970."""
    at = moment(text)
    assert (at and at.timestamp()) == seconds


def test_values_are_shown():
    """What is known of a key is told in words."""
    assert [value_shown(value) for value in (None, UNKNOWN, (), ("a", "b"))] == ["absent", "not known", "no values", '"a", "b"']  # fmt: skip
