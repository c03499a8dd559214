"""The sentences about a replay: what an alarm's rule is, what it did, and what that was worth."""

import pytest
import replays
from replays import HOUR, OURS, START, alarm, behind, change, composite, metric_filter, reason_data, replayed

from rolewatch.alarms.history import History, State
from rolewatch.report import replay_rule
from rolewatch.report import replay_words as said
from rolewatch.report.replay_story import stories
from rolewatch.scan.replayed import Behind
from rolewatch.templates.definitions import Actions, AlarmMuteRule, Metric, MetricQuery, MetricStat, Template

OK, ALARM, UNKNOWN = State.OK, State.ALARM, State.INSUFFICIENT_DATA
A, B = list(replays.FINDINGS)[:2]
END = START + 10 * HOUR


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3900, "1 h 5 min"), (86_400, "1 day"), (2_505_600, "29 days"), (90_061, "1 day 1 h")],
)  # fmt: skip
def test_a_span_has_two_units_at_most(seconds, expected):
    """The two largest that there are."""
    assert expected == said.span(seconds)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "1"), (0.25, "0.25"), (12_000.0, "12,000"), (-3.0, "-3"), (1e300, "1e+300"), (float("inf"), "inf"), (float("nan"), "nan")],
)  # fmt: skip
def test_a_number_has_only_what_it_needs(value, expected):
    """Whole numbers have no decimal places; what is none is named."""
    assert expected == said.number(value)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(3600, "10:00"), (2 * 86_400, "Mar 1, 10:00"), (30 * 86_400, "Mar 1"), (800 * 86_400, "Mar 2026")],
)
def test_a_tick_says_what_tells_it_from_the_next(length, expected):
    """The longer the axis, the less exact its times."""
    assert expected == said.tick(START, length)


def test_the_rules_that_mute_an_alarm():
    """Each with its schedule, for how long, and in which time zone."""
    nights = AlarmMuteRule("R", "nights", "cron(0 22 * * *)", 8 * HOUR, "Europe/London", ("It", "Other"), None, None, replays.PLACE)  # fmt: skip
    once = nights._replace(name="once", expression="at(2026-03-01T10:00)", duration=90 * 60, timezone="UTC")
    rules = (nights, once._replace(targets=("Other",)), once)
    assert said.mutes(rules, alarm("It", OURS)) == [
        "nights: cron(0 22 * * *) for 8 h, Europe/London",
        "once: at(2026-03-01T10:00) for 1 h 30 min, UTC",
    ]
    assert said.mutes(rules, composite("Both", "TRUE")) == []


def queries(*elements):
    """Return the queries of an alarm from (id, expression or statistic, returned)."""
    return tuple(
        MetricQuery(name, what if isinstance(what, MetricStat) else None, what if isinstance(what, str) else None, None, None, returned)
        for name, what, returned in elements
    )  # fmt: skip


SUM = MetricStat(OURS, 60, "Sum")
RULES = [
    (alarm("It", OURS), "Sum ≥ 1 over 300 s, 1 of 12, missing not breaching"),
    (
        alarm("It", OURS, period=3600, evaluated=1, needed=None, missing="missing")._replace(
            comparison_operator="LessThanThreshold", threshold=2.5
        ),
        "Sum < 2.5 over 3600 s, 1 of 1, missing as missing",
    ),
    (
        alarm("It", OURS, evaluated=3, needed=None, missing="breaching")._replace(
            stat=None, queries=queries(("m", SUM, False), ("e", "m * 2", True))
        ),
        "m * 2 ≥ 1 over 60 s, 3 of 3, missing breaching",
    ),
    (
        alarm("It", OURS, evaluated=2, needed=2, missing="ignore")._replace(
            stat=None,
            queries=queries(("m", SUM, True), ("ad1", "ANOMALY_DETECTION_BAND(m, 2)", True)),
            threshold=None,
            threshold_metric_id="ad1",
            comparison_operator="LessThanLowerOrGreaterThanUpperThreshold",
        ),
        "Sum of Rolewatch Denied outside the anomaly band over 60 s, 2 of 2, missing ignored",
    ),
    (composite("It", "ALARM(A) AND NOT ALARM(B)"), "ALARM(A) AND NOT ALARM(B)"),
]


