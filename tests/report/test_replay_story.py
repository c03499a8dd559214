"""What stood behind an alarm's changes, and which findings nobody was told of."""

import replays
from hypothesis import given
from hypothesis import strategies as st
from replays import (
    HOUR,
    MINUTE,
    OURS,
    START,
    alarm,
    behind,
    change,
    composite,
    metric_filter,
    reason_data,
    replayed,
)

from rolewatch.alarms.history import History, State
from rolewatch.metrics.series import series_of
from rolewatch.report.replay_story import stories
from rolewatch.scan.replayed import Behind
from rolewatch.templates.definitions import Actions, Metric, Template

OK, ALARM, UNKNOWN = State.OK, State.ALARM, State.INSUFFICIENT_DATA
A, B, C = list(replays.FINDINGS)[:3]
END = START + 10 * HOUR


def replay_of(*changes, minutes, initial=OK, of=None, **fields):
    """Return a replay of one alarm with its changes, whose filter made something of some minutes; no delay."""
    made = of or alarm("It", OURS)
    plain = {
        "template": Template((metric_filter("Filter", OURS, default=0.0),), (made,)),
        "metrics": {OURS: {"None": series_of({})}},
        "histories": (History(made, START, END, initial, changes),),
        "behind": {"Filter": minutes},
        "delay": 0,
    }
    return replayed(**plain | fields)


def story_of(*changes, **fields):
    """Return the story of the alarm of `replay_of`."""
    (story,) = stories(replay_of(*changes, **fields))
    return story


def rang(at, *windows, period=300):
    """Return a change into ALARM that rests on datapoints that began at the given times."""
    return change(
        START + at,
        OK,
        ALARM,
        actions=(replays.TOPIC,),
        data=reason_data([START + each for each in windows], period),
    )


def calm(at):
    """Return a change back to OK."""
    return change(START + at, ALARM, OK)


def at(*minutes):
    """Return minutes after the start, each with the findings behind it."""
    return {START + after: behind(START + after, *findings) for after, *findings in minutes}


def groups(story):
    """Return the findings: raised, meanwhile, unraised."""
    return story.raised, story.meanwhile, story.unraised


def test_the_article_tells_of_nothing():
    """Its alarm rings for records that do not match, stays there, and all findings begin meanwhile."""
    story = stories(replays.story())[0]
    assert groups(story) == ((), tuple(replays.FINDINGS), ())
    assert (story.entries, story.notifications, len(story.told), story.untold) == (1, 1, 0, 15)
    assert story.seconds == replays.END - START - 360
    assert story.causes[0][:5] == (START - 50 * MINUTE, START + MINUTE, 0, 2, ())


def test_ours_tells_of_everything():
    """Each denial rings apart, an hour later it is over, and every finding stood behind a change."""
    story = stories(replays.story())[1]
    assert groups(story) == (tuple(replays.FINDINGS), (), ())
    assert (story.entries, story.notifications, len(story.told), story.untold) == (15, 15, 15, 0)
    assert story.seconds == 15 * 55 * MINUTE
    assert [cause.findings for cause in story.causes if cause] == [(finding,) for finding in replays.FINDINGS]


def test_findings_are_one_of_three():
    """What rang, what began while it was ringing, and what never rang are told apart."""
    minutes = at((0, C), (HOUR, A), (2 * HOUR, A, B))
    story = story_of(rang(HOUR + MINUTE, HOUR - 240), calm(3 * HOUR), minutes=minutes)
    assert groups(story) == ((A,), (B,), (C,))
    assert [spell.began for spell in story.spells] == [(B,)]


def test_a_finding_that_began_meanwhile_stays_that():
    """That a later change has it behind it does not undo that nobody was told when it began."""
    minutes = at((HOUR, A), (HOUR + 120, B), (5 * HOUR, B))
    changes = (
        rang(HOUR + MINUTE, HOUR - 240),
        calm(2 * HOUR),
        rang(5 * HOUR + MINUTE, 5 * HOUR - 240),
        calm(6 * HOUR),
    )
    story = story_of(*changes, minutes=minutes)
    assert groups(story) == ((A,), (B,), ())
    assert story.causes[2].findings == (B,)


def test_a_finding_that_rings_at_its_second_record_has_raised_it():
    """Its first record was below the threshold, while the alarm was OK: somebody was told, though late."""
    story = story_of(rang(5 * HOUR, 5 * HOUR - 300), minutes=at((0, A), (5 * HOUR - 60, A)))
    assert groups(story) == ((A,), (), ())


def test_what_had_not_arrived_is_not_behind_a_change():
    """With a delay, the records of the last minutes of a window came too late for it, and so began meanwhile."""
    minutes = at((HOUR, A), (HOUR + 180, B))
    window = rang(HOUR + 360, HOUR, HOUR + 60, period=300)
    assert groups(story_of(window, minutes=minutes)) == ((A, B), (), ())
    assert groups(story_of(window, minutes=minutes, delay=300)) == ((A,), (B,), ())


