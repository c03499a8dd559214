"""A replay in a terminal: what is read first, what is drawn, and that nothing in it can do harm."""

import re
from io import BytesIO, StringIO, TextIOWrapper

import pytest
import replays
from formatted import steering
from rich.cells import cell_len

from rolewatch.alarms.history import State
from rolewatch.report.output import Options
from rolewatch.report.replay import FORMATS

ARTICLE = """\
ArticleAlarm  ALARM
  It went to ALARM once, at the first event of any kind, and stayed there for 29
  days 23 h, to the end. 15 findings began while it was in ALARM: nobody was
  told.
  rule    Sum ≥ 1 over 3600 s, 1 of 1, missing not breaching
  metric  Article AccessDenied
  cost    43,194 minutes in ALARM (29 days 23 h), 1 notification
"""
CHANGE = """\
  2026-03-01 11:06  OK → ALARM
    Threshold Crossed: 1 out of the last 12 datapoints
    behind it: 1 matching record, 1 finding
      2026-03-01T11:00:00Z s3:GetBucketPolicy AccessDenied by
      AWSServiceRoleForConfig on arn:aws:s3:::bucket-0
  2026-03-01 12:01  ALARM → OK
"""
END = """\
and 11 more changes: see the JSON format

Metrics without an alarm
  Rolewatch Denied {Role=AWSServiceRoleForConfig}: 15 minutes, sum 15

Looked at
  20,000 records in 720 deliveries of trail/, delivered 5 min late
  from 2026-03-01 10:00 to 2026-03-31 10:00 UTC
  1 skipped

Notices
  unused article.yaml:12:5: AWS::S3::Bucket has no effect here
"""


def written(replayed, width=80, **options):
    """Return a replay as a stream that is no terminal gets it."""
    out = StringIO()
    FORMATS["table"](replayed, out, Options(width=width, environ={}, **options))
    return out.getvalue()


def test_the_table_of_the_article():
    """At 80 columns: the answer, an alarm's block, its changes with the records behind them, the rest."""
    text = written(replays.story())
    assert text.startswith(
        "2 of 2 alarms went to ALARM; somebody was told of all 15 findings.\n\nArticleAlarm"
    )
    assert ARTICLE in text
    assert CHANGE in text
    assert text.endswith(END)
    assert "behind it: 0 matching records, 2 records that do not match (the default\n    value)" in text


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", ["story", "quiet", "hostile"])
def test_no_line_is_too_wide(name, width):
    """Every line fits, however hostile the names are, and none ends with a blank."""
    lines = written(getattr(replays, name)(), width=width).splitlines()
    assert [line for line in lines if cell_len(line) > width or line != line.rstrip()] == []


def test_states_can_be_told_apart_without_colour():
    """Each state has a sign of its own, explained below; a column shows the gravest of its states."""
    text = written(replays.story())
    bands = re.findall(r"states  (\S+)", text)
    assert bands[0] == "█" * 69
    assert re.fullmatch("(█─+){15}", bands[1])
    assert "█ ALARM   ? INSUFFICIENT_DATA   ─ OK" in text
    assert "\x1b" not in text


def test_a_sparkline_shows_the_most_of_each_column():
    """Nothing is blank, 0 the lowest bar, the most the highest; what that is stands below."""
    text = written(replays.story())
    lines = re.findall(r"values  (.*)\n +(.*)", text)
    assert set(lines[0][0]) == {"█", "▆"}
    assert set(lines[1][0]) == {"█", "▁"}
    assert [scale for _, scale in lines] == ["least 2, most 3, threshold 1", "least 0, most 1, threshold 1"]


def test_colours_are_only_for_terminals():
    """Asked for, the state of an alarm is in colour; the text is the same."""
    plain, coloured = written(replays.story()), written(replays.story(), color=True)
    assert "\x1b[1;31mALARM\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_a_stream_without_the_signs_gets_others():
    """Where bars and bands cannot be encoded, plain characters are drawn."""
    buffer = BytesIO()
    stream = TextIOWrapper(buffer, encoding="ascii")
    FORMATS["table"](replays.story(), stream, Options(width=80, environ={}))
    stream.flush()
    text = buffer.getvalue().decode("ascii")
    assert re.search(r"states  (#-+){15}", text)
    assert "# ALARM   ? INSUFFICIENT_DATA   - OK" in text
    assert re.search(r"values  (#+_+){10,}", text)


def test_hostile_text_is_shown_and_does_nothing():
    """Nothing of an attacker reaches the terminal as it is."""
    text = written(replays.hostile())
    assert steering(text) == set()
    assert "\\x1b[2J" in text


def test_what_went_wrong_is_told():
    """What could not be read, and what is wrong with the template, each with its place; no filter, no data."""
    text = written(replays.hostile(), width=400)
    assert re.search(r"^Not read, or only in part\n  .*: .*$", text, re.MULTILINE)
    assert re.search(r"^Notices\n  error .*:1:1: .*\n  warning .*:1:1: ", text, re.MULTILINE)
    lonely = replays.quiet()._replace(behind={}, metrics={})
    lonely = lonely._replace(template=lonely.template._replace(filters=()))
    assert "no metric filter of the template publishes it" in written(lonely)


def test_actions_that_were_held_back():
    """By what, and until when, or for good."""
    quiet = replays.quiet()
    history = quiet.histories[0]
    (changed,) = history.transitions
    for fields, line in (
        ({"suppressed_by": "Alarm"}, "notified: nobody: suppressed by Alarm"),
        ({"suppressed_by": "WaitPeriod", "acted_at": replays.START + 600, "actions": ("x",)}, "notified: not before 2026-03-01 10:10: held back by WaitPeriod"),
    ):  # fmt: skip
        held = history._replace(transitions=(changed._replace(**fields),))
        assert f"    {line}\n" in written(quiet._replace(histories=(held,)))


def test_nothing_to_tell():
    """Without a record that counts or an alarm, that is the answer; a list that is long is cut, and says so."""
    nothing = written(replays.quiet()._replace(end=replays.START), width=400)
    assert nothing.startswith("Nothing was replayed: ")
    assert nothing.endswith(
        "\n\nLooked at\n  20,000 records in 720 deliveries of trail/, delivered 5 min late\n"
    )
    assert written(replays.replayed()).startswith("The template defines no alarm.")
    many = replays.replayed(unreadable=tuple((f"file-{each}", "damaged") for each in range(25)))
    assert "  and 5 more: see `unreadable` in the JSON format\n" in written(many)


def test_an_alarm_that_never_changed():
    """It has a band of one state, and no changes."""
    quiet = replays.quiet()
    history = quiet.histories[0]._replace(transitions=(), initial=State.OK)
    assert "states  " + "─" * 69 in written(quiet._replace(histories=(history,)))
