"""`rolewatch replay`: a template and deliveries in, what its alarms would have done out, and how it ends."""

import json
import re
from datetime import timedelta

import pytest
from deliveries import denial, record, write
from replayable import IMPORT, TEMPLATE

from rolewatch.cli import replay, words

BROKEN = (
    TEMPLATE
    + """\
  Other:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: other, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 61, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold}
"""
)


@pytest.fixture
def run(call, here):
    """Give a way to replay in this process over the logs of the story: words in; status, stdout and stderr out."""
    (here / "alarms.yaml").write_text(TEMPLATE)
    return lambda *words, source="logs": call("replay", "alarms.yaml", source, *IMPORT, *words)


@pytest.fixture
def report(run):
    """Give a way to replay to JSON: words in, the content out."""

    def reported(*words, status=0, **more):
        found, out, err = run("--format", "json", *words, **more)
        assert status == found, err
        return json.loads(out)

    return reported


def test_json(report):
    """The contract's keys, with datapoints at eventTime and transitions when the events have arrived."""
    found = report()
    (metric,), (alarm,) = found["metrics"], found["alarms"]
    assert metric["datapoints"][0] == {"timestamp": "2026-03-01T10:01:00Z", "sum": 1.0, "sample_count": 1.0, "minimum": 1.0, "maximum": 1.0}  # fmt: skip
    assert (alarm["name"], alarm["state"]) == ("denied", "ALARM")
    rang = [each for each in alarm["transitions"] if each["to"] == "ALARM"]
    assert [each["timestamp"] for each in rang] == ["2026-03-01T10:07:00Z", "2026-03-05T10:06:00Z"]
    assert rang[0]["actions"] == [IMPORT[1].removeprefix("Topic=")]
    assert found["notices"] == []


@pytest.mark.parametrize(("span", "time"), [("0m", "10:02:00"), ("60m", "11:02:00"), ("1h", "11:02:00")])
def test_the_delay_shifts_what_alarms_see(report, span, time):
    """They ring so much later than with none."""
    rang = next(each for each in report("--delay", span)["alarms"][0]["transitions"] if each["to"] == "ALARM")
    assert rang["timestamp"] == f"2026-03-01T{time}Z"


@pytest.mark.parametrize("span", ["90s", "5", "15d", "soon"])
def test_a_delay_that_is_none(run, span):
    """Metrics have a datapoint a minute, so only whole minutes make sense; more than two weeks do not."""
    status, out, err = run("--delay", span)
    assert (status, out) == (2, "")
    assert "--delay: " in err


@pytest.mark.parametrize("span", ["0", "5", "90s"])
def test_what_is_advised_for_a_delay(run, span):
    """It is something that is taken then."""
    assert run("--delay", span)[2].endswith("; write 5m, or 0m for none\n")


def test_the_window_is_the_one_of_scan(report):
    """--since, --until, --account and --region say which records count."""
    words = ("--since", "2026-03-01T10:04:00Z", "--until", "2026-03-02", "--account", "111122223333", "--region", "us-east-1")  # fmt: skip
    times = [each["timestamp"] for each in report(*words)["metrics"][0]["datapoints"]]
    assert (times[0], times[-1]) == ("2026-03-01T10:04:00Z", "2026-03-01T10:08:00Z")


def test_parameters(report):
    """They are what the template's parameters get instead of their defaults."""
    assert report("--parameter", "Threshold=2")["alarms"][0]["state"] == "OK"
    assert report("--import", "Name=a,b", "--parameter", "Threshold=1")["alarms"][0]["state"] == "ALARM"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--parameter", "Threshold"), "'Threshold' is no assignment"),
        (("--parameter", "A=1", "--parameter", "A=2"), "--parameter A has two values"),
        (("--import", "=x"), "is no assignment"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "is not before"),
    ],
)
def test_wrong_usage(run, words, reason):
    """It is told in a line, and nothing is printed."""
    status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert reason in err


def test_a_template_that_is_none(call, run, here):
    """A file that is not there, one that is no template, and one with a parameter that has no value end with 2."""
    assert call("replay", "none.yaml", "logs")[0] == 2
    (here / "alarms.yaml").write_text("Resources: [")
    status, _, err = run()
    assert status == 2
    assert "alarms.yaml:1:" in err
    (here / "alarms.yaml").write_text(TEMPLATE.replace(", Default: 1", ""))
    assert "Threshold" in run()[2]


def test_an_invalid_resource_does_not_stop_the_others(here, call):
    """It is told with its place, in the report and on stderr; the rest is replayed, and the status is 2 all the same."""
    (here / "alarms.yaml").write_text(BROKEN)
    status, out, err = call("replay", "alarms.yaml", "logs", *IMPORT, "--format", "json", "--exit-code", "7")
    found = json.loads(out)
    assert (status, [each["name"] for each in found["alarms"]]) == (2, ["denied"])
    (notice,) = (each for each in found["notices"] if each["level"] == "error")
    assert notice["place"].startswith("alarms.yaml:26:")
    assert f"rolewatch: {notice['place']}: {notice['message']}\n" in err