def test_without_reason_data_the_rule_says_what_was_looked_at():
    """Twelve periods of five minutes before the change, as far as their records had arrived."""
    for data in (None, "{", "[]", '{"evaluatedDatapoints":[{"timestamp":"x","value":1}]}'):
        ring = change(START + 2 * HOUR, OK, ALARM, data=data)
        story = story_of(ring, minutes=at((0, A), (HOUR, B)), delay=300)
        assert story.causes[0][:2] == (START + 2 * HOUR - 300 - HOUR, START + 2 * HOUR - 300)
        assert groups(story) == ((B,), (), (A,))


def test_points_that_were_missing_are_not_looked_at():
    """Of the evaluated datapoints only those with a value had records."""
    data = reason_data([START + HOUR], 300).replace("[{", '[{"timestamp": "2026-02-01T00:00:00.000+0000"}, {')
    story = story_of(change(START + HOUR + 300, OK, ALARM, data=data), minutes=at((HOUR, A)))
    assert story.causes[0][:2] == (START + HOUR, START + HOUR + 300)


def test_a_default_of_nothing_is_no_occasion():
    """A filter that publishes 0 for what does not match cannot have raised the alarm by that."""
    minutes = {START + HOUR: Behind(0, 7, (), ())}
    for default, counted in ((0.0, 0), (None, 0), (1.0, 7)):
        template = Template((metric_filter("Filter", OURS, default=default),), (alarm("It", OURS),))
        story = story_of(rang(HOUR + 300, HOUR), minutes=minutes, template=template)
        assert (story.causes[0].matched, story.causes[0].defaults) == (0, counted)


def test_an_alarm_that_begins_in_alarm():
    """It is in ALARM from the start, with nothing behind it that is known; what begins meanwhile notifies nobody."""
    story = story_of(calm(2 * HOUR), minutes=at((HOUR, A), (3 * HOUR, B)), initial=ALARM)
    assert groups(story) == ((), (A,), (B,))
    assert (story.entries, story.seconds, story.spells[0].change) == (0, 2 * HOUR, None)


@given(
    st.dictionaries(
        st.integers(0, 59), st.lists(st.sampled_from("abcd"), unique=True, min_size=1), max_size=12
    ),
    st.lists(st.integers(1, 60), unique=True, max_size=6).map(sorted),
    st.integers(0, 6),
    st.booleans(),
)
def test_every_finding_is_one_of_three(denials, times, delay, begins):
    """Told apart minute by minute, the slow way: an alarm that changes at some times, with windows of five minutes."""
    minutes = {START + each * 60: behind(START + each * 60, *findings) for each, findings in denials.items()}
    states = [ALARM if (number % 2 == 0) != begins else OK for number in range(len(times))]
    first = ALARM if begins else OK
    changes = [
        change(START + time * 60, before, after, data=reason_data([START + (time - 5 - delay) * 60], 300))
        for time, before, after in zip(times, [first, *states], states, strict=False)
    ]
    story = story_of(*changes, minutes=minutes, initial=first, delay=delay * 60)
    windows = {
        time: range(time - 5 - delay, time - delay)
        for time, state in zip(times, states, strict=True)
        if state is ALARM
    }
    expected = {"raised": set(), "meanwhile": set(), "unraised": set()}
    for finding in "abcd":
        within = sorted(each for each, findings in denials.items() if finding in findings)
        if not within:
            continue
        seen = within[0] + 1 + delay
        spell = next((time for time in reversed(times) if time <= seen), None)
        in_alarm = (states[times.index(spell)] if spell is not None else first) is ALARM
        if in_alarm and not set(within) & set(windows.get(spell, ())):
            expected["meanwhile"].add(finding)
        elif any(each in window for window in windows.values() for each in within):
            expected["raised"].add(finding)
        else:
            expected["unraised"].add(finding)
    assert expected == {name: set(getattr(story, name)) for name in expected}


def test_whoever_is_not_told():
    """Without actions, or with actions that are off, nobody hears of what raised the alarm."""
    for actions in (Actions(), Actions(ok=(replays.TOPIC,)), Actions(enabled=False, alarm=(replays.TOPIC,))):
        made = alarm("It", OURS, actions=actions)
        ring = rang(HOUR + MINUTE, HOUR - 240)._replace(actions=())
        story = story_of(ring, minutes=at((HOUR, A)), of=made)
        assert (story.raised, story.tells, story.told, story.untold) == ((A,), False, (), 1)


def test_what_was_suppressed_was_not_told():
    """A finding is told if one of the changes that it stood behind invoked an action."""
    first, second = rang(HOUR + MINUTE, HOUR - 240), rang(5 * HOUR + MINUTE, 5 * HOUR - 240)
    changes = first._replace(actions=(), suppressed_by="Alarm"), calm(2 * HOUR), second
    story = story_of(*changes, minutes=at((HOUR, A, B), (5 * HOUR, B)))
    assert (story.raised, story.told, story.untold) == ((A, B), (B,), 1)


