"""Findings of a watcher that keeps changes of policies: they say who changed the policy last before they began."""

import json
from datetime import timedelta

import pytest
from changing import ANN, TLS, VPC, put
from givers import Given
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stories import NOON, Story, call, content

from rolewatch.explain.blame import History, changes_of
from rolewatch.scan.request import ScanRequest
from rolewatch.sources.files import look
from rolewatch.store import deliveries, policy_changes
from rolewatch.watch import blaming, readers
from rolewatch.watch.failed import Retry, chosen
from rolewatch.watch.housekeeping import Retention
from rolewatch.watch.manner import MANNER, Manner

DAY = 24 * 60


@pytest.fixture
def story(story):
    """Have the watchers of a story keep changes."""
    story.blame = True
    return story


def blamed(story, bucket="b"):
    """Give the id of the event that a finding names; None where it names none."""
    blame = story.findings[bucket]["blame"]
    return blame and blame["event_id"]


def scanned(records, bucket="b"):
    """Say what `scan --blame` says of a finding that began with the first denial among records."""
    history = History(change for record in records for change in changes_of(record))
    times = [record["eventTime"] for record in records if record.get("errorCode")]
    found = history.blame(f"arn:aws:s3:::{bucket}", min(times))
    return found.to_json() if found else None


def test_the_last_change_before_it_began_is_told(story):
    """In the finding and in its notification, as a scan says it: who, when, by which event, and what was added."""
    story.begin()
    records = [put(1, "b", TLS), put(2, "b", TLS, VPC), call(3, denied=True), put(4, "b", TLS)]
    for record in records:
        story.happen(record)
    (told,) = story.notifications
    expected = scanned(records)
    assert expected["added"] == [VPC]
    assert expected["principal"] == ANN
    assert told.findings[0]["blame"] == story.findings["b"]["blame"] == expected


def test_a_change_that_comes_late_is_told_in_the_finding_only(story):
    """It is looked at again, nobody is told a second time, and a change after the denial began is none."""
    story.begin()
    story.happen(call(60, denied=True))
    assert blamed(story) is None
    late, after = put(30, event="late"), put(61, event="after")
    story.happen(after)
    assert blamed(story) is None
    story.happen(late)
    assert blamed(story) == "late"
    story.happen(put(10, event="earlier"))
    assert blamed(story) == "late"
    assert story.findings["b"]["blame"]["compared_with_earlier_policy"] is True
    assert story.told == [("blocked", "b")]


def test_a_change_that_comes_late_reaches_what_is_over(story):
    """A finding that has recovered says it, too, without another message."""
    story.begin()
    story.happen(call(60, denied=True))
    story.happen(call(61), call(120, "other"))
    assert story.findings["b"]["status"] == "recovered"
    story.happen(put(30, event="late"))
    assert blamed(story) == "late"
    assert story.told == [("blocked", "b"), ("recovered", "b")]


def test_what_was_delivered_twice_is_one_change(story):
    """A copy is not the change before, whether it comes in one batch or in another."""
    story.begin()
    change = put(1)
    story.arrive(story.delivery(change, change))
    story.happen(change, call(2, denied=True))
    assert story.findings["b"]["blame"]["compared_with_earlier_policy"] is False


def test_a_first_backlog_names_a_change_of_weeks_before(story):
    """The summary that tells of it has it, whatever comes first."""
    records = [put(-40 * DAY, event="old"), put(-20 * DAY, event="it"), call(0, denied=True)]
    story.now += timedelta(hours=1)
    story.arrive(*(story.delivery(record) for record in reversed(records)), at_once=1)
    (told,) = story.notifications
    assert told.kind == "summary"
    assert told.findings[0]["blame"] == scanned(records)
    assert blamed(story) == "it"


def test_without_the_option_nothing_is_kept(story):
    """No change, and no word of it in a finding."""
    story.blame = False
    story.begin()
    story.happen(put(1), call(2, denied=True))
    assert "blame" not in story.findings["b"]
    assert story.state.read(lambda connection: policy_changes.known(connection, ["arn:aws:s3:::b"])) == set()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(9)), at_once=st.integers(1, 9))
