"""Stories of log alarms in a watcher: records arrive, the clock goes on, and what is kept and told."""

from contextlib import contextmanager

import sqlalchemy as sa
from alarm_stories import START, AlarmStory
from log_alarm_stories import DENIED, log_alarm
from stories import call

from rolewatch.store.schema import LOG_RECORDS

ACTIONS = {"page": ("page",), "calm": ("calm",)}
COUNT = log_alarm("one", DENIED, "count(*)", threshold=2)


def text(*alarms):
    """Write a template of log alarms."""
    return f"Resources:{''.join(alarms)}"


@contextmanager
def stories(tmp_path):
    """Give a way to begin a story of log alarms, with a watcher that has found nothing."""
    made = []

    def begin(*alarms, **more):
        story = AlarmStory(str(tmp_path / f"state{len(made)}"), tmp_path, text(*alarms), ACTIONS, **more)
        made.append(story)
        story.clock(START + 5)
        story.begin()
        return story

    yield begin
    for story in made:
        story.close()


def bring(story, second, *records, at=None):
    """Let a delivery arrive some seconds after noon, and be read then, or `at` a later second."""
    delivery = story.delivery(*records, at=START + second)
    story.clock(START + (second if at is None else at))
    story.arrive(delivery)


def look(story, minute):
    """Let a watcher look at the clock after a minute."""
    story.clock(START + 60 * minute + 5)
    story.arrive()


def rows(story):
    """Count the records that are kept."""
    return story.state.read(
        lambda connection: connection.execute(sa.select(sa.func.count()).select_from(LOG_RECORDS)).scalar()
    )


def times(story, name="one"):
    """Give minute, state before and state after of the changes of an alarm."""
    return [((time - START) // 60, before, after) for alarm, time, before, after, *_ in story.transitions if alarm == name]  # fmt: skip


def denied(minute, bucket="b", **more):
    """Make a denied call."""
    return call(minute, bucket, denied=True, **more)
