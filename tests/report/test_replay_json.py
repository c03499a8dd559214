"""A replay as JSON: the contract's keys to the letter, and beside them what an alarm cost."""

import json
from io import StringIO

import pytest
import replays
from formatted import steering
from replays import START, TOPIC, when

from rolewatch.report.output import Options
from rolewatch.report.replay import FORMATS

CONTRACT = {
    "metrics": {"namespace", "name", "dimensions", "datapoints"},
    "alarms": {"name", "state", "transitions"},
    "notices": {"level", "message", "place"},
}


def text_of(replayed):
    """Return the JSON as text."""
    out = StringIO()
    FORMATS["json"](replayed, out, Options(environ={}))
    return out.getvalue()


def content(replayed):
    """Return the JSON as values."""
    return json.loads(text_of(replayed))


def test_the_contracts_keys():
    """Every element of the three lists has the keys of the contract."""
    found = content(replays.story())
    assert {key: CONTRACT[key] - set.intersection(*(set(each) for each in found[key])) for key in CONTRACT} == {key: set() for key in CONTRACT}  # fmt: skip


def test_a_metric():
    """Dimensions by name, datapoints in order with the whole statistic set; a unit only where one is set."""
    story = replays.story()
    unit = story._replace(metrics={replays.ROLES: {"Count": story.metrics[replays.ROLES]["None"]}})
    (metric,), (counted,) = content(story)["metrics"][2:], content(unit)["metrics"]
    point = {
        "timestamp": "2026-03-01T11:00:00Z",
        "sum": 1.0,
        "sample_count": 1.0,
        "minimum": 1.0,
        "maximum": 1.0,
    }
    assert (metric["namespace"], metric["name"], metric["dimensions"]) == ("Rolewatch", "Denied", {"Role": "AWSServiceRoleForConfig"})  # fmt: skip
    assert metric["datapoints"][0] == point
    assert [each["timestamp"] for each in metric["datapoints"]] == [
        when(START + day * 86_400 + 3600) for day in range(15)
    ]
    assert (counted["unit"], "unit" in metric) == ("Count", False)


def test_an_alarm():
    """Its last state, each transition with reason, reason data as the service's text and what stood behind it, its cost."""
    article, ours = content(replays.story())["alarms"]
    (rang,) = article["transitions"]
    assert json.loads(rang.pop("reason_data"))["period"] == 3600
    assert rang == {
        "timestamp": "2026-03-01T10:06:00Z",
        "from": "INSUFFICIENT_DATA",
        "to": "ALARM",
        "reason": "Threshold Crossed: 1 datapoint [2.0 (01/03/26 09:10:00)] was greater than or equal to the threshold (1.0).",
        "actions": [TOPIC],
        "behind": {
            "from": "2026-03-01T09:10:00Z",
            "to": "2026-03-01T10:01:00Z",
            "matched": 0,
            "defaults": 2,
            "findings": [],
            "examples": [],
        },
    }
    del article["transitions"]
    assert article == {
        "name": "ArticleAlarm",
        "state": "ALARM",
        "type": "metric",
        "initial_state": "INSUFFICIENT_DATA",
        "minutes_in_alarm": 43_194,
        "notifications": 1,
        "tells_somebody": True,
        "filters": ["ArticleFilter"],
        "findings": {"raised": [], "told": [], "meanwhile": list(replays.FINDINGS), "unraised": []},
    }
    first = ours["transitions"][1]["behind"]
    assert (first["findings"], first["matched"]) == ([next(iter(replays.FINDINGS))], 1)
    assert first["examples"][0]["event_id"] == "00000000-0000-4000-8000-000000000000"
    assert ours["transitions"][0]["behind"] is None


def test_actions_that_were_held_back():
    """What held them back, and when they ran, if at all; the keys are only there where something did."""
    story = replays.story()
    article, ours = story.histories
    (rang,) = article.transitions
    changes = (
        rang._replace(actions=(), suppressed_by="Alarm"),
        rang._replace(suppressed_by="WaitPeriod", acted_at=START + 600),
    )
    held = content(story._replace(histories=(article._replace(transitions=changes), ours)))["alarms"][0][
        "transitions"
    ]
    assert [(each["suppressed_by"], each["acted_at"]) for each in held] == [
        ("Alarm", None),
        ("WaitPeriod", "2026-03-01T10:10:00Z"),
    ]


def test_the_rest():
    """What was replayed and over what; every finding that is named can be looked up."""
    found = content(replays.story())
    assert found["notices"] == [{"level": "unused", "message": "AWS::S3::Bucket has no effect here", "place": "article.yaml:12:5"}]  # fmt: skip
    assert (found["start"], found["end"], found["delay"]) == (
        "2026-03-01T10:00:00Z",
        "2026-03-31T10:00:00Z",
        300,
    )
    assert found["skipped"] == [{"delivery": "trail/digest.json.gz", "reason": "digest file"}]
    assert (found["sources"], found["unreadable"], found["totals"]["records"]) == (["trail/"], [], 20_000)
    named = found["findings"]
    assert {each for alarm in found["alarms"] for ids in alarm["findings"].values() for each in ids} == set(
        named
    )
    assert named["0000000000000000"]["resource"] == "arn:aws:s3:::bucket-0"


@pytest.mark.parametrize("name", ["story", "quiet", "hostile"])
def test_json_is_harmless_and_whole(name):
    """It is ASCII that no terminal acts upon, and the same each time."""
    replayed = getattr(replays, name)()
    text = text_of(replayed)
    assert text.isascii()
    assert steering(text) == set()
    assert text == text_of(replayed)
    assert json.loads(text)["version"]


def test_a_notice_of_the_template_is_told_once():
    """Whether the template has it, the replay, or both."""
    story = replays.story()
    twice = story._replace(template=story.template._replace(notices=story.notices))
    assert content(twice)["notices"] == content(story)["notices"]


def test_nothing():
    """Where no record counts there is no time either, and no alarm has changed."""
    quiet = replays.quiet()
    history = quiet.histories[0]._replace(end=START, transitions=())
    found = content(quiet._replace(end=START, metrics={}, behind={}, histories=(history,)))
    assert (found["start"], found["end"], found["metrics"]) == (None, None, [])
    (alarm,) = found["alarms"]
    assert (alarm["name"], alarm["state"], alarm["transitions"], alarm["minutes_in_alarm"]) == ("Quiet", "INSUFFICIENT_DATA", [], 0)  # fmt: skip
