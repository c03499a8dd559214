import json
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from faults import Broken, refusal
from following import Failing, Later, Memory, drain, ids, persistent, within
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import Window
from rolewatch.sources.live_logs import LogGroup, LogGroupSource, log_group


class Group:
    """A log group that records come into."""

    def __init__(self, client):
        self.client = client
        self.name = f"CloudTrail/{uuid.uuid4().hex[:12]}"
        self.arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{self.name}:*"
        self.number = 0
        client.create_log_group(logGroupName=self.name)
        for stream in ("a", "b"):
            client.create_log_stream(logGroupName=self.name, logStreamName=stream)

    def put(self, *ages, stream="a"):
        """Log a record of each age, in seconds; returns their ids, the oldest first."""
        ids, events = [], []
        for age in sorted(ages, reverse=True):
            self.number += 1
            ids.append(f"id-{self.number}")
            when = datetime.now(UTC) - timedelta(seconds=age)
            record = {"eventVersion": "1.08", "eventID": ids[-1], "eventName": "GetObject"}
            events.append({"timestamp": int(when.timestamp() * 1000), "message": json.dumps(record)})
        self.client.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=events)
        return ids


@pytest.fixture
def group(straight):
    """Make a log group."""
    return Group(straight("logs"))


@pytest.fixture
def follow(group, faults, memory, told):
    """Give a function that follows the log group by clocks that wait for nobody."""
    del faults

    def make(word=None, *, memory=memory, window=Window(), time=None):  # noqa: B008 - a window is immutable
        word = word or f"logs://{group.name}"
        return LogGroupSource(word, log_group(word), memory, told, window=window, time=time or Later())

    return make


@pytest.fixture
def pages(monkeypatch):
    """Let AWS give three events a page, or as many as it says."""
    request, size = LogGroupSource._request, {"limit": 3}
    monkeypatch.setattr(
        LogGroupSource, "_request", lambda self, *where, **more: request(self, *where, **{**size, **more})
    )
    return size


def asked(faults):
    """Tell what was asked for, without the request of the start."""
    requests = [json.loads(request.body) for request in faults.sent("FilterLogEvents")]
    return [request for request in requests if request.get("limit") != 1]


def test_the_backlog_is_the_last_day(follow, group, memory):
    """It comes in the order of time, and what is new comes after it."""
    group.put(90_000)
    old = group.put(80_000, 4000, 5)
    source = follow()
    assert old == ids(drain(source, memory))
    new = group.put(0)
    assert new == ids(source.arrivals(30))


def test_the_window_says_where_the_backlog_begins(follow, group):
    """Further back than a day, or less far."""
    old = group.put(90_000, 5)
    since = datetime.now(UTC) - timedelta(days=2)
    assert old == ids(drain(follow(window=Window(since))))
    assert old[1:] == ids(drain(follow(window=Window(since + timedelta(days=1, hours=23)))))


def test_a_page_is_one_delivery_with_a_mark_for_each_event(follow, group):
    """A mark is the event's id in its group."""
    group.put(5, 4)
    (arrival,) = drain(follow())
    events = json.loads(arrival.delivery.read())["events"]
    assert tuple(f"logs://{group.name}/{event['eventId']}" for event in events) == arrival.marks
    assert arrival.delivery.name.startswith(f"logs://{group.name}#20")


def test_events_arrived_when_the_group_got_them(follow, group):
    """However long before that they happened."""
    before = datetime.now(UTC).timestamp()
    group.put(5000, 4)
    after = datetime.now(UTC).timestamp()
    for arrival in drain(follow()):
        assert before - 0.01 <= arrival.delivery.arrived() <= after


def test_what_the_group_got_at_different_times_is_given_apart(follow):
    """In ten seconds, the shortest period of an alarm; each as of its last event, where that is told."""
    times = {"a": 1_000_029_999, "b": 1_000_040_000, "c": 1_000_020_001, "d": None, "e": 1_000_031_000}
    found = [
        (mark, {"eventId": mark, "timestamp": 0, "message": "{}"} | ({"ingestionTime": time} if time else {}))
        for mark, time in times.items()
    ]
    given = [(arrival.marks, arrival.delivery.arrived()) for arrival in follow().pack(found)]
    assert given == [(("d",), None), (("a", "c"), 1_000_029.999), (("e",), 1_000_031), (("b",), 1_000_040)]


@pytest.mark.parametrize(("late", "seconds"), [(90, 11), (1100, 61), (7200, 601)])
def test_late_events_are_found(follow, group, memory, late, seconds):
    """By up to two minutes: with the next look; by 20 minutes: within one; by two hours: within ten."""
    group.put(20)
    time = Later()
    source = follow(time=time)
    drain(source, memory)
    new = group.put(late)
    assert new == ids(within(source, time, seconds, 5))


