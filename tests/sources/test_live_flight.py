import json
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from following import Later, Memory, Told, drain
from rolewatch.sources.delivery import BytesDelivery
from rolewatch.sources.live import Arrival
from rolewatch.sources.live_flight import Flight
from rolewatch.sources.live_polled import Page, Polled, Round
from rolewatch.sources.live_time import Backoff, Pace, moment_of
from rolewatch.sources.live_trouble import Trouble


def test_a_mark_is_new_once():
    """Until it is done it is in flight, and then the memory knows it."""
    memory = Memory()
    flight = Flight(memory)
    assert flight.new(["a", "b", "a"]) == ["a", "b"]
    assert flight.new(["a", "c"]) == ["c"]
    memory.marks.add("a")
    flight.done(["a"])
    assert flight.new(["a", "b"]) == []
    assert len(flight) == 2


def test_what_is_done_while_the_memory_is_asked_is_not_new():
    """The poller looks into the flight first: what left it since is in the memory."""
    memory = Memory()
    flight = Flight(memory)
    flight.new(["a"])

    class Racing(Memory):
        def known(self, marks):
            self.marks.add("a")
            flight.done(["a"])
            return super().known(marks)

    flight._memory = Racing()
    assert flight.new(["a", "b"]) == ["b"]


def test_what_was_done_lately_is_not_asked_for():
    """As many marks as are wanted are kept at hand, the latest."""
    memory = Memory()
    flight = Flight(memory, recent=2)
    memory.marks |= {"a", "b", "c"}
    flight.new(["a", "b", "c"])
    assert memory.asked == 3
    assert flight.new(["b", "c", "a"]) == []
    assert memory.asked == 4


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_a_note_names_a_place_before_which_all_is_done(steps):
    """Whatever the order in which deliveries are given, done, and places reached."""
    memory = Memory()
    flight = Flight(memory)
    given_, done, reached = [], set(), []
    for number, finish in steps:
        if finish and given_:
            mark = given_[number % len(given_)]
            memory.marks.add(mark)
            flight.done([mark])
            done.add(mark)
        else:
            given_ += flight.new([f"m{len(given_)}"])
            reached.append(len(given_))
            flight.reach("place", len(given_))
        whole = [place for place in reached if set(given_[:place]) <= done]
        assert flight.notes().get("place") == (whole[-1] if whole else None)


def test_trouble_is_told_once_a_minute_for_each_kind():
    """It comes from several threads, and strangers write parts of it."""
    told, time = Told(), Later()
    trouble = Trouble("place", told, time)
    for _ in range(3):
        trouble.tell("a", "one \x1b[2J")
        trouble.tell("b", "two")
    time.passed += 61
    trouble.tell("a", "three")
    assert told.all == [("place", r"one \x1b[2J"), ("place", "two"), ("place", "three")]


def test_many_kinds_of_trouble_take_little_memory():
    """A folder may hold a million files that cannot be read."""
    time = Later()
    trouble = Trouble("place", lambda *_: None, time)
    for number in range(10_000):
        trouble.tell(str(number), "x")
        time.passed += 1
    assert len(trouble._last) <= 256


