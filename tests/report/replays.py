"""Replays made by hand: the article's alarm and ours over a month, a quiet one, and one whose every word is hostile."""

import json
from datetime import UTC, datetime

from sample import HOSTILE

from rolewatch.alarms.history import History, State, Transition
from rolewatch.metrics.series import series_of
from rolewatch.patterns import compile_pattern
from rolewatch.scan.replayed import UNIT, Behind, Match, Named, Replayed
from rolewatch.templates.definitions import (
    Actions,
    Alarm,
    CompositeAlarm,
    Metric,
    MetricFilter,
    MetricStat,
    Notice,
    Place,
    Template,
    Transformation,
)  # fmt: skip

DAY, HOUR, MINUTE = 86_400, 3600, 60
START = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp())
END = START + 30 * DAY
TOPIC = "arn:aws:sns:us-east-1:111122223333:alerts"
TELLS, SILENT = Actions(alarm=(TOPIC,)), Actions()
PLACE = Place("article.yaml", 12, 5, "Resources.Denied")
ARTICLE, OURS, ROLES = Metric("Article", "AccessDenied"), Metric("Rolewatch", "Denied"), Metric("Rolewatch", "Denied", (("Role", "AWSServiceRoleForConfig"),))  # fmt: skip
FINDINGS = {
    f"{number:016x}": Named("config.amazonaws.com", "AWSServiceRoleForConfig", "111122223333", f"arn:aws:s3:::bucket-{number}")
    for number in range(15)
}  # fmt: skip