@pytest.mark.parametrize(("made", "expected"), RULES)
def test_a_rule_in_words(made, expected):
    """Statistic or expression, comparison, period, how many of how many, and what missing data counts as."""
    assert expected == replay_rule.rule(made)


def test_what_an_alarm_looks_at():
    """The metric with its dimensions, or each query by its id."""
    plain = alarm("It", Metric("N", "M", (("A", "1"), ("B", "2"))))
    assert replay_rule.looked_at(plain) == ["N M {A=1, B=2}"]
    math = plain._replace(stat=None, queries=queries(("m", SUM, False), ("e", "m * 2", True)))
    assert replay_rule.looked_at(math) == ["m = Sum of Rolewatch Denied", "e = m * 2"]


def replay_of(*changes, minutes=None, initial=OK, actions=replays.TELLS, default=0.0, end=END):
    """Return a replay of one alarm with its changes."""
    made = alarm("It", OURS, actions=actions)
    return replayed(
        template=Template((metric_filter("F", OURS, default=default),), (made,)),
        histories=(History(made, START, end, initial, changes),),
        behind={"F": {START + at: each for at, each in (minutes or {}).items()}},
        delay=0,
    )


def rang(at):
    """Return a change into ALARM that rests on the five minutes before it."""
    data = reason_data([START + at - 300], 300)
    return change(START + at, OK, ALARM, data=data, actions=(replays.TOPIC,))


def calm(at):
    """Return a change back to OK."""
    return change(START + at, ALARM, OK)


def denied(at, *findings):
    """Return what the filter made of a minute."""
    return {at: behind(START + at, *findings)}


DEFAULT = Behind(0, 2, (), ())
DEEDS = [
    (replay_of(), "never went to ALARM"),
    (
        replay_of(rang(HOUR)),
        "went to ALARM once, at 2026-03-01 11:00, and stayed there for 9 h, to the end",
    ),
    (
        replay_of(rang(HOUR), calm(2 * HOUR)),
        "went to ALARM once, at 2026-03-01 11:00, and stayed there for 1 h",
    ),
    (
        replay_of(rang(HOUR), minutes={HOUR - 60: DEFAULT}, default=1.0),
        "went to ALARM once, at the first event of any kind, and stayed there for 9 h, to the end",
    ),
    (replay_of(rang(HOUR), end=START + HOUR), "went to ALARM once, at 2026-03-01 11:00, at the very end"),
    (replay_of(initial=ALARM), "was in ALARM from the start, for 10 h, to the end"),
    (replay_of(calm(HOUR), initial=ALARM), "was in ALARM from the start, for 1 h"),
    (
        replay_of(rang(HOUR), calm(2 * HOUR), rang(3 * HOUR), calm(4 * HOUR)),
        "went to ALARM 2 times, and was there for 2 h in all",
    ),
    (
        replay_of(rang(HOUR), calm(2 * HOUR), rang(9 * HOUR), minutes={HOUR - 60: DEFAULT}, default=1.0),
        "went to ALARM 2 times, once without a matching record, and was there for 2 h in all, and at the end",
    ),
]


@pytest.mark.parametrize(("replay", "expected"), DEEDS)
def test_what_an_alarm_did(replay, expected):
    """How often it went to ALARM, on what occasion, for how long, and whether it is there still."""
    (story,) = stories(replay)
    assert expected == said.deed(story)


def test_what_that_was_worth():
    """Findings that rang, those that began meanwhile, and those that never rang, in a sentence each."""
    minutes = denied(HOUR - 60, A) | denied(2 * HOUR, B)
    (story,) = stories(replay_of(rang(HOUR), minutes=minutes))
    assert said.upshot(story) == [
        "1 finding stood behind its change into ALARM.",
        "1 finding began while it was in ALARM: nobody was told.",
    ]
    (story,) = stories(replay_of(minutes=minutes))
    assert said.upshot(story) == ["2 findings never raised it: nobody was told."]
    quiet = rang(HOUR)._replace(actions=())
    (story,) = stories(replay_of(quiet, minutes=denied(HOUR - 60, A), actions=Actions()))
    assert said.upshot(story) == ["1 finding stood behind its change into ALARM, and nobody was told."]
    both = denied(HOUR - 60, A) | denied(3 * HOUR - 60, B)
    (story,) = stories(replay_of(quiet, calm(2 * HOUR), rang(3 * HOUR), minutes=both))
    assert said.upshot(story) == [
        "2 findings stood behind its changes into ALARM, and somebody was told of 1."
    ]