def test_pauses_grow_up_to_a_minute():
    """And are short again once it works."""
    backoff = Backoff()
    assert [backoff.pause() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.pause() == 1


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sun, 01 Mar 2026 10:00:00 GMT", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 10:00:00 -0000", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_date_of_an_answer(date, expected):
    """It always has a time zone, so that it can be compared."""
    assert expected == moment_of(date)


def test_a_pace_is_halved_by_throttling_and_comes_back():
    """It never stops."""
    pace = Pace(4)
    pace.sent(10)
    assert pace.delay(10) == 0.25
    for _ in range(10):
        pace.throttled()
    pace.sent(20)
    assert pace.delay(20) == 4
    for _ in range(200):
        pace.sent(30)
    assert pace.delay(30) == 0.25


class Place(Polled[str]):
    """A place whose rounds a test lays out."""

    def __init__(self, memory, listings, time=None, **more):
        self.listings = listings
        self.asked = []
        super().__init__(
            "place", memory, Trouble("place", Told()), [Round("near", 10), Round("far", 100)], first="near",
            time=time or Later(), **more,
        )  # fmt: skip

    def listing(self, kind, cursor, place):
        """Give what was laid out."""
        self.asked.append((kind, cursor is not None, place))
        yield from self.listings.pop(0) if self.listings else [Page()]

    def pack(self, found):
        """Give each by itself."""
        return [
            Arrival(BytesDelivery(mark, mark, named=False, size=0, remote=False, content=b""), (mark,))
            for mark, _ in found
        ]


def test_a_note_of_another_version_is_as_good_as_none():
    """It only saves work: everything is listed, and what is done is dropped."""
    memory = Memory()
    for note in [
        "",
        "x",
        "[]",
        "{}",
        '{"version": 2, "rounds": {}}',
        '{"version": 1}',
        '{"version": 1, "rounds": {"near": 7}}',
    ]:
        memory.notes["place"] = note
        memory.marks.add("a")
        place = Place(memory, [[Page([("a", ""), ("b", "")])]])
        assert [each.delivery.name for each in drain(place)] == ["b"]
        assert place.asked[0] == ("near", False, None)


def test_cursors_of_other_rounds_stay_in_the_note():
    """A successor keeps what its predecessor knew about rounds that are not due."""
    memory = Memory()
    drain(Place(memory, []), memory)
    before = json.loads(memory.notes["place"])["rounds"]["far"]
    drain(Place(memory, []), memory)
    assert json.loads(memory.notes["place"])["rounds"]["far"] == before


def test_the_widest_round_that_is_due_does_for_all():
    """Also for one that had broken off: none of them waits for ever."""
    memory = Memory()
    old = "2020-01-01T00:00:00+00:00"
    rounds = {
        "near": {"cursor": old, "place": "somewhere", "began": old},
        "far": {"cursor": old, "place": None, "began": None},
    }
    memory.notes["place"] = json.dumps({"version": 1, "rounds": rounds})
    place = Place(memory, [[Page([("a", "")])]], nested=True)
    assert len(drain(place, memory)) == 1
    assert place.asked == [("far", True, None)]
    place.arrivals(15)
    assert place.asked[1:] == [("near", True, None)]


def test_rounds_that_do_not_cover_each_other_are_all_made():
    """Those that had broken off from where they were."""
    memory = Memory()
    old = "2020-01-01T00:00:00+00:00"
    rounds = {
        "near": {"cursor": old, "place": None, "began": None},
        "far": {"cursor": old, "place": "somewhere", "began": old},
    }
    memory.notes["place"] = json.dumps({"version": 1, "rounds": rounds})
    place = Place(memory, [])
    drain(place, memory)
    assert place.asked == [("near", True, None), ("far", True, "somewhere")]
    assert json.loads(memory.notes["place"])["rounds"]["far"]["cursor"] == old


def test_places_that_are_reached_over_and_over_take_little_memory():
    """While something is stuck and nothing new comes."""
    flight = Flight(Memory())
    flight.new(["stuck"])
    for number in range(1000):
        flight.reach("near", number)
        flight.reach("far", number)
    assert len(flight._reached) == 2
    assert flight.notes() == {}
    flight.done(["stuck"])
    assert flight.notes() == {"near": 999, "far": 999}


def test_what_stands_twice_on_a_page_is_given_once():
    """AWS may repeat an event."""
    memory = Memory()
    place = Place(memory, [[Page([("a", ""), ("a", "")])]])
    assert len(drain(place)) == 1


def test_closing_ends_a_wait():
    """From another thread."""
    memory = Memory()
    place = Place(memory, [], time=None)
    place.time = type(place.time).__mro__[1]()  # real clocks
    waiting = threading.Thread(target=lambda: [place.arrivals(60) for _ in range(3)])
    waiting.start()
    place.close()
    waiting.join(10)
    assert not waiting.is_alive()