def test_an_event_is_given_once(follow, group, memory):
    """However often it is read again, done or not."""
    group.put(5)
    source = follow()
    (arrival,) = source.arrivals(100)
    assert source.arrivals(90) == []
    memory.commit(source, [arrival])
    assert source.arrivals(90) == []
    assert drain(follow(), memory) == []


def test_what_is_known_here_is_not_asked_again(follow, group, memory):
    """The state is asked for each event once, not each time that it is read."""
    group.put(5, 6, 7)
    source = follow()
    drain(source, memory)
    asked_before = memory.asked
    source.arrivals(90)
    assert asked_before == memory.asked == 3


def test_all_pages_are_read(follow, group, memory, pages, faults):
    """Each with the token of the one before."""
    del pages
    put = group.put(*range(40, 20, -2)) + group.put(*range(40, 30, -2), stream="b")
    assert sorted(put) == sorted(ids(drain(follow(), memory)))
    assert sum("nextToken" in request for request in asked(faults)) == 4


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ThrottlingException"),
        refusal("ServiceUnavailableException", 503),
        Broken(served=False),
        Broken(served=True),
    ],
)
def test_a_page_that_fails_is_asked_for_again(follow, group, memory, pages, faults, told, fault):  # noqa: PLR0917 - fixtures
    """With the same token: what was read before is not read again, and what comes after is not lost."""
    del pages
    put = group.put(*range(40, 20, -2))
    source = follow(window=Window(datetime.now(UTC) - timedelta(minutes=5)))
    faults.fail("FilterLogEvents", None, fault, fault)
    assert put == ids(drain(source, memory))
    tokens = [request.get("nextToken", "-").rpartition("@")[2] for request in asked(faults)][:6]
    assert tokens[1] == tokens[2] == tokens[3]
    assert len(set(tokens)) == 4
    assert len(told.all) == 1


def test_a_token_that_is_no_good_any_more_begins_the_slice_again(follow, group, memory, pages, faults, told):  # noqa: PLR0917 - fixtures
    """AWS refuses it: nothing is lost or given twice."""
    del pages
    put = group.put(*range(40, 20, -2))
    source = follow(window=Window(datetime.now(UTC) - timedelta(minutes=5)))
    faults.fail("FilterLogEvents", None, refusal("InvalidParameterException"))
    assert put == ids(drain(source, memory))
    assert told.reasons == ["listing (tip) failed, and is tried again: InvalidParameterException: because"]


def test_a_page_that_never_comes_begins_the_slice_again(follow, group, memory, pages, faults):
    """After many failures in a row."""
    del pages
    put = group.put(*range(40, 20, -2))
    source = follow(window=Window(datetime.now(UTC) - timedelta(minutes=5)))
    faults.fail("FilterLogEvents", None, *[refusal("ServiceUnavailableException", 503)] * 10)
    assert put == ids(drain(source, memory))
    assert "nextToken" not in asked(faults)[11]


def test_requests_are_paced_and_slow_down_where_aws_throttles(follow, group, memory, faults):
    """Four a second at most, half as many after each refusal, and more again in time."""
    group.put(5)
    time = Later()
    source = follow(time=time)
    drain(source, memory)
    pace = source._pace
    assert 0.24 < pace.delay(0.0) - (pace._next - 0.25) < 0.26
    faults.fail("FilterLogEvents", *[refusal("ThrottlingException")] * 3)
    source.arrivals(40)
    slow = pace._rate
    assert slow < 1
    source.arrivals(90)
    assert slow < pace._rate <= 4


