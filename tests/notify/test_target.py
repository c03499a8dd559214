"""URLs and targets in general: which transport takes which scheme, what an error is made of, what is sent at all."""

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import about, alarm, finding, recovered

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import KINDS
from rolewatch.notify.target import TRANSPORTS, Target, target_of
from rolewatch.notify.trial import resolved, trial
from rolewatch.notify.urls import fingerprint, parsed, scheme_of

DOCS = Path(__file__).resolve().parents[2] / "docs" / "notifications.md"
ENVIRON = {"PATH": "/usr/bin:/bin", "ROLEWATCH_WEBHOOK_SECRET": "s3cr3t"}


class Kept(Target):
    """A target that keeps what it is given, and takes two kinds."""

    kinds = frozenset(("blocked", "recovered"))

    def __init__(self):
        super().__init__("kept")
        self.got = []

    def deliver(self, notification):
        """Keep it."""
        self.got.append(notification)


def test_only_what_may_be_said_is_delivered():
    """What reaches a transport has been through `admissible`; what is none of its business does not reach it."""
    target = Kept()
    target.send(about(finding(fix={"diff": "unproven"})))
    target.send(alarm())
    assert [each.findings[0].get("fix") for each in target.got] == [None]
    with pytest.raises(SendError):
        target.send(about(kind="recovered"))


def test_send_error_travels_between_processes():
    """A pickled error has all its fields."""
    error = SendError("m", remedy="r", passing=True, retry_after=3.5)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (SendError, "m (r)", vars(error))
    assert isinstance(error, CannotDo)
    assert (SendError("m").passing, SendError("m").retry_after) == (False, None)


def test_urls_of_the_documentation_make_sense(monkeypatch):
    """Each URL of the page's table is one that its scheme's transport understands."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (table,) = re.findall(r"## Where to\n\n(.*?)\n\n", DOCS.read_text(), re.DOTALL)
    cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    urls = [url for cell in cells for url in re.findall(r"`([^`]+)`", cell) if "…" not in url]
    assert {scheme_of(url) for url in urls} >= set(TRANSPORTS) - {"smtp", "webhook+http"}
    for url in urls:
        real = url.replace("/usr/local/bin/page-us", "/bin/sh")
        real = real.replace("ROUTING-KEY", "R" * 32).replace("API-KEY", "A" * 32)
        assert target_of(real, environ=ENVIRON).name


def test_every_transport_is_documented():
    """No scheme is missing on the page."""
    page = DOCS.read_text()
    assert [scheme for scheme in TRANSPORTS if f"{scheme}:" not in page] == []


@pytest.mark.parametrize("scheme", [each for each in TRANSPORTS if each != "securityhub"])
def test_schemes_are_read_in_any_case_and_with_blanks_around(scheme):
    """`SNS:` is `sns:`; what does not make sense is a UsageError that begins with it."""
    with pytest.raises(
        UsageError, match=re.escape(f"the {scheme} URL") if scheme != "exec" else "the exec URL"
    ):
        target_of(f" {scheme.upper()}: \n", environ={})


def _said(url):
    """Return what is said of a URL: its target's name, or why there is none."""
    try:
        return target_of(url, environ=ENVIRON).name
    except UsageError as error:
        return f"{error.message} {error.remedy}" if error.remedy else pytest.fail("no remedy")


@given(st.sampled_from([*TRANSPORTS, "json", "mmost"]), st.text(max_size=60))
def test_no_url_is_a_bug(scheme, rest):
    """Whatever stands behind a scheme is a target, or a UsageError; neither tells what may be a secret."""
    assert _said(f"{scheme}:{rest}")
    said = _said(f"{scheme}://{rest}:s3cr3t@{rest}")
    assert scheme == "exec" or "s3cr3t" not in said  # a program's name is none


@given(st.text(max_size=80))
def test_parsing_is_total(text):
    """Any text is taken apart, or is a UsageError."""
    try:
        found = parsed(text, "x:y")
    except UsageError:
        return
    assert found.scheme == scheme_of(text)


def test_parts_are_decoded():
    """User, password and options are decoded; host and path stay as they are."""
    found = parsed("X+y://me%40a:p%3Aw%2F@Host:1/Path%20?to=a%2Bb&x=#part", "")
    assert found[:6] == ("x+y", "me@a", "p:w/", "Host", 1, "/Path%20")
    assert found.options == {"to": "a+b", "x": ""}


def test_fingerprints():
    """The same URL has the same one, on every machine; another URL another."""
    assert fingerprint("slack://a/b/c") == fingerprint(" slack://a/b/c ") == "1cc84904"
    assert fingerprint("slack://a/b/d") != fingerprint("slack://a/b/c")


@pytest.mark.parametrize("kind", KINDS)
def test_trial(kind):
    """A test notification is marked in its first line, may be sent, and has an end of the same incident."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    now = datetime(2026, 3, 3, 8, tzinfo=UTC)
    target = Kept()
    target.kinds = frozenset(KINDS)
    made = trial(kind, "x", now)
    target.send(made)
    end = resolved(made, now)
    target.send(end)
    assert made.kind == kind
    assert (end.kind, end.dedup_key, end.id != made.id) == ("alarm" if kind == "alarm" else "recovered", made.dedup_key, True)  # fmt: skip
    assert (
        recovered().keys() - {"fix"} <= made.findings[0].keys() | {"proof"} if made.findings else made.alarm
    )
    assert trial(kind, "x", now) == made
