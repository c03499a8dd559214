"""Definitions in the state: those who only look at alarms know of them what the watcher knows."""

import json

from alarm_stories import TEMPLATE, template_of
from log_alarm_stories import EVERYTHING

from rolewatch.watch.alarm_definitions import definitions_of, digest_of, kind_of
from rolewatch.watch.alarm_kept import read, written


def test_a_definition_comes_back():
    """What is read is evaluated alike: it has the same digest, its detectors, and the filters that publish its metrics."""
    definitions = definitions_of(template_of(EVERYTHING))
    assert len(definitions.all) > 10
    for alarm in definitions.all.values():
        kept = read(kind_of(alarm), written(alarm, definitions))
        assert digest_of(kept.alarm) == digest_of(alarm)
        assert type(kept.alarm) is type(alarm)
        metrics = {each.name for each in getattr(definitions.reaches.get(alarm.name), "metrics", ())}
        assert {each.metric for each in kept.filters} == metrics
    share = read("metric", written(definitions.all["share"], definitions))
    assert [each.pattern for each in share.filters] == ["{ $.errorCode = AccessDenied }"]


def test_its_place_does_not_matter():
    """The same alarm further down in another file is written alike, so that two watchers do not write in turn."""
    one, other = (
        definitions_of(template_of(text))
        for text in (TEMPLATE, TEMPLATE.replace("Resources:", "\n\n\nResources:"))
    )
    for name, alarm in one.all.items():
        assert written(alarm, one) == written(other.all[name], other)


def test_what_cannot_be_read_is_nothing():
    """What another version has written, what is cut, or what was never written is none."""
    definitions = definitions_of(template_of(TEMPLATE))
    text = written(definitions.all["quick"], definitions)
    alarm, rest = json.loads(text)
    assert read("metric", text) is not None
    others = [
        None,
        "",
        "null",
        "{}",
        "[]",
        text[:-5],
        json.dumps([alarm[:5], rest]),
        json.dumps([alarm, [1, 2]]),
        "[[],[]]",
    ]
    assert [read("metric", each) for each in others] == [None] * len(others)
    assert read("composite", text) is None
    assert read("heard of", text) is None