def test_a_successor_looks_back_from_the_note_once(follow, group, memory, faults):
    """After a stop the widest look back does for all, in slices of an hour."""
    group.put(10)
    drain(follow(), memory)
    new = group.put(3, 4000)
    note = f"logs://{group.name}"
    kept = json.loads(memory.notes[note])
    assert set(kept["rounds"]) == {"tip", "near", "far"}
    for each in kept["rounds"].values():
        each["cursor"] = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    memory.notes[note] = json.dumps(kept)
    faults.requests.clear()
    assert sorted(new) == sorted(ids(drain(follow(), memory)))
    starts = [
        datetime.now(UTC) - datetime.fromtimestamp(each["startTime"] / 1000, UTC) for each in asked(faults)
    ]
    assert [start // timedelta(hours=1) for start in starts[:8]] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_a_backlog_that_broke_off_is_taken_up_at_its_slice(follow, group, memory, faults):
    """What was done is not read again."""
    put = group.put(80_000, 40_000, 10)
    source = follow()
    memory.commit(source, source.arrivals(100))
    memory.commit(source, source.arrivals(100))
    source.close()
    faults.requests.clear()
    assert put[2:] == ids(drain(follow(), memory))
    first = datetime.fromtimestamp(asked(faults)[0]["startTime"] / 1000, UTC)
    assert datetime.now(UTC) - first < timedelta(seconds=44_000)


def test_clocks_that_jump_lose_nothing(follow, group, memory):
    """The cursor is AWS's time, not this machine's."""

    class Wrong(Later):
        def now(self):
            return super().now() + self.wrong

    time = Wrong()
    time.wrong = timedelta(days=300)
    old = group.put(7000)
    source = follow(time=time)
    assert old == ids(drain(source, memory))
    new = group.put(1)
    assert new == ids(source.arrivals(30))
    time.wrong = timedelta(days=-300)
    new = group.put(1)
    assert new == ids(source.arrivals(30))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("logs://CloudTrail/logs", LogGroup("CloudTrail/logs", "", None)),
        ("logs:///aws/trail", LogGroup("/aws/trail", "", None)),
        ("logs://a.b_c-d#e?region=eu-west-1", LogGroup("a.b_c-d#e", "eu-west-1", None)),
        (
            "logs://arn:aws:logs:eu-west-1:123456789012:log-group:/aws/trail:*",
            LogGroup("/aws/trail", "eu-west-1", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/trail"),
        ),
    ],
)
def test_words_for_log_groups(word, expected):
    """Names may begin with a slash; an ARN tells its region."""
    assert expected == log_group(word)


@pytest.mark.parametrize("word", ["logs://", "logs://a b", "logs://a?x=y", "logs://arn:aws:logs:x"])
def test_words_that_cannot_be_log_groups(word):
    """They are refused before anything is asked."""
    with pytest.raises(SourceError, match="not a name that a log group can have"):
        log_group(word)


def test_a_log_group_is_asked_by_its_arn_in_its_region(group, follow, faults):
    """So a group of another account can be followed."""
    del group
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:trail"
    faults.fault = lambda _: refusal("x")._replace(status=200, body=b'{"events": []}')
    source = follow(f"logs://{arn}:*")
    source.arrivals(1)
    assert source._client.meta.region_name == "eu-west-1"
    assert {arn} == {request["logGroupIdentifier"] for request in asked(faults)}


def test_a_log_group_that_does_not_exist_is_said_at_once(follow):
    """Exit status 2."""
    with pytest.raises(SourceError, match="logs://nothing: no such log group in us-east-1"):
        follow("logs://nothing")


def test_a_refusal_at_the_start_is_said_at_once(follow, faults):
    """Exit status 4."""
    faults.fail("FilterLogEvents", refusal("AccessDeniedException"))
    with pytest.raises(CannotDo, match=r"cannot read logs://.*AccessDeniedException"):
        follow()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_or_given_twice_by_kills(follow, group, faults, monkeypatch, pages, seed):  # noqa: PLR0917 - fixtures
    """Watchers are killed at random, events come late by up to two hours, a tenth of the answers go wrong."""
    pages["limit"] = 20
    monkeypatch.setattr("rolewatch.sources.live_polled.BATCH", 2)
    chance = random.Random(seed)
    memory = Memory()
    window = Window(datetime.now(UTC) - timedelta(hours=4))
    put = group.put(*(chance.randrange(14_000) for _ in range(30)))
    wrong = [
        refusal("ThrottlingException"),
        refusal("InternalFailure", 500),
        Broken(served=False),
        Broken(served=True),
    ]
    committed = []
    for _ in range(8):
        source = follow(memory=memory, window=window)
        faults.fault = lambda _: chance.choice(wrong) if chance.random() < 0.1 else None
        for _ in range(chance.randrange(1, 12)):
            arrivals = source.arrivals(chance.choice([0, 1, 61]))
            if memory.notes:  # the backlog has a beginning
                put += group.put(chance.choice([0, 60, 600, 7000]), stream=chance.choice("ab"))
            if chance.random() < 0.8:
                committed += ids(arrivals)
                memory.commit(source, arrivals, acknowledge=chance.random() < 0.8)
        source.close()
        faults.fault = lambda _: None
    time = Later()
    source = follow(memory=memory, time=time)
    while time.passed < 650:
        arrivals = source.arrivals(100)
        committed += ids(arrivals)
        memory.commit(source, arrivals)
    assert sorted(put) == sorted(committed)


def test_a_memory_that_fails_loses_nothing(follow, group, pages):
    """Nothing that was found meanwhile is lost or given twice."""
    del pages
    put = group.put(*range(40, 20, -2))
    source = follow(memory=Failing(), window=Window(datetime.now(UTC) - timedelta(minutes=5)))
    assert put == ids(persistent(source))
