"""Mutes: what they match, how long they last, and what is refused."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lives import ACCOUNT, DAY, HOUR, MINUTE, NOW, finding
from rolewatch.base.errors import UsageError
from rolewatch.findings.match import fits, parse_match, specificity
from rolewatch.findings.mutes import (
    LONGEST,
    Mute,
    ended,
    ended_by_recovery,
    is_active,
    muted_by,
    new_mute,
)

ONE = {"id": finding()["id"]}


def mute(match=None, **more):
    """Make a mute of a day."""
    words = {"reason": "moving house", "by": "ada", "until": DAY, "now": NOW} | more
    return new_mute({"account": ACCOUNT} if match is None else match, **words)


MATCHES = [
    ("service=config.amazonaws.com", {"service": "config.amazonaws.com"}, True),
    ("service=config", {"service": "config.amazonaws.com*"}, True),
    ("service=Config", {"service": "config.amazonaws.com*"}, True),
    ("service=macie*", {"service": "macie*"}, False),
    ("role=AWSServiceRoleForConfig", {"role_name": "AWSServiceRoleForConfig"}, True),
    ("role=arn:aws:iam::*:role/*/AWSServiceRoleForConfig", {"role_arn": "arn:aws:iam::*:role/*/AWSServiceRoleForConfig"}, True),
    ("role=one,two, account = 111122223333", {"role_name": "one,two", "account": ACCOUNT}, False),
    ("resource=arn:aws:s3:::logs-*", {"resource": "arn:aws:s3:::logs-*"}, True),
    ("resource=arn:aws:s3:::LOGS-*", {"resource": "arn:aws:s3:::LOGS-*"}, False),
    ("resource=a=b", {"resource": "a=b"}, False),
    ("verdict=fix-*,account=1111*", {"verdict": "fix-*", "account": "1111*"}, True),
    ("severity=[hc]*,service=config", {"severity": "[hc]*", "service": "config.amazonaws.com*"}, True),
    (f"id={ONE['id']}", ONE, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "patterns", "expected"), MATCHES)
def test_what_matches(text, patterns, expected):
    """Every pattern has to fit the whole of its value."""
    found = parse_match(text)
    assert (found, muted_by(finding(), [mute(found)], NOW) is not None) == (patterns, expected)


def test_what_a_finding_lacks_is_empty():
    """A service principal has no role: only what fits nothing at all fits that."""
    one = finding(role_arn=None)
    assert [fits({"role_arn": pattern}, one) for pattern in ("", "*", "?*", "None")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_pattern_can_be_as_long_as_an_arn():
    """And not longer."""
    assert len(parse_match("resource=" + "a" * 2048)["resource"]) == 2048


REFUSED = [
    ("", "--match: '' is no KEY=PATTERN"),
    ("config", "--match: 'config' is no KEY=PATTERN"),
    ("\x1b[2Jx", "--match: '\\\\x1b[2Jx' is no KEY=PATTERN"),
    ("service=", "--match: service is empty"),
    ("sevrice=config", "--match: nothing is called 'sevrice' (did you mean 'service'?)"),
    ("verdict=fix", "--match: no verdict is called 'fix' (write one of fix-your-policy"),
    ("verdict=unkown", "--match: no verdict is called 'unkown' (did you mean 'unknown'?)"),
    ("severity=severe", "--match: no severity is called 'severe'"),
    ("account=1234", "--match: '1234' is no account id"),
    ("account=١١١١٢٢٢٢٣٣٣٣", "is no account id"),
    ("service=config,service=macie2", "--match: service stands there twice"),
    ("resource=" + "a" * 2049, "--match: resource is longer than 2048 characters"),
]  # fmt: skip
EVERYTHING = [
    "resource=*", "account=????????????", "account=*,service=?*", "resource=arn:*", "role=*", "role=AWSServiceRoleFor*",
    "service=*.amazonaws.com", "verdict=*", "severity=[!l]*", "id=????????????????",
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_can_fit_nothing_is_refused(text, reason):
    """The place, what is wrong and what to write instead are named."""
    with pytest.raises(UsageError) as caught:
        parse_match(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", EVERYTHING)
def test_what_would_match_everything_is_refused(text):
    """However it is written: such a mute would be the end of all notifications."""
    with pytest.raises(UsageError, match="--match would match everything"):
        parse_match(text)


def test_a_mute_without_patterns_is_refused():
    """Nothing said fits everything."""
    with pytest.raises(UsageError, match="would match everything"):
        mute({})


NO_MUTES = [
    ({"reason": " "}, "a mute has to say its reason"),
    ({"by": ""}, "a mute has to say its by"),
    ({"until": NOW}, "--until: 2026-03-01T10:00:00+00:00 is past"),
    ({"until": -DAY}, "is past"),
    ({"until": NOW + LONGEST + MINUTE}, "is more than 366 days away"),
    ({"until": timedelta(days=999_999_999)}, "--until is beyond the calendar"),
    ({"until_recovered": True}, "is for one finding, not for all that match"),
]


@pytest.mark.parametrize(("words", "reason"), NO_MUTES)
def test_a_mute_that_makes_no_sense_is_refused(words, reason):
    """Each has a reason, a person and an end that is neither past nor far away."""
    with pytest.raises(UsageError) as caught:
        mute(**words)
    assert reason in str(caught.value)


def test_a_longer_mute_can_be_allowed():
    """The limit is a parameter."""
    assert mute(until=timedelta(days=1000), longest=timedelta(days=1000)).end == NOW + timedelta(days=1000)


def test_a_time_without_an_offset_is_utc():
    """As everywhere."""
    assert mute(until=datetime(2026, 3, 2)).end == datetime(2026, 3, 2, tzinfo=UTC)  # noqa: DTZ001 - the point of it


def test_the_id_is_that_of_the_words_and_the_time():
    """The same command twice within an instant is one mute; another reason, person, end or time is another one."""
    others = [mute(by="grace"), mute(reason="x"), mute(until=HOUR), mute(now=NOW + HOUR), mute(ONE)]
    assert mute().id == mute().id
    assert len({each.id for each in (mute(), *others)}) == 6


def test_it_can_be_stored():
    """As JSON, with all that it says."""
    one = ended(mute(ONE, until_recovered=True, severity="critical"), NOW + HOUR, "grace")
    assert msgspec.json.decode(msgspec.json.encode(one), type=Mute) == one


def test_it_holds_until_its_end_and_not_at_it():
    """By the minute."""
    one = mute()
    assert [is_active(one, one.end - MINUTE), is_active(one, one.end)] == [True, False]
    assert muted_by(finding(), [one], one.end) is None


def test_one_that_somebody_ended_is_over_then():
    """Who did it is kept, and ending it again changes nothing."""
    one = ended(mute(), NOW + HOUR, "grace")
    assert (one.end, one.ended_by) == (NOW + HOUR, "grace")
    assert (is_active(one, NOW + HOUR), ended(one, NOW + 2 * HOUR, "x")) == (False, one)
    over = mute()
    assert ended(over, over.end, "late") == over


COVERED = [
    ("high", None, True),
    ("critical", None, False),
    ("critical", "critical", True),
    ("high", "low", True),
    ("none", None, True),
]


@pytest.mark.parametrize(("severity", "known", "expected"), COVERED)
def test_it_covers_what_its_maker_knew(severity, known, expected):
    """That a service goes blind is not what somebody had in mind who muted one bucket."""
    held = muted_by(finding(severity=severity), [mute(severity=known)], NOW)
    assert expected is (held is not None)


def test_the_most_specific_mute_is_named():
    """A finding's own before all, then more keys, then more characters, then the later end; the order does not matter."""
    ranked = [
        mute(ONE),
        mute({"account": ACCOUNT, "service": "config*"}),
        mute({"resource": "arn:aws:s3:::logs-*"}, until=2 * DAY),
        mute({"resource": "arn:aws:s3:::logs-*"}),
        mute({"resource": "arn:aws:s3:::l[aeo]gs-*"}),
    ]
    for place in range(len(ranked)):
        left = ranked[place:]
        assert ranked[place] == muted_by(finding(), left, NOW) == muted_by(finding(), left[::-1], NOW)


def test_of_two_alike_it_is_always_the_same():
    """Otherwise `findings show` would name another one each time."""
    pair = [mute(by="ada"), mute(by="grace")]
    assert muted_by(finding(), pair, NOW) == muted_by(finding(), pair[::-1], NOW)


def test_specificity_counts_what_a_pattern_says():
    """Signs of a pattern say nothing."""
    assert specificity({"resource": "a*b?[xyz]c"}) == (False, 1, 3)


def test_it_ends_with_its_finding_if_it_was_asked_to():
    """Recovered or gone, but not silent, and no other finding."""
    asked, other, kept = (
        mute(ONE, until_recovered=True),
        mute({"id": "f" * 16}, until_recovered=True),
        mute(ONE),
    )
    mutes, later = [asked, other, kept], NOW + HOUR
    over = [[ended(asked, later, "recovered")]] * 2
    found = [
        ended_by_recovery(finding(status=status), mutes, later)
        for status in ("recovered", "gone", "silent", "blocked")
    ]
    assert found == [*over, [], []]
    assert ended_by_recovery(finding(status="gone"), mutes, asked.end) == []
