import json
from datetime import UTC, datetime

import pytest

from rolewatch.base.errors import CannotDo
from rolewatch.sources import Window, deliveries, lookup

SINCE, UNTIL = datetime(2023, 7, 10, tzinfo=UTC), datetime(2023, 7, 11, tzinfo=UTC)


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def sleep(self, seconds):
        """Let time pass."""
        self.slept.append(round(seconds, 3))
        self.now += seconds

    def pace(self):
        """Make a pace by this clock."""
        return lookup.Pace(lambda: self.now, self.sleep)


@pytest.fixture
def events(server, monkeypatch):
    """Event history that gives one event a page, for as many pages as `events.pages` says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", server.url)
    server.pages = 3
    server.refuse = {}  # number of the request → (status, code)

    def answer(_method, _path, _body):
        number = len(server.requests)
        if number in server.refuse:
            status, code = server.refuse[number]
            return status, json.dumps({"__type": code, "message": "because"}).encode()
        page = number - sum(refused <= number for refused in server.refuse)
        event = {
            "EventId": f"id-{page}",
            "EventTime": 1689000000.0,
            "CloudTrailEvent": json.dumps({"eventID": f"id-{page}"}),
        }
        more = {"NextToken": f"t{page}"} if page < server.pages else {}
        return 200, json.dumps({"Events": [event], **more}).encode()

    server.answer = answer
    return server


def looked_up(regions=("us-east-1",), window=Window(), problems=None, time=None):  # noqa: B008 - a window is immutable
    """Look up the pages of event history."""
    time = time or Time()
    return list(lookup.lookup(regions, window, [] if problems is None else problems, pace=time.pace))


def asked(server):
    """Decode what the requests said."""
    return [json.loads(body) for _, _, body in server.requests]


def test_each_page_is_a_delivery(events):
    """Its content is a LookupEvents answer with the records as strings."""
    pages = looked_up()
    assert [f"lookup://us-east-1#{n}" for n in (1, 2, 3)] == [page.name for page in pages]
    records = [
        json.loads(event["CloudTrailEvent"]) for page in pages for event in json.loads(page.read())["Events"]
    ]
    assert [{"eventID": f"id-{n}"} for n in (1, 2, 3)] == records
    assert asked(events) == [
        {"MaxResults": 50},
        {"MaxResults": 50, "NextToken": "t1"},
        {"MaxResults": 50, "NextToken": "t2"},
    ]


def test_the_window_is_passed_on(events):
    """AWS filters by event time itself."""
    looked_up(window=Window(since=SINCE, until=UNTIL))
    said = asked(events)[0]
    assert (SINCE.timestamp(), UNTIL.timestamp()) == (said["StartTime"], said["EndTime"])


def test_requests_keep_to_two_a_second(events):
    """However fast the answers come."""
    time = Time()
    looked_up(time=time)
    assert time.slept == [0.5, 0.5]
    assert len(events.requests) == 3


def test_a_slow_answer_needs_no_pause(events):
    """Time spent waiting for the answer counts."""
    time = Time()
    pace = time.pace()
    pace.wait()
    time.now += 0.3
    pace.wait()
    time.now += 7
    pace.wait()
    assert time.slept == [0.2]
    assert events.requests == []


def test_throttling_is_answered_with_growing_pauses(events):
    """The page comes all the same."""
    events.refuse = {
        2: (400, "ThrottlingException"),
        3: (400, "ThrottlingException"),
        4: (500, "InternalFailure"),
    }
    time = Time()
    assert len(looked_up(time=time)) == 3
    assert time.slept == [0.5, 1.0, 2.0, 4.0, 0.5]


def test_throttling_without_an_end_is_a_problem(events):
    """After some attempts the region is given up, and what came is kept."""
    events.refuse = dict.fromkeys(range(2, 2 + lookup.ATTEMPTS), (400, "ThrottlingException"))
    problems = []
    assert [page.name for page in looked_up(problems=problems)] == ["lookup://us-east-1#1"]
    assert problems == [("lookup://us-east-1", "looking up events stopped: ThrottlingException: because")]


def test_a_refusal_says_what_aws_said(events):
    """Exit status 4 if nothing was answered at all, without another attempt."""
    events.refuse = {1: (400, "AccessDeniedException")}
    with pytest.raises(CannotDo) as caught:
        looked_up()
    assert caught.value.message == "cannot look up events in us-east-1: AccessDeniedException: because"
    assert (caught.value.exit_code, len(events.requests)) == (4, 1)


def test_a_region_that_refuses_does_not_hide_the_others(events):
    """It is a problem once another region has answered."""
    events.pages = 1
    events.refuse = {2: (400, "OptInRequired")}
    problems = []
    pages = looked_up(["us-east-1", "me-south-1", "eu-west-1"], problems=problems)
    assert [page.name for page in pages] == ["lookup://us-east-1#1", "lookup://eu-west-1#1"]
    assert problems == [("lookup://me-south-1", "looking up events stopped: OptInRequired: because")]


@pytest.mark.parametrize(
    ("regions", "window", "expected"),
    [
        ([], Window(), ["ca-central-1"]),
        ([], Window(regions=frozenset({"eu-west-1", "eu-north-1"})), ["eu-north-1", "eu-west-1"]),
        (["eu-west-1", "us-east-1"], Window(), ["eu-west-1", "us-east-1"]),
        (["eu-west-1", "us-east-1"], Window(regions=frozenset({"us-east-1"})), ["us-east-1"]),
    ],
)
def test_regions_come_from_the_source_the_window_or_the_session(
    events, monkeypatch, regions, window, expected
):
    """In this order; a window's regions narrow those of the source."""
    events.pages = 1
    monkeypatch.setenv("AWS_REGION", "ca-central-1")
    assert [f"lookup://{region}#1" for region in expected] == [
        page.name for page in looked_up(regions, window)
    ]


def test_a_page_without_events_is_no_delivery(events):
    """An empty history gives nothing to read."""
    events.answer = lambda *_: (200, b'{"Events": []}')
    assert looked_up() == []


def test_the_source_names_regions(events):
    """`lookup://a,b` asks both."""
    events.pages = 1
    names = [page.name for page in deliveries("lookup://eu-west-1,us-east-1", Window(), problems=[])]
    assert names == ["lookup://eu-west-1#1", "lookup://us-east-1#1"]


def test_without_any_region_it_says_how_to_name_one(events, monkeypatch):
    """Exit status 4, with what to do."""
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(CannotDo) as caught:
        looked_up([])
    assert caught.value.remedy == "set AWS_REGION, or name the region"
    assert events.requests == []
