"""Datapoints that become known one after the other: alarms do what a replay of all of them says, however time is cut."""

import random
from collections import defaultdict

import pytest
from alarm_stories import START, TEMPLATE, AlarmStory, template_of, told_by

from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import State
from rolewatch.metrics.series import series_of
from rolewatch.store.datapoints import Named
from rolewatch.templates.definitions import Metric
from rolewatch.watch.alarm_counts import Counts

PLAIN = Named("N", "Denied", (), "None")
SERIES = (PLAIN, PLAIN, Named("N", "ByBucket", (("Bucket", "b1"),), "None"), Named("N", "Size", (), "Bytes"))


def published(seed, minutes):
    """Publish values, with busy and quiet times: (series, minute, value)."""
    rng = random.Random(seed)
    found = []
    for minute in range(minutes):
        for series in SERIES:
            rate = (0.05, 0.9, 2.5)[(minute // 11 + seed) % 3]
            for _ in range(int(rng.expovariate(1 / rate))):
                value = rng.choice((1, 400, 900)) if series.name == "Size" else rng.choice((0, 0, 1))
                found.append((series, START + 60 * minute, float(value)))
    return found


def counts(points, arrived):
    """Give what arrives together in the form in which it is counted."""
    part = defaultdict(dict)
    for series, minute, value in points:
        values = part[series].setdefault(minute, {})
        values[value] = values.get(value, 0) + 1
    return Counts({None if arrived is None else int(arrived) // 60 * 60: dict(part)})


def metrics(points):
    """Make series of all that was published."""
    values = defaultdict(dict)
    for series, minute, value in points:
        kept = values[series].setdefault(minute, {})
        kept[value] = kept.get(value, 0) + 1
    found = {}
    for series, own in values.items():
        found.setdefault(Metric(*series[:3]), {})[series.unit] = series_of(own)
    return found


class Evaluated(AlarmStory):
    """A state in which nothing but alarms is kept."""

    def __init__(self, place, text=TEMPLATE, at=START, **more):
        super().__init__(place, None, text, actions={"page": ("page",), "calm": ("calm",)})
        self._more = more
        self._alarms = self.alarms(**more)
        self.tick(at + 5)

    def restart(self):
        """Go on in another process."""
        self._alarms = self.alarms(**self._more)

    def tick(self, seconds, complete=None):
        """Look at the clock."""
        self.clock(seconds)
        now = self.now
        if complete is not None:
            self.clock(complete)
        told = self._alarms.tick(self.state, now, self.now)
        self.now = now
        return told

    def keep(self, points, arrived, now=None):
        """Let datapoints arrive, and be committed then or later."""
        self.clock(arrived if now is None else now)
        self.state.write(lambda connection: self._alarms.keep(connection, counts(points, arrived), self.now))


@pytest.fixture
def story(tmp_path):
    """Begin with a state of its own."""
    told = Evaluated(str(tmp_path / "state"))
    yield told
    told.close()


def expected(points, end, delay, text=TEMPLATE, start=START):
    """Replay all that was published."""
    template = template_of(text)
    histories, _ = replay(
        template.alarms, template.composites, metrics(points), start=start, end=end, delay=delay,
        arn_prefix=template.arn_prefix, detectors=template.anomaly_detectors, mute_rules=template.mute_rules,
    )  # fmt: skip
    return told_by(histories)


@pytest.mark.parametrize("seed", range(3))
def test_minute_by_minute(story, seed):
    """Evaluated once a minute, with restarts in between, alarms do what one replay says: reasons, suppression, mutes and all."""
    rng = random.Random(seed)
    delay, minutes = 60 * (seed % 3), 240
    points = published(seed, minutes)
    by_minute = defaultdict(list)
    for point in points:
        by_minute[point[1]].append(point)
    end = START + 60 * minutes
    for time in range(START + 60, end + 1, 60):
        story.keep(by_minute[time - 60 - delay], time - 1)
        if rng.random() < 0.1:
            story.restart()
        story.tick(time + 5)
    assert story.transitions == expected(points, end, delay)
    assert {row[8] for row in story.transitions} >= {"WaitPeriod", "AlarmMuteRule lunch"}


@pytest.mark.parametrize("seed", range(3))
def test_however_time_is_cut(tmp_path, seed):
    """What arrives at any time, and is committed at any time after that, changes alarms when it had arrived, not when it was read."""
    rng = random.Random(seed)
    minutes = 150
    end = START + 60 * minutes
    arriving = sorted(
        (point[1] + rng.choice((61, 100, 360, 2000)), point) for point in published(seed, minutes)
    )
    stories = []
    for cut in (False, True):
        story, left, time = Evaluated(str(tmp_path / str(cut))), list(arriving), START + 5
        while time < end + 5:
            time = min(time + (60 * rng.choice((1, 1, 7, 45)) + rng.randint(0, 59) if cut else 60), end + 5)
            batch = []
            while left and left[0][0] < time:
                batch.append(left.pop(0))
            if cut:
                rng.shuffle(batch)
                story.restart()
            for moment, point in batch:
                story.keep([point], moment, now=time)
            story.tick(time)
        stories.append(story)
    calm, cut = stories
    assert cut.transitions == calm.transitions
    assert cut.letters == calm.letters
    assert len(calm.letters) > 5
    for story in stories:
        story.close()


def test_an_evaluation_sees_what_had_arrived(story):
    """Held against a replay of each minute by itself, over what had arrived before it."""
    rng = random.Random(7)
    minutes, alarms = 120, template_of().alarms
    arriving = sorted((point[1] + rng.choice((61, 100, 360, 2000)), point) for point in published(7, minutes))
    end = START + 60 * minutes
    states, found = {alarm.name: State.INSUFFICIENT_DATA for alarm in alarms}, []
    for time in range(START + 60, end + 1, 60):
        seen = metrics([point for moment, point in arriving if moment < time])
        histories, _ = replay(alarms, (), seen, start=time - 1, end=time, initial=states)
        found += told_by(histories)
        states = {history.alarm.name: history.final for history in histories}
    for moment, point in arriving:
        if moment < end:
            story.keep([point], moment, now=end)
    story.tick(end + 5)
    names = set(states)
    assert sorted(row[:6] for row in story.transitions if row[0] in names) == sorted(row[:6] for row in found)
    assert len(found) > 20


SHORT = """
  Short:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: short, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 30, EvaluationPeriods: 3, DatapointsToAlarm: 1,
      Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching}
  Held:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: held, AlarmRule: "ALARM(short)", AlarmActions: [page], OKActions: [calm], ActionsSuppressor: short,
      ActionsSuppressorWaitPeriod: 20, ActionsSuppressorExtensionPeriod: 50}
"""
DAILY = """
  Daily:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: daily, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 21600, EvaluationPeriods: 6, DatapointsToAlarm: 1,
      Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching}
"""
BAND = """
  Unusual:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: unusual
      EvaluationPeriods: 1
      ComparisonOperator: LessThanLowerOrGreaterThanUpperThreshold
      ThresholdMetricId: band
      Metrics:
        - {Id: m, MetricStat: {Stat: Sum, Period: 3600, Metric: {Namespace: N, MetricName: Denied}}}
        - {Id: band, Expression: "ANOMALY_DETECTION_BAND(m, 2)"}
"""


def bursts(seed, hours):
    """Publish a 1 in some minutes, and then for a while none."""
    rng = random.Random(seed)
    return [(PLAIN, START + 60 * minute, 1.0) for minute in range(60 * hours) if rng.random() < 0.1]


def rare(seed, hours):
    """Publish a 1 every few days."""
    rng = random.Random(seed)
    return [
        (PLAIN, START + 3600 * hour + 60 * rng.randint(0, 59), 1.0)
        for hour in range(hours)
        if rng.random() < 0.015
    ]


def hourly(seed, hours):
    """Publish about the same in each hour, and something else now and then."""
    rng = random.Random(seed)
    return [
        (
            PLAIN,
            START + 3600 * hour,
            float(rng.choice((9, 10, 11)) if rng.random() < 0.9 else rng.choice((3, 40))),
        )
        for hour in range(hours)
    ]


@pytest.mark.parametrize(
    ("alarms", "publish", "hours", "every"),
    [(SHORT, bursts, 2, 10), (DAILY, rare, 500, 1800), (BAND, hourly, 500, 3600)],
    ids=["short", "daily", "band"],
)
def test_other_alarms(tmp_path, alarms, publish, hours, every):
    """Periods of seconds, ranges of days, which are looked at once an hour, and bands that are learned from two weeks."""
    text = TEMPLATE.partition("  ByBucket")[0] + alarms
    story = Evaluated(str(tmp_path / "state"), text)
    delay = (
        60 if alarms == SHORT else 0
    )  # what would be seen of a minute before it is over cannot have arrived
    points, end = publish(3, hours), START + 3600 * hours
    left = sorted(points, key=lambda point: point[1])
    for time in range(START + every, end + 1, every):
        while left and left[0][1] + delay < time:
            story.keep([left.pop(0)], None, now=time)
        story.tick(time + 5)
    found = expected(points, end, delay, text)
    assert story.transitions == found
    assert len(found) > 5
    story.close()