def test_exit_code_says_that_an_alarm_rang(run, here):
    """If one ever did, even if it is over; else 0, or 3 where something could not be read."""
    assert run("--exit-code", "7")[0] == 7
    assert run("--exit-code", "7", "--until", "2026-03-01T10:01:00Z")[0] == 0
    (here / "logs" / "bad.json.gz").write_bytes(b"\x1f\x8b no gzip")
    status, _, err = run()
    assert status == 3
    assert "cannot read logs/bad.json.gz: " in err
    assert run("--exit-code", "7")[0] == 7


def test_several_templates_are_one(call, here):
    """Filters of one publish what alarms of another watch; two filters of one name are told apart."""
    head, _, alarm = TEMPLATE.partition("  Alarm:\n")
    filters = head.replace("Parameters:\n  Threshold: {Type: Number, Default: 1}\n", "")
    (here / "filters.yaml").write_text(filters)
    (here / "more.yaml").write_text(filters.replace("MetricName: Denied", "MetricName: Also"))
    (here / "alarms.yaml").write_text(f"{head.partition('Resources:')[0]}Resources:\n  Alarm:\n{alarm}")
    words = (
        "alarms.yaml",
        "logs",
        *IMPORT,
        "--with",
        "filters.yaml",
        "--with",
        "more.yaml",
        "--format",
        "json",
    )
    status, out, err = call("replay", *words)
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert [each["name"] for each in found["metrics"]] == ["Also", "Denied"]
    assert (found["alarms"][0]["state"], found["alarms"][0]["filters"]) == ("ALARM", ["Denied"])


MUTED = """\
  Window:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: window
      Rule: {Schedule: {Expression: "cron(0 11 1 * *)", Duration: PT10M, Timezone: Europe/Berlin}}
      MuteTargets: {AlarmNames: [!Ref Alarm, both]}
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: both, AlarmRule: !Sub "ALARM(${Alarm})", AlarmActions: [arn:x]}
"""


@pytest.fixture
def muted(call, here):
    """Give a way to replay the template with a mute rule: format and words in, stdout out."""
    (here / "muted.yaml").write_text(TEMPLATE + MUTED)

    def replayed(form, *words):
        status, out, err = call("replay", "muted.yaml", "logs", *IMPORT, "--format", form, *words)
        assert (status, err) == (0, "")
        return out

    return replayed


def test_a_mute_rule(muted):
    """Its alarms change their state in the window and tell at its end, of all that has begun until then."""
    for alarm in json.loads(muted("json"))["alarms"]:
        first, second = (each for each in alarm["transitions"] if each["to"] == "ALARM")
        assert (first["timestamp"], first["acted_at"], first["suppressed_by"], len(first["actions"])) == (
            "2026-03-01T10:07:00Z", "2026-03-01T10:10:00Z", "AlarmMuteRule window", 1
        )  # fmt: skip
        assert "acted_at" not in second
        found = alarm["findings"]
        assert [len(found[each]) for each in ("raised", "told", "meanwhile", "unraised")] == [4, 4, 2, 0]
    table, page = muted("table"), muted("html")
    for text in (table, page):
        assert "window: cron(0 11 1 * *) for 10 min, Europe/Berlin" in text
        assert "not before 2026-03-01 10:10: held back by AlarmMuteRule window" in text
        assert "or began before actions that were held back ran" in " ".join(text.split())


def test_arns_are_those_of_account_and_region(muted):
    """A composite alarm's reason names alarms of the account and Region that the template is read for."""
    only = ("--account", "111122223333", "--region", "us-east-1")
    for given, account in (((), "123456789012"), (only, "111122223333")):
        (_, both) = json.loads(muted("json", *given))["alarms"]
        reason = both["transitions"][-1]["reason"]
        assert reason.startswith(f"arn:aws:cloudwatch:us-east-1:{account}:alarm:denied transitioned to ")