def test_the_order_of_arrival_does_not_matter(tmp_path_factory, order, at_once):
    """Nor how deliveries come together: each finding says in the end what a scan of all of them says."""
    records = [
        put(1, event="a"), put(2, "b", TLS, event="b"), put(2, "b", VPC, event="c"), call(3, denied=True), call(4, denied=True),
        put(5, "b", TLS), put(1, "c"), call(2, "c", denied=True), put(3, "c", TLS),
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("order")
    story = Story(str(folder / "state"), folder)
    story.blame = True
    story.now += timedelta(hours=1)
    story.arrive(*(story.delivery(records[place]) for place in order), at_once=at_once)
    for bucket in "bc":
        own = [each for each in records if each["requestParameters"]["bucketName"] == bucket]
        assert story.findings[bucket]["blame"] == scanned(own, bucket)
    story.close()


@pytest.mark.slow
def test_processes_find_changes_as_well(tmp_path, monkeypatch):
    """What a process beside the watcher reads holds the same changes."""
    monkeypatch.setattr(readers, "LARGE", 1)
    found = []
    for jobs in (1, 2):
        story = Story(str(tmp_path / f"state{jobs}"), tmp_path)
        story.blame = True
        story.now += timedelta(hours=3)
        listed = [
            story.delivery(call(n + 60, f"b{n}", denied=True), put(n, f"b{n - 1}", event=f"e{n}"))
            for n in range(12)
        ]
        story.watcher(Given(listed, 4), request=ScanRequest(jobs=jobs)).run(once=True)
        found.append({name: finding["blame"] for name, finding in story.findings.items()})
        story.close()
    assert found[0] == found[1]
    assert [blame and blame["event_id"] for _, blame in sorted(found[0].items())].count(None) == 1


def test_two_watchers_of_one_database(tmp_path, postgres):
    """One that reads the denials and one that reads the changes miss nothing of each other, and tell once."""
    story = Story(postgres.database(), tmp_path)
    story.blame = True
    story.begin()
    story.now += timedelta(hours=1)
    denials = [story.delivery(call(30, f"b{n}", denied=True)) for n in range(40)]
    changes = [story.delivery(put(n % 20, f"b{n}", event=f"e{n}")) for n in range(40)]
    story.together(Given(denials, 1, word="denials"), Given(changes, 1, word="changes"))
    assert {name: blamed(story, name) for name in story.findings} == {f"b{n}": f"e{n}" for n in range(40)}
    assert sorted(name for _, *names in story.told for name in names) == sorted(f"b{n}" for n in range(40))
    both = [story.delivery(put(25, f"b{n}"), call(40, f"c{n}", denied=True)) for n in range(20)]
    story.together(Given(both, 3, word="one"), Given(both[::-1], 2, word="other"))
    known = story.state.read(
        lambda connection: policy_changes.last(connection, "arn:aws:s3:::b3", "2027-01-01T00:00:00Z", 9)
    )
    assert len(known) == 2
    story.close()


DEEP = {"Statement": [json.loads('{"a":' * 90 + "1" + "}" * 90)]}
HOSTILE = {
    "large": {"Statement": [TLS | {"Resource": ["arn:aws:s3:::" + "x" * 40] * 1000}]},
    "deep": DEEP,
    "halves": {"Statement": [TLS | {"Sid": "a\ud800\0\x1b"}]},
    "numbers": {"Statement": [TLS | {"Sid": 10**4000}, 7, None]},
    "no policy": [[]],
}


@pytest.mark.parametrize("policy", HOSTILE.values(), ids=HOSTILE)
def test_policies_of_attackers(story, policy):
    """What is too large or too deep is kept without its text; the rest is told as far as it can be written."""
    story.begin()
    story.happen(put(1, requestParameters={"bucketName": "b", "bucketPolicy": policy}, event="it"))
    story.happen(call(2, denied=True))
    assert blamed(story) == "it"
    added = story.findings["b"]["blame"]["added"]
    assert len(json.dumps(added)) < 2 * blaming.LARGEST
    assert (policy in (DEEP, HOSTILE["large"], HOSTILE["no policy"])) == (added == [])
    assert not story.complaints


@pytest.mark.parametrize("time", ["", "soon", "9" * 5000, "2026-03-01T12:01:00+01:00", None])
def test_a_change_that_does_not_say_when(story, time):
    """Nothing can be told of it."""
    story.begin()
    story.arrive(story.delivery(put(1, eventTime=time), call(2, denied=True)))
    assert blamed(story) is None


def test_old_changes_are_forgotten(story):
    """After a while, but for the last two, and those that a finding names."""
    story.retention = Retention(changes=timedelta(days=30))
    story.begin()
    for day in range(6):
        story.happen(put(day * DAY, event=f"e{day}"))
        if day == 2:
            story.happen(call(day * DAY + 1, denied=True))
    before = story.findings["b"]["blame"]
    story.now = NOON + timedelta(days=90)
    story.happen(call(90 * DAY, "other"))
    kept = story.state.read(
        lambda connection: policy_changes.last(connection, "arn:aws:s3:::b", "2027-01-01T00:00:00Z", 9)
    )
    assert [row.event_id for row in kept] == ["e5", "e4", "e2", "e1"]
    story.happen(call(90 * DAY, denied=True))
    assert story.findings["b"]["blame"] == before


def test_a_delivery_that_is_read_again(story):
    """Changes in what could not be read at first count when it is, if the watcher keeps changes; nobody is told twice."""
    note = {MANNER: Manner(blame=True).encode()}
    story.state.write(lambda connection: deliveries.keep_notes(connection, note))
    story.begin()
    story.happen(call(60, denied=True))
    path = story.folder / "000000000000_x.json.gz"
    path.write_bytes(b"\x1f\x8b\x08 no gzip")
    story.arrive(look(str(path), named=True))
    assert blamed(story) is None
    path.write_bytes(content(put(30, event="late")))
    assert Retry(story.state, lambda: story.now).run(chosen(story.state, ())).unread == []
    assert blamed(story) == "late"
    story.happen(call(61, "other"))
    assert blamed(story) == "late"
    assert story.told == [("blocked", "b")]