COSTS = [
    (replay_of(), "0 minutes in ALARM, 0 notifications"),
    (replay_of(rang(HOUR), calm(HOUR + 60)), "1 minute in ALARM, 1 notification"),
    (replay_of(rang(HOUR), calm(HOUR + 90)), "1.5 minutes in ALARM, 1 notification"),
    (replay_of(rang(HOUR)), "540 minutes in ALARM (9 h), 1 notification"),
    (
        replay_of(actions=Actions()),
        "0 minutes in ALARM, no change into ALARM; it has no actions, so nobody would be told",
    ),
    (
        replay_of(
            rang(HOUR)._replace(actions=()),
            calm(2 * HOUR),
            actions=Actions(enabled=False, alarm=(replays.TOPIC,)),
        ),
        "60 minutes in ALARM (1 h), 1 change into ALARM; its actions are disabled, so nobody is told",
    ),
]


@pytest.mark.parametrize(("replay", "expected"), COSTS)
def test_what_an_alarm_cost(replay, expected):
    """Minutes in ALARM and notifications, or changes into ALARM that nobody is told of."""
    (story,) = stories(replay)
    assert expected == said.cost(story)


def test_the_answer_in_one_sentence():
    """What one alarm did, or how many of several rang, and how many findings nobody was told of."""
    article, both, quiet = replays.story(), replays.story(), replays.quiet()
    article = article._replace(histories=article.histories[:1])
    later = (
        "went to ALARM once, at the first event of any kind, and stayed there for 29 days 23 h, to the end"
    )
    expected = [
        (article, f"The alarm {later}; 15 findings began meanwhile and notified nobody"),
        (both, "2 of 2 alarms went to ALARM; somebody was told of all 15 findings"),
        (quiet, "The alarm never went to ALARM"),
        (replay_of(minutes=denied(HOUR, A)), "The alarm never went to ALARM; nobody was told of the only finding"),
        (replay_of(minutes=denied(HOUR, A, B)), "The alarm never went to ALARM; nobody was told of all 2 findings"),
        (replay_of(rang(HOUR), minutes=denied(HOUR - 60, A) | denied(0, B)), "The alarm went to ALARM once, at 2026-03-01 11:00, and stayed there for 9 h, to the end; of 2 findings, 1 notified nobody"),
        (replay_of(rang(HOUR), minutes=denied(HOUR - 60, A)), "The alarm went to ALARM once, at 2026-03-01 11:00, and stayed there for 9 h, to the end; somebody was told of the only finding"),
        (replayed(), "The template defines no alarm"),
        (replayed(totals={"records": 0}, end=START), "Nothing was replayed: there is no CloudTrail record in this input"),
        (replayed(totals={"records": 2}, end=START), "Nothing was replayed: no record in this input has a usable eventTime and is of the time, accounts and Regions that were asked for"),
    ]  # fmt: skip
    assert [text for _, text in expected] == [said.answer(replay, stories(replay)) for replay, _ in expected]


def test_a_record_in_one_line():
    """When, what, by whom, on what; what is unknown is left out."""
    full, bare = replays.match(START, A), replays.match(START)
    assert said.example(full, replays.FINDINGS) == (
        "2026-03-01T10:00:00Z s3:GetBucketPolicy AccessDenied by AWSServiceRoleForConfig on arn:aws:s3:::bucket-0"
    )
    assert (
        said.example(bare, {}) == f"2026-03-01T10:00:00Z s3:GetBucketPolicy AccessDenied by {bare.principal}"
    )
    nothing = bare._replace(event_source=None, event_name=None, error_code=None, principal=None)
    assert said.example(nothing, {}) == "2026-03-01T10:00:00Z a record"