def test_an_anomaly_detector(call, here):
    """Times that a template's detector excludes are not learned from."""
    noise = [
        denial(minute, eventID=f"{minute:08}-{number:04}") for minute in range(60) for number in range(minute)
    ]
    late = {"eventTime": "2026-03-01T11:00:00Z"}
    write(
        here / "noise" / "x.json",
        *noise,
        *(denial(0, eventID=f"late-{number}", **late) for number in range(70)),
    )
    head, _, _ = TEMPLATE.partition("  Alarm:\n")
    band = """\
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: strange
      EvaluationPeriods: 1
      ThresholdMetricId: band
      ComparisonOperator: GreaterThanUpperThreshold
      Metrics:
      - {Id: m, MetricStat: {Metric: {Namespace: N, MetricName: Denied}, Period: 60, Stat: Sum}}
      - {Id: band, Expression: "ANOMALY_DETECTION_BAND(m, 2)"}
"""
    detector = """\
  Detector:
    Type: AWS::CloudWatch::AnomalyDetector
    Properties: {Namespace: N, MetricName: Denied, Stat: Sum, Configuration: {ExcludedTimeRanges: [{StartTime: "2026-03-01T10:20:00", EndTime: "2026-03-01T11:00:00"}]}}
"""
    rang = []
    for more in ("", detector):
        (here / "band.yaml").write_text(head + band + more)
        status, out, _ = call("replay", "band.yaml", "noise", "--delay", "0m", "--format", "json")
        assert status == 0
        (alarm,) = json.loads(out)["alarms"]
        rang.append([each["timestamp"] for each in alarm["transitions"] if each["to"] == "ALARM"])
    assert rang == [[], ["2026-03-01T11:01:00Z"]]


def test_nothing_to_replay_over(run, here):
    """A SOURCE that does not exist ends with 2; one without a record says so."""
    assert run(source="none")[0] == 2
    (here / "empty").mkdir()
    status, out, err = run(source="empty")
    assert (status, err) == (
        0,
        "rolewatch: there is no CloudTrail record in this input, so the result says nothing\n",
    )
    assert out.startswith("Nothing was replayed: ")


@pytest.mark.parametrize("words", [("--since", "2030-01-01"), ("--account", "999999999999"), ()], ids=["time", "account", "untimed"])  # fmt: skip
def test_records_none_of_which_counts(run, report, here, words):
    """They are no history: nothing was replayed, at no time, and it is the same whenever it is asked for."""
    write(here / "some" / "x.json", denial(1, **({} if words else {"eventTime": "yesterday"})))
    status, out, err = run(*words, source="some")
    why = "no record in this input has a usable eventTime and is of the time, accounts and Regions that were asked for"
    assert (status, err) == (0, f"rolewatch: {why}, so the result says nothing\n")
    assert " ".join(out.split()).startswith(f"Nothing was replayed: {why}. Looked at 1 record in 1 delivery")
    found = report(*words, source="some")
    assert (found["start"], found["end"], found["alarms"][0]["transitions"]) == (None, None, [])


@pytest.mark.parametrize(("times", "expected"), [(1, "1 record has no usable eventTime (…); it is in no metric"), (2, "2 records have no usable eventTime (…); they are in no metric")])  # fmt: skip
def test_records_without_a_time(report, here, times, expected):
    """How many they are is said, and that they count for nothing."""
    write(here / "some" / "x.json", denial(0), *[denial(1, eventTime=f"{number}") for number in range(times)])
    (notice,) = report(source="some")["notices"]
    assert re.sub(r"\(.*\)", "(…)", notice["message"]) == expected


def test_the_page_and_the_table(run, here):
    """Both tell the same; with --output nothing comes on standard output."""
    status, out, err = run()
    assert (status, err) == (0, "")
    assert "went to ALARM 2 times" in out
    assert run("--format", "html", "--output", "replay.html") == (0, "", "")
    page = (here / "replay.html").read_text()
    assert page.startswith("<!doctype html>\n<html lang")
    assert "went to ALARM 2 times" in page


def test_findings_behind_an_alarm_are_those_of_scan(report, call):
    """Under the same ids."""
    told = report()
    scanned = {
        each["id"]: each["resource"]
        for each in json.loads(call("scan", "logs", "--format", "json")[1])["findings"]
    }
    assert told["findings"]
    assert {name: each["resource"] for name, each in told["findings"].items()}.items() <= scanned.items()
    raised = {name for each in told["alarms"] for names in each["findings"].values() for name in names}
    assert raised == told["findings"].keys()


def test_hostile_names(call, here):
    """What stands in a record or a template does nothing to a terminal."""
    write(here / "evil" / "x.json", record(1), denial(2, resource="\x1b[2J\u202e<b>"))
    (here / "alarms.yaml").write_text(TEMPLATE.replace("AlarmName: denied", 'AlarmName: "\\e[2J"'))
    out = call("replay", "alarms.yaml", "evil", *IMPORT)[1]
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.usefixtures("run")
def test_a_template_alone(call):
    """A template alone is wrong usage."""
    status, _, err = call("replay", "alarms.yaml", *IMPORT)
    assert (status, "SOURCE is missing" in err) == (2, True)


def test_words_as_values():
    """A delay in minutes; an assignment with an empty value, and one with an equals sign in it."""
    assert replay.delay("2h") == timedelta(hours=2)
    assert words.assignment("Name=") == ("Name", "")
    assert words.assignment("Export:Name=a=b") == ("Export:Name", "a=b")
