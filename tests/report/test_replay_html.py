"""A replay as one page: what it says, and that it is one file that needs and obeys nothing else."""

import re
from io import StringIO

import numpy as np
import pytest
import replays
from html_tree import read
from replays import HOUR, OURS, START

from rolewatch.alarms.graph import Graph
from rolewatch.alarms.history import History, State
from rolewatch.metrics.series import series_of
from rolewatch.report import replay_html_alarm
from rolewatch.report import replay_words as said
from rolewatch.report.output import Options
from rolewatch.report.replay import FORMATS
from rolewatch.report.replay_chart import chart
from rolewatch.report.replay_story import stories


def written(replayed):
    """Return the page as text."""
    out = StringIO()
    FORMATS["html"](replayed, out, Options(environ={}))
    return out.getvalue()


def page(replayed):
    """Return the root of the page."""
    return read(written(replayed))


def changing(number):
    """Return a replay whose alarm changes once a minute, so many times."""
    states = [State.OK, State.ALARM]
    changes = [replays.change(START + 60 * at, states[at % 2], states[(at + 1) % 2]) for at in range(number)]
    history = History(replays.alarm("Busy", OURS), START, START + 60 * number, State.OK, tuple(changes))
    return replays.replayed(histories=(history,))


@pytest.mark.parametrize("name", ["story", "quiet", "hostile"])
def test_the_page_is_one_whole_file(name):
    """It is closed to the last element, ASCII, loads nothing, has no style attribute and no handler; ids are there once."""
    text = written(getattr(replays, name)())
    root = read(text)
    assert text.isascii()
    nodes = root.all()
    attributes = {key for node in nodes for key in node.attributes}
    assert not {key for key in attributes if key.startswith("on") or key in {"style", "src", "srcset"}}
    links = [node.attributes["href"] for node in nodes if "href" in node.attributes]
    ids = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    assert [link for link in links if not link.startswith("#") or link[1:] not in ids] == []
    assert len(ids) == len(set(ids))
    assert not {"link", "img", "iframe", "object"} & {node.name for node in nodes}
    (policy,) = (
        node.attributes["content"]
        for node in root.all("meta")
        if "Content-Security-Policy" in node.attributes.values()
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_headline_says_what_happened():
    """Of one alarm in plain words, of several how many rang; and as of what."""
    story = replays.story()
    alone = page(story._replace(histories=story.histories[:1]))
    assert alone.all("h1")[0].text() == (
        "The alarm went to ALARM once, at the first event of any kind, and stayed there for 29 days 23 h, to the end; "
        "15 findings began meanwhile and notified nobody"
    )
    both = page(story)
    assert both.all("h1")[0].text() == "2 of 2 alarms went to ALARM; somebody was told of all 15 findings"
    (rest,) = both.all("p", "as-of")
    assert rest.text() == "2026-03-01 10:00:00 to 2026-03-31 10:00:00 UTC · 20,000 records in 720 deliveries · seen by the alarms 5 min late"  # fmt: skip


def test_the_overview_compares_alarms():
    """A row for each, with what it cost and how many findings nobody was told of; none for one alarm alone."""
    story = replays.story()
    table = page(story).all("table", "wide")[0]
    rows = [[cell.text() for cell in row.all() if cell.name in ("th", "td")] for row in table.all("tr")]
    assert rows[1:] == [
        ["ArticleAlarm", "ALARM", "1", "43,194", "1", "0", "15"],
        ["OurAlarm", "OK", "15", "825", "15", "15", "0"],
    ]
    alone = page(story._replace(histories=story.histories[:1]))
    assert next(node.text() for node in alone.all("h2")) == "ArticleAlarm ALARM"


def test_every_change_is_listed_with_what_stood_behind_it():
    """State before and after, reason, who was notified, the records with their findings, and event IDs to copy."""
    panel = page(replays.story()).all("section", "alarm")[1]
    changes = panel.all("ol", "changes")[0].all("li")
    assert len(changes) == 31
    assert changes[1].text() == (
        "2026-03-01 11:06:00 OK → to ALARM Threshold Crossed: 1 out of the last 12 datapoints "
        f"Notified: {replays.TOPIC} Behind it: 1 matching record, 1 finding "
        "Records in the window from 2026-03-01 10:56:00 to 2026-03-01 11:01:00 : "
        "Time (UTC) Call Error Principal Finding "
        "2026-03-01 11:00:00 s3:GetBucketPolicy AccessDenied AWSServiceRoleForConfig arn:aws:s3::: bucket-0 "
        "Event IDs 00000000-0000-4000-8000-000000000000"
    )
    assert changes[2].all("details") == []


def test_findings_are_listed_with_what_the_alarm_made_of_them():
    """By their first record: told, or began while it was in ALARM."""
    first, second = page(replays.story()).all("section", "alarm")
    for panel, verdict in ((first, "began while it was in ALARM: nobody was told"), (second, "told")):
        rows = panel.all("details", "records")[-1].all("tr")[1:]
        assert len(rows) == 15
        assert {row.all("td")[-1].text() for row in rows} == {verdict}


def test_the_chart_draws_values_threshold_states_and_findings():
    """Each with a class of its own; what is drawn is also told in words and as a table."""
    first, second = page(replays.story()).all("svg", "replay")
    assert [len(svg.all("line", "threshold")) for svg in (first, second)] == [1, 1]
    assert [len(svg.all("path", "s-alarm")) for svg in (first, second)] == [1, 15]
    assert [len(svg.all("circle", "untold")) for svg in (first, second)] == [15, 0]
    assert [len(svg.all("circle", "told")) for svg in (first, second)] == [0, 15]
    assert first.attributes["aria-label"].startswith(
        "Values from 2 to 3, threshold 1. The alarm went to ALARM once"
    )
    numbers = page(replays.story()).all("details", "numbers")[0].all("tr")
    assert [row.text() for row in (*numbers[:2], numbers[-1])] == [
        "From (UTC) Least Most Gravest state",
        "2026-03-01 00:00 2 3 ALARM",
        "2026-03-31 00:00 2 2 ALARM",
    ]
    assert len(numbers) == 32


def test_what_went_wrong_is_told():
    """What could not be read and what was left out of the template are linked from the top."""
    root = page(replays.hostile())
    cautions = [node.text() for node in root.all("a", "caution")]
    assert cautions == ["1 delivery not read, or only in part", "1 resource of the template left out"]
    assert len(root.all("ul", "notices")[0].all("li")) == 2


def test_a_minute():
    """A single one is told as one."""
    (panel,) = page(changing(2)).all("section", "alarm")
    assert panel.all("ul", "figures")[0].all("li")[0].text() == "1 minute in ALARM"


def test_an_alarm_that_tells_nobody():
    """Its page says why, and lists no change where there was none."""
    quiet = replays.quiet()
    history = quiet.histories[0]._replace(transitions=(), initial=State.OK)
    text = page(quiet._replace(histories=(history,))).text()
    assert "Tells nobody: it has no actions" in text
    assert "None: it was OK all the time." in text


def test_nothing():
    """Where no record counts, no alarm has a block, and there is no time."""
    root = page(replays.quiet()._replace(end=START))
    assert root.all("h1")[0].text().startswith("Nothing was replayed: ")
    assert root.all("p", "as-of")[0].text() == "20,000 records in 720 deliveries · seen by the alarms 5 min late"  # fmt: skip
    assert root.all("section", "alarm") == []


@pytest.mark.parametrize(("number", "folded"), [(200, []), (201, [1]), (2500, [1000, 1000, 300])])
def test_many_changes(number, folded):
    """The first ones are there to see, the others fold away in parts that say which they are."""
    panel = page(changing(number)).all("section", "alarm")[0]
    first, *others = panel.all("ol", "changes")
    assert [len(each.all("li")) for each in (first, *others)] == [200, *folded]
    parts = [node for node in panel.all("details", "records") if node.all("ol", "changes")]
    assert [node.all("ol", "changes")[0] for node in parts] == others
    if folded:
        last = parts[-1].all("summary")[0].text()
        until = said.moment(START + 60 * (number - 1))
        assert (
            last
            == f"Changes {number - folded[-1] + 1:,} to {number:,}: {said.moment(START + 60 * (number - folded[-1]))}:00 to {until}:00"
        )
    assert "more: see the JSON format" not in panel.text()


def test_more_changes_than_a_page_takes(monkeypatch):
    """Beyond ten thousand it says so, and where they are."""
    monkeypatch.setattr(replay_html_alarm, "MOST_CHANGES", 300)
    panel = page(changing(305)).all("section", "alarm")[0]
    assert sum(len(each.all("li")) for each in panel.all("ol", "changes")) == 300
    assert "and 5 more: see the JSON format" in panel.text()


GREATEST = [1.7e308, 1.0, -1.7e308]


@pytest.mark.parametrize(
    ("value", "threshold"), [(value, threshold) for value in GREATEST for threshold in GREATEST]
)
def test_the_greatest_values(value, threshold):
    """However great they are, what is drawn consists of numbers."""
    (story,) = stories(replays.quiet())
    times = START + np.arange(3) * HOUR
    drawn = chart(story, Graph(times, np.array([value, -value, 5e-324]), HOUR, None, threshold))
    assert not re.search(r"(?i)[^a-z](nan|inf)[^a-z]", drawn)


def test_a_year_stays_small():
    """Of a year of minutes, with a change every six hours, a chart has no more points than a screen has columns."""
    year = 365 * 24 * 60
    times = START + np.arange(year) * 60
    rng = np.random.default_rng(1)
    changes = []
    for index in range(365 * 4):
        before, after = (State.OK, State.ALARM) if index % 2 == 0 else (State.ALARM, State.OK)
        changes.append(replays.change(START + index * 6 * HOUR + 60, before, after))
    made = replays.alarm("Year", OURS)
    history = History(made, START, START + year * 60, State.OK, tuple(changes))
    (story,) = stories(replays.replayed(histories=(history,)))
    drawn = chart(story, Graph(times, rng.random(year) * 1000, 60, None, 1.0))
    assert len(drawn) < 100_000
    whole = replays.replayed(histories=(history,), metrics={OURS: {"None": series_of({START: {1.0: 1}})}})
    assert len(written(whole)) < 700_000


BAND = Graph(
    START + np.arange(4) * HOUR, np.array([1.0, 2.0, np.nan, -3.0]), HOUR,
    np.array([0.0, 0.0, np.nan, -1.0]), np.array([2.0, 2.0, np.nan, 1.0]),
)  # fmt: skip


def test_a_chart_with_a_band_and_values_below_zero():
    """Instead of a threshold the band of normal values is drawn; the ground lies where 0 is."""
    (story,) = stories(replays.quiet())
    history = story.history._replace(end=START + 4 * HOUR)
    drawn = read(chart(story._replace(history=history), BAND))
    assert [len(drawn.all(name, class_)) for name, class_ in (("path", "normal"), ("line", "threshold"))] == [
        1,
        0,
    ]
    boxes = re.findall(r"M(\d+) ([\d.]+)V([\d.]+)h(\d+)", drawn.all("path", "range")[0].attributes["d"])
    assert [(int(x), int(width)) for x, _, _, width in boxes] == [(0, 60), (60, 60), (180, 60)]
    assert "k-normal" in {node.attributes.get("class") for node in drawn.all("i")}


def test_a_composite_alarm_has_states_only():
    """It looks at no metric: nothing is drawn above its band."""
    root = page(replays.hostile())
    assert [len(svg.all("path", "range")) for svg in root.all("svg", "replay")] == [1, 0]
