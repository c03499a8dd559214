import gzip
import json
import os
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from following import Failing, Memory, drain, ids, names, persistent, until
from rolewatch.base.errors import SourceError
from rolewatch.cloudtrail.split import Damaged, Skipped, split
from rolewatch.sources import live_stdin
from rolewatch.sources.live_stdin import Cutter, StdinSource


class Pipe:
    """A pipe that a source reads from."""

    def __init__(self, memory, told):
        reading, self._writing = os.pipe()
        self.source = StdinSource(memory, told, descriptor=reading)

    def write(self, data):
        """Write all of it."""
        while data:
            data = data[os.write(self._writing, data) :]

    def end(self):
        """Close the pipe."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1


@pytest.fixture
def pipe(memory, told):
    """Follow a pipe."""
    made = Pipe(memory, told)
    yield made
    made.end()
    made.source.close()


def record(number, **more):
    """Spell a record."""
    return json.dumps({"eventVersion": "1.08", "eventID": f"id-{number}", **more}).encode()


def test_a_line_is_given_when_there_is_a_pause(pipe):
    """It does not wait for the next one."""
    pipe.write(record(1) + b"\n")
    (arrival,) = until(pipe.source, lambda found: found)
    assert (ids([arrival]), arrival.delivery.arrived()) == (["id-1"], None)
    assert not pipe.source.drained


def test_an_end_without_a_line_break_is_given_too(pipe):
    """A value that is whole needs none."""
    pipe.write(record(1))
    assert ids(until(pipe.source, lambda found: found)) == ["id-1"]


def test_many_lines_come_in_few_deliveries(pipe):
    """They are gathered for a moment, and all of them come, in order."""
    pipe.write(b"".join(record(n) + b"\n" for n in range(1000)))
    pipe.end()
    arrivals = drain(pipe.source)
    assert [f"id-{n}" for n in range(1000)] == ids(arrivals)
    assert len(arrivals) <= 4
    assert pipe.source.finished


@pytest.mark.parametrize("gap", [b"", b"\n", b"\r\n", b"\n\n", b" "])
@pytest.mark.parametrize("indent", [None, 2])
def test_documents_are_cut_between_them(pipe, gap, indent):
    """Log files one after another, pretty-printed or not, with or without line breaks between them."""
    documents = [json.dumps({"Records": [json.loads(record(n))]}, indent=indent).encode() for n in range(5)]
    pipe.write(gap.join(documents))
    pipe.end()
    assert [f"id-{n}" for n in range(5)] == ids(drain(pipe.source))


def test_gzip_is_inflated_as_it_comes(pipe):
    """One log file after another, as `cat *.json.gz` gives them."""
    for n in range(3):
        pipe.write(gzip.compress(json.dumps({"Records": [json.loads(record(n))]}).encode()))
        assert ids(until(pipe.source, lambda found: found)) == [f"id-{n}"]
    pipe.end()
    assert drain(pipe.source) == []


def test_gzip_that_is_broken_is_told(pipe, told):
    """What was whole before is given."""
    pipe.write(gzip.compress(record(1)))
    pipe.write(gzip.compress(record(2) * 1000)[:60])
    pipe.end()
    assert ids_of_whole(drain(pipe.source))[:1] == ["id-1"]
    assert told.reasons[0].startswith("the gzip data ends early")


def test_a_document_that_comes_slowly_stays_whole(pipe):
    """A pause in the middle of a value does not cut it."""
    text = json.dumps({"Records": [json.loads(record(1))]}, indent=2).encode()
    pipe.write(text[:30])
    assert pipe.source.arrivals(0.6) == []
    pipe.write(text[30:])
    pipe.end()
    assert ids(drain(pipe.source)) == ["id-1"]


def test_a_line_that_is_broken_does_not_hold_up_others(pipe):
    """What `tail` cuts in the middle is given with the first whole line."""
    pipe.write(b'"x": 1}\n' + record(1) + b"\n")
    assert ids_of_whole(until(pipe.source, lambda found: found)) == ["id-1"]
    pipe.write(record(2) + b"\nno JSON at all\n")
    assert ids_of_whole(until(pipe.source, lambda found: found)) == ["id-2"]


def ids_of_whole(arrivals):
    """Read the ids of the records, some of which may be damaged."""
    found = []
    for each in arrivals:
        with suppress(Damaged, Skipped):
            for many in split([each.delivery.read()]):
                found += [json.loads(one)["eventID"] for one in many]
    return found


def test_a_value_without_an_end_is_given_when_it_is_too_long(pipe, monkeypatch):
    """Memory is bounded, whatever comes."""
    monkeypatch.setattr(live_stdin, "LONGEST", 100_000)
    pipe.write(b'{"Records":[' + b" " * 150_000)
    (arrival,) = until(pipe.source, lambda found: found)
    assert arrival.delivery.size > 100_000


def test_deliveries_are_numbered_and_known_by_their_content(pipe, memory, told):
    """The same input again is known where it is cut in the same way."""
    pipe.write(record(1))
    pipe.end()
    (arrival,) = drain(pipe.source, memory)
    assert (arrival.delivery.name, arrival.marks) == ("-#1", (arrival.delivery.identity,))
    again = Pipe(memory, told)
    again.write(record(1))
    again.end()
    assert drain(again.source) == []
    again.source.close()


def test_equal_lines_are_all_given(pipe):
    """Only the whole delivery is known, not each line."""
    pipe.write((record(1) + b"\n") * 3)
    pipe.end()
    assert ids(drain(pipe.source)) == ["id-1"] * 3


def test_reading_stops_where_nobody_takes_what_was_read(pipe, monkeypatch):
    """A fast writer waits; memory is bounded."""
    monkeypatch.setattr(live_stdin, "FULL", 10_000)
    line = record(1, padding="x" * 1000) + b"\n"
    writer = threading.Thread(target=lambda: (pipe.write(line * 3000), pipe.end()))
    writer.start()
    first = until(pipe.source, lambda found: found)
    assert pipe.source._batches.qsize() <= live_stdin.AHEAD
    assert len(ids(first + drain(pipe.source))) == 3000
    writer.join()


def test_it_can_be_closed_while_it_waits(pipe):
    """For input, and for somebody to take it."""
    pipe.write(record(1))
    until(pipe.source, lambda found: found)
    pipe.source.close()
    pipe.source.close()
    assert not pipe.source._thread.is_alive()


def test_after_its_end_it_waits_with_others(pipe):
    """It does not spin."""
    pipe.end()
    assert drain(pipe.source) == []
    waiting = threading.Thread(target=lambda: pipe.source.arrivals(30))
    waiting.start()
    pipe.source.close()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_file_is_read_to_its_end(tmp_path, memory, told):
    """Input can be redirected."""
    (tmp_path / "x").write_bytes(record(1))
    source = StdinSource(memory, told, descriptor=os.open(tmp_path / "x", os.O_RDONLY))
    assert ids(drain(source)) == ["id-1"]
    assert names(drain(source)) == []
    source.close()


def test_standard_input_that_is_closed_is_said_at_once(monkeypatch, memory, told):
    """A service has none."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SourceError, match="-: standard input is closed"):
        StdinSource(memory, told)


