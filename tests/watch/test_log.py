"""Lines on stderr: one for each thing that happened, for people or for programs, which no hostile name can break."""

import io
import json
from datetime import UTC, datetime

import pytest

from rolewatch.watch.log import MOST, Log

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOSTILE = 'x\x1b[2J\r\n2026-03-01 error "all is well" a=b\u202e\x00\ud800'


class Heard:
    """A log, the clock of which tests set, and what was written."""

    def __init__(self, form="text", level="info"):
        self.stream, self.seconds = io.StringIO(), 0.0
        self.log = Log(form, level, stream=self.stream, clock=lambda: NOON, monotonic=lambda: self.seconds)

    @property
    def lines(self):
        """The lines that were written."""
        return self.stream.getvalue().splitlines()


def test_text_is_a_line_with_keys_and_values():
    """Time, level, message, and what is known; what is empty is left out, what has blanks or quotation marks is quoted."""
    heard = Heard()
    heard.log.info("notification sent", target="sns:arn", title='he said "no" = a\\b', n=1234, none=None, empty="", list=["a", "b"])  # fmt: skip
    assert heard.lines == [
        '2026-03-01T12:00:00.123Z info    notification sent target=sns:arn title="he said \\"no\\" = a\\\\b" n=1234 list=a,b'
    ]


def test_json_is_an_object_a_line():
    """Numbers, truth and lists stay what they are, and no fact takes the place of the time, the level or the message."""
    heard = Heard("json")
    heard.log.warning("trouble", where="s3://b", number=3, first=True, none=None, list=["a"], took=1.23456, time="no", level="no")  # fmt: skip
    (line,) = heard.lines
    assert json.loads(line) == {
        "time": "2026-03-01T12:00:00.123Z", "level": "warning", "message": "trouble", "where": "s3://b", "number": 3,
        "first": True, "none": None, "list": ["a"], "took": 1.235,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_hostile_name_stays_in_its_line(form):
    """Neither a line break nor an escape sequence of a name gets through, nor is it taken for a fact."""
    heard = Heard(form)
    heard.log.info("delivery failed", name=HOSTILE, reason=HOSTILE)
    (line,) = heard.lines
    assert line.isprintable()
    if form == "json":
        assert json.loads(line)["name"].isprintable()
    else:
        assert line.count(" a=b") == 2
        assert '\\"all is well\\" a=b' in line


def test_levels():
    """A log of a level says that and what is worse."""
    for level, expected in (("debug", 4), ("info", 3), ("warning", 2), ("error", 1)):
        heard = Heard(level=level)
        for say in (heard.log.debug, heard.log.info, heard.log.warning, heard.log.error):
            say("x")
        assert len(heard.lines) == expected


def test_the_same_complaint_is_made_once_a_minute():
    """Another one is made at once."""
    heard = Heard()
    for seconds, reason in ((0, "away"), (30, "away"), (30, "gone"), (59, "away"), (61, "away")):
        heard.seconds = seconds
        heard.log.told("state", reason)
    assert [line.rpartition("reason=")[2] for line in heard.lines] == ["away", "gone", "away"]


def test_a_flood_is_counted():
    """Of one message there are only so many lines a minute; the next line says how many were left out, others are not held."""
    heard = Heard()
    for number in range(MOST + 50):
        heard.log.warning("delivery failed", name=number)
    heard.log.info("done")
    heard.seconds = 61
    heard.log.warning("delivery failed", name="next")
    heard.log.warning("delivery failed", name="and so on")
    assert len(heard.lines) == MOST + 3
    assert heard.lines[MOST].endswith(" done")
    assert heard.lines[-2].endswith("name=next left_out=50")
    assert "left_out" not in heard.lines[-1]


def test_nobody_listens():
    """A log that cannot be written stops nothing."""
    heard = Heard()
    heard.stream.close()
    heard.log.info("x")