def test_what_began_before_actions_that_were_held_back():
    """Whoever is told late is told of what has begun until then, too; what begins after that, nobody is told of."""
    minutes = at((HOUR, A), (HOUR + 600, B), (2 * HOUR, C))
    first = rang(HOUR + MINUTE, HOUR - 240)
    late = first._replace(suppressed_by="AlarmMuteRule nights", acted_at=START + HOUR + 660)
    story = story_of(late, calm(3 * HOUR), minutes=minutes)
    assert groups(story) == ((A, B), (C,), ())
    assert (story.told, story.untold, story.notifications) == ((A, B), 1, 1)
    assert [(spell.before, spell.began) for spell in story.spells] == [((B,), (C,))]
    early = late._replace(acted_at=START + HOUR + 659)
    assert groups(story_of(early, calm(3 * HOUR), minutes=minutes)) == ((A,), (B, C), ())
    never = first._replace(suppressed_by="AlarmMuteRule nights", actions=())
    story = story_of(never, calm(3 * HOUR), minutes=minutes)
    assert (groups(story), story.told, story.notifications) == (((A,), (B, C), ()), (), 0)


def test_actions_that_were_held_back_with_a_delay():
    """Records count from when they have arrived."""
    minutes = at((HOUR, A), (HOUR + 600, B))
    for acted_at, expected in ((HOUR + 959, ((A,), (B,), ())), (HOUR + 960, ((A, B), (), ()))):
        late = rang(HOUR + 360, HOUR - 240)._replace(acted_at=START + acted_at, suppressed_by="WaitPeriod")
        assert groups(story_of(late, calm(3 * HOUR), minutes=minutes, delay=300)) == expected


def test_the_filters_of_a_metric():
    """Those with the metric's dimensions publish it; for one without any, others count only if there is no such filter."""
    roles = Metric(*OURS[:2], (("Role", "x"),))
    plain, by_role = (
        metric_filter("Plain", OURS),
        metric_filter("ByRole", OURS, dimensions=(("Role", "$.a"),)),
    )
    other = metric_filter("Other", Metric("Else", OURS.name))

    def filters(metric, *known):
        made = alarm("It", metric)
        template = Template((*known, other), (made,))
        (story,) = stories(replay_of(minutes={}, of=made, template=template))
        return [each.logical_id for each in story.filters]

    assert filters(OURS, plain, by_role) == ["Plain"]
    assert filters(OURS, by_role) == ["ByRole"]
    assert filters(roles, plain, by_role) == ["ByRole"]
    assert filters(roles, plain) == []


def test_behind_a_composite_alarm_are_the_records_of_its_children():
    """Of those that are in ALARM when it changes, named as name or ARN; a rule in a circle ends."""
    first, second = alarm("First", OURS), alarm('Second "name"', replays.ARTICLE)
    rule = 'ALARM(arn:aws:cloudwatch:us-east-1:111122223333:alarm:First) OR ALARM("Second \\"name\\"") OR ALARM("Both") OR ALARM(None)'
    both, other = composite("Both", rule), composite("Other", "ALARM(Both) AND NOT ALARM(Other)")
    histories = (
        History(first, START, END, OK, (rang(HOUR + 60, HOUR - 240), calm(2 * HOUR))),
        History(second, START, END, OK, (rang(5 * HOUR + 60, 5 * HOUR - 240),)),
        History(both, START, END, OK, tuple(change(START + each, old, new) for each, old, new in ((HOUR + 60, OK, ALARM), (2 * HOUR, ALARM, OK), (5 * HOUR + 60, OK, ALARM)))),
        History(other, START, END, OK, (change(START + HOUR + 60, OK, ALARM),)),
    )  # fmt: skip
    template = Template(
        (metric_filter("F", OURS), metric_filter("G", replays.ARTICLE)), (first, second), (both, other)
    )
    whole = replay_of(
        minutes={},
        template=template,
        histories=histories,
        behind={"F": at((HOUR, A)), "G": at((5 * HOUR, B))},
    )
    told = {story.history.alarm.name: story for story in stories(whole)}
    assert [cause and cause.findings for cause in told["Both"].causes] == [(A,), None, (B,)]
    assert [each.logical_id for each in told["Both"].filters] == ["F", "G"]
    assert [cause.findings for cause in told["Other"].causes] == [(A,)]


def test_examples_are_the_earliest_records():
    """Of all filters together, in order, each once, ten at most."""
    minutes = at(*((HOUR + each * 60, *([A] * 3)) for each in range(5)))
    story = story_of(rang(2 * HOUR, HOUR, period=HOUR), minutes=minutes)
    times = [match.time for match in story.causes[0].examples]
    assert (len(times), times) == (10, sorted(times))