VALUE = st.recursive(
    st.text(alphabet='}{"[]a\\, \n', max_size=6) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b c", "d"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["k", "z"]), VALUE, min_size=1, max_size=3), min_size=1, max_size=6
    ),
    st.sampled_from(["", "\n", "\r\n", " "]),
    st.sampled_from([None, 0, 2]),
    st.integers(1, 40),
)
def test_every_cut_lies_between_values(documents, gap, indent, size):
    """Whatever strings hold, and however the input is cut into pieces."""
    text = gap.join(json.dumps(document, indent=indent) for document in documents).encode()
    cutter, cuts = Cutter(), []
    for start in range(0, len(text), size):
        cutter.feed(text[start : start + size])
        cuts.append(cutter.take())
    cuts.append(cutter.take(everything=True))
    assert text == b"".join(cuts)
    decoder, found = json.JSONDecoder(), []
    for cut in cuts:
        rest = cut.decode().strip()
        while rest:
            value, end = decoder.raw_decode(rest)
            found.append(value)
            rest = rest[end:].strip()
    assert documents == found


def test_a_memory_is_not_asked_for_nothing(told):
    """While nothing comes."""
    memory = Memory()
    made = Pipe(memory, told)
    assert made.source.arrivals(0.05) == []
    made.end()
    made.source.close()
    assert memory.asked == 0


def test_a_memory_that_fails_loses_nothing(told):
    """Nothing that was found meanwhile is lost or given twice."""
    made = Pipe(Failing(), told)
    made.write(record(1))
    made.end()
    assert ids(persistent(made.source)) == ["id-1"]
    made.source.close()