def when(time):
    """Return epoch seconds as CloudTrail writes them."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def metric_filter(name, metric, *, default=None, dimensions=()):
    """Return a filter that counts denials."""
    made = Transformation(metric.namespace, metric.name, "1", default, dimensions)
    return MetricFilter(name, name, "trail", compile_pattern("{ $.errorCode = AccessDenied }"), made, PLACE)


def alarm(
    name,
    metric,
    *,
    period=300,
    evaluated=12,
    needed=1,
    missing="notBreaching",
    actions=TELLS,
):
    """Return a plain alarm: Sum ≥ 1."""
    stat = MetricStat(metric, period, "Sum")
    return Alarm(
        name, name, None, stat, (), evaluated, needed, 1.0, None, "GreaterThanOrEqualToThreshold", missing, "evaluate", actions, PLACE
    )  # fmt: skip


def composite(name, rule, actions=SILENT):
    """Return a composite alarm."""
    return CompositeAlarm(name, name, None, rule, actions, None, 0, 0, PLACE)


def reason_data(times, period, value=1.0):
    """Return StateReasonData in which datapoints were evaluated that started at the given times, the newest first."""
    points = [
        {"timestamp": when(time).replace("Z", ".000+0000"), "sampleCount": 1.0, "value": value}
        for time in times
    ]
    return json.dumps({"version": "1.0", "period": period, "statistic": "Sum", "threshold": 1.0, "evaluatedDatapoints": points})  # fmt: skip


def change(
    time, before, after, *, actions=(), data=None, reason="Threshold Crossed: 1 out of the last 12 datapoints"
):
    """Return a transition."""
    return Transition(time, before, after, reason, data, actions)


def match(time, finding=None, number=0, **fields):
    """Return a record that a filter counted."""
    plain = Match(
        when(time), f"00000000-0000-4000-8000-{number:012}", "s3.amazonaws.com", "GetBucketPolicy", "AccessDenied",
        "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", "111122223333", finding,
    )  # fmt: skip
    return plain._replace(**fields)


def behind(time, *findings, defaults=0, number=0):
    """Return what a filter made of a minute: a matching record for each finding."""
    examples = tuple(match(time + at, finding, number + at) for at, finding in enumerate(findings))
    return Behind(len(findings), defaults, findings, examples)


def replayed(**fields):
    """Return a replay of nothing, with some of its fields set."""
    plain = Replayed(
        Template(), {}, (), {}, FINDINGS, (), START, END, 300,
        {"deliveries": 720, "skipped": 1, "damaged": 0, "unreadable": 0, "records": 20_000, "seconds": 1.5}, (), (), ("trail/",),
    )  # fmt: skip
    return plain._replace(**fields)


def story():
    """Return the month of the article: its alarm rings at the first event and never again; ours rings for each denial apart.

    A finding begins on each of the first fifteen days, one hour after the start of the day. The article's filter publishes
    its default for each of the two events of every hour.
    """
    names = list(FINDINGS)
    denials = {
        START + day * DAY + HOUR: behind(START + day * DAY + HOUR, names[day], number=day)
        for day in range(15)
    }
    events = {START + hour * HOUR: Behind(0, 2, (), ()) for hour in range(720)}
    article = events | {time: each._replace(defaults=2) for time, each in denials.items()}
    filters = (
        metric_filter("ArticleFilter", ARTICLE, default=1.0),
        metric_filter("OurFilter", OURS, default=0.0),
        metric_filter("RoleFilter", Metric("Rolewatch", "Denied"), dimensions=(("Role", "$.userIdentity.userName"),)),
    )  # fmt: skip
    rang = START + MINUTE + 300
    first = change(
        rang, State.INSUFFICIENT_DATA, State.ALARM, actions=(TOPIC,), data=reason_data([START - 50 * MINUTE], HOUR, 2.0),
        reason="Threshold Crossed: 1 datapoint [2.0 (01/03/26 09:10:00)] was greater than or equal to the threshold (1.0).",
    )  # fmt: skip
    histories = (
        History(alarm("ArticleAlarm", ARTICLE, period=HOUR, evaluated=1, needed=None), START, END, State.INSUFFICIENT_DATA, (first,)),
        History(alarm("OurAlarm", OURS), START, END, State.INSUFFICIENT_DATA, tuple(_rings())),
    )  # fmt: skip
    metrics = {
        ARTICLE: {
            UNIT: series_of({time: {1.0: 3 if each.findings else 2} for time, each in article.items()})
        },
        OURS: {
            UNIT: series_of({time: ({1.0: 1, 0.0: 2} if time in denials else {0.0: 2}) for time in article})
        },
        ROLES: {UNIT: series_of({time: {1.0: 1} for time in denials})},
    }
    return replayed(
        template=Template(filters, tuple(history.alarm for history in histories)),
        metrics=metrics,
        histories=histories,
        behind={"ArticleFilter": article, "OurFilter": denials, "RoleFilter": denials},
        notices=(Notice("unused", "AWS::S3::Bucket has no effect here", PLACE),),
        skipped=(("trail/digest.json.gz", "digest file"),),
    )


def _rings():
    """Yield what ours does: OK at once, ALARM for each denial when it has arrived, OK an hour later."""
    yield change(START + MINUTE, State.INSUFFICIENT_DATA, State.OK, reason="Threshold Crossed: no datapoints were received for 12 periods and 12 missing datapoints were treated as [NonBreaching].")  # fmt: skip
    for day in range(15):
        denied = START + day * DAY + HOUR
        seen = denied + MINUTE + 300
        data = reason_data([denied - 240], 300)
        yield change(seen, State.OK, State.ALARM, actions=(TOPIC,), data=data)
        yield change(seen + HOUR - 300, State.ALARM, State.OK)


def quiet():
    """Return a replay in which nothing happened and nobody would be told."""
    silent = alarm("Quiet", OURS, actions=SILENT)
    return replayed(
        template=Template((metric_filter("OurFilter", OURS, default=0.0),), (silent,)),
        metrics={OURS: {UNIT: series_of({START + hour * HOUR: {0.0: 1} for hour in range(720)})}},
        histories=(History(silent, START, END, State.INSUFFICIENT_DATA, (change(START + MINUTE, State.INSUFFICIENT_DATA, State.OK),)),),
        behind={"OurFilter": {START + hour * HOUR: Behind(0, 1, (), ()) for hour in range(720)}},
        findings={},
    )  # fmt: skip


def hostile():
    """Return a replay in which every text is an attacker's."""
    evil = Metric(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),))
    made = alarm(HOSTILE, evil, actions=Actions(alarm=(HOSTILE,)))
    place = Place(HOSTILE, 1, 1, HOSTILE)
    plain = match(START, HOSTILE)
    named = plain._replace(time=HOSTILE, event_id=HOSTILE, event_source=HOSTILE, event_name=HOSTILE, error_code=HOSTILE, principal=HOSTILE, account=HOSTILE)  # fmt: skip
    rang = change(
        START + 360, State.OK, State.ALARM, actions=(HOSTILE,), reason=HOSTILE, data=reason_data([START], 300)
    )
    both = composite(f"{HOSTILE} both", 'ALARM("' + HOSTILE + '")')
    return replayed(
        template=Template((metric_filter(HOSTILE, evil, dimensions=((HOSTILE, HOSTILE),)),), (made,), (both,)),
        metrics={evil: {HOSTILE: series_of({START: {1.0: 1}})}, evil._replace(name=f"{HOSTILE} 2"): {UNIT: series_of({START: {1.0: 1}})}},
        histories=(
            History(made, START, END, State.OK, (rang,)),
            History(both, START, END, State.OK, (rang._replace(reason_data=None),)),
        ),
        behind={HOSTILE: {START: Behind(1, 1, (HOSTILE,), (named,))}},
        findings={HOSTILE: Named(HOSTILE, HOSTILE, HOSTILE, HOSTILE)},
        notices=(Notice("error", HOSTILE, place), Notice("warning", HOSTILE, place)),
        skipped=((HOSTILE, HOSTILE),),
        unreadable=((HOSTILE, HOSTILE),),
        sources=(HOSTILE,),
    )  # fmt: skip
