"""Status is decided from facts per action."""

from datetime import timedelta

import pytest

from rolewatch.findings.status import status

WEEK = timedelta(days=7)
T1, T2, T3, T9 = (
    "2026-03-01T00:00:00Z",
    "2026-03-02T00:00:00Z",
    "2026-03-03T00:00:00Z",
    "2026-03-20T00:00:00Z",
)

CASES = [
    (
        "every action allowed later",
        {"s3:A": T1, "s3:B": T1},
        {"s3:a": T2, "s3:b": T3},
        None,
        T3,
        ("recovered", T3, []),
    ),
    ("one action still shut", {"s3:A": T1, "s3:B": T1}, {"s3:a": T2}, None, T3, ("blocked", None, ["s3:B"])),
    (
        "a success before the denial proves nothing",
        {"s3:A": T2},
        {"s3:a": T1},
        None,
        T3,
        ("blocked", None, ["s3:A"]),
    ),
    (
        "a success in the same second proves nothing",
        {"s3:A": T2},
        {"s3:a": T2},
        None,
        T3,
        ("blocked", None, ["s3:A"]),
    ),
    ("the resource is gone", {"s3:A": T1}, {}, T2, T3, ("gone", T2, ["s3:A"])),
    ("gone before, so it came back", {"s3:A": T2}, {}, T1, T3, ("blocked", None, ["s3:A"])),
    ("no attempt for more than a week", {"s3:A": T1}, {}, None, T9, ("silent", None, ["s3:A"])),
    (
        "exactly a week is not more",
        {"s3:A": "2026-03-13T00:00:00Z"},
        {},
        None,
        T9,
        ("blocked", None, ["s3:A"]),
    ),
    (
        "a denial without a time is never over",
        {"s3:A": ""},
        {"s3:a": T9},
        T9,
        T9,
        ("blocked", None, ["s3:A"]),
    ),
    (
        "gone, but one denial has no time",
        {"s3:A": "", "s3:B": T1},
        {},
        T2,
        T3,
        ("blocked", None, ["s3:A", "s3:B"]),
    ),
    (
        "silent, but one denial has no time",
        {"s3:A": "", "s3:B": T1},
        {},
        None,
        T9,
        ("blocked", None, ["s3:A", "s3:B"]),
    ),
    ("partly recovered, then gone", {"s3:A": T1, "s3:B": T1}, {"s3:a": T2}, T3, T3, ("gone", T3, ["s3:B"])),
    (
        "partly recovered, then silent",
        {"s3:A": T1, "s3:B": T1},
        {"s3:a": T2},
        None,
        T9,
        ("silent", None, ["s3:B"]),
    ),
    ("recovered, and gone later", {"s3:A": T1}, {"s3:a": T2}, T3, T3, ("recovered", T2, [])),
    ("gone in the same second", {"s3:A": T2}, {}, T2, T3, ("blocked", None, ["s3:A"])),
    ("silent, and gone before", {"s3:A": T2}, {}, T1, T9, ("silent", None, ["s3:A"])),
    ("a second more than a week", {"s3:A": "2026-03-12T23:59:59Z"}, {}, None, T9, ("silent", None, ["s3:A"])),
    (
        "a last record before the calendar",
        {"s3:A": T1},
        {},
        None,
        "0001-01-02T00:00:00Z",
        ("blocked", None, ["s3:A"]),
    ),
    ("an unknown last record", {"s3:A": T1}, {}, None, None, ("blocked", None, ["s3:A"])),
    ("a last record that is no time", {"s3:A": T1}, {}, None, "soon", ("blocked", None, ["s3:A"])),
]


@pytest.mark.parametrize(
    ("denied", "allowed", "gone", "last", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_status(denied, allowed, gone, last, expected):
    """Each combination of facts has one status."""
    assert expected == tuple(status(denied, allowed, gone, last, WEEK))
