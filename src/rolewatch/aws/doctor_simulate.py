"""A set-up in; for each kind of denial whether it would have rung, from the filter to the person, and where it stops, out.

The filters are asked by TestMetricFilter, which changes nothing; where that is refused, by our own patterns. All that follows is
evaluated here: what is published, which alarm that takes to ALARM, and whether its action reaches anybody.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from rolewatch.aws.checks import Case
from rolewatch.aws.checks_topic import encrypts, publishes
from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_ring import Ring, rings
from rolewatch.aws.doctor_samples import Sample
from rolewatch.aws.doctor_setup import TEST, NotSeen, Setup, Topic, Unseen, is_topic, seen
from rolewatch.aws.doctor_wiring import Filter, Wiring
from rolewatch.base.errors import RolewatchError

_PENDING: Final = ("PendingConfirmation", "Deleted")


TestedBy = Literal["aws", "rolewatch"]


class Reached(NamedTuple):
    """What an action of an alarm comes to, in words, and whether it tells anybody: None where that cannot be told."""

    told: str
    anybody: bool | None = None


class Trial(NamedTuple):
    """What a denial of one kind would have come to in a log group. `would_ring` is None where that cannot be told.

    `tested_by` says who held it against the filters: `aws` (TestMetricFilter), or `rolewatch` where AWS would not.
    """

    event: str
    title: str
    log_group: str
    region: str
    matched_by: tuple[str, ...]
    tested_by: TestedBy
    alarms: tuple[str, ...]
    would_ring: bool | None
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return it with lists for tuples."""
        return {**self._asdict(), "matched_by": list(self.matched_by), "alarms": list(self.alarms)}


class _Event(NamedTuple):
    """A denial in a log group, with the filters and log alarms that see it."""

    wiring: Wiring
    sample: Sample
    tested_by: TestedBy
    seen_by: tuple[str, ...] = ()

    def trial(self, message: str, *, would_ring: bool | None, alarms: tuple[str, ...] = ()) -> Trial:
        """Say what it came to."""
        own, sample = self.wiring.group.id, self.sample
        return Trial(sample.id, sample.title, own.name, own.region, self.seen_by, self.tested_by, alarms, would_ring, message)  # fmt: skip


def simulate(case: Case, asker: Asker | None) -> list[Trial]:
    """Try all kinds of denials on all log groups; without `asker`, AWS is not asked."""
    found: list[Trial] = []
    for wiring in case.wirings:
        try:
            found += _of_group(case.setup, wiring, asker)
        except NotSeen as error:
            told = f"It cannot be told: {error.unseen.action} on {error.unseen.about}: {error.unseen.reason}"
            found += [
                _Event(wiring, each, "rolewatch").trial(told, would_ring=None) for each in wiring.samples
            ]
    return found


def _of_group(setup: Setup, wiring: Wiring, asker: Asker | None) -> Iterable[Trial]:
    matched, tested_by = _tested(wiring, asker)
    now = int(setup.now.timestamp())
    known: dict[tuple[str, ...], list[Ring]] = {}
    for sample in wiring.samples:
        counting = [
            each for each in wiring.filters if sample.id in matched[each.name] and not each.transformed
        ]
        queried = [alarm.name for alarm, ids in wiring.querying if sample.id in ids]
        names = (*(each.name for each in counting), *queried)
        event = _Event(wiring, sample, tested_by, names)
        # What is published by a dimension, or as a field's value, is another thing for each.
        alike = all(each.read is not None and _is_constant(each) for each in counting)
        if not (alike and names in known):
            known[names] = rings(wiring, counting, sample, now)
        yield _judged(setup, event, known[names])


def _is_constant(each: Filter) -> bool:
    made = each.described["metricTransformations"][0]
    return not made.get("dimensions") and not str(made.get("metricValue", "")).startswith("$")


def _tested(wiring: Wiring, asker: Asker | None) -> tuple[Mapping[str, frozenset[str]], TestedBy]:
    """Hold all samples against each filter, by one call each; by our patterns, all of them, as soon as AWS refuses one."""
    own = {each.name: each.matched for each in wiring.filters}
    if asker is None or not wiring.filters:
        return own, "rolewatch"
    messages = [each.message for each in wiring.samples]
    found: dict[str, frozenset[str]] = {}
    for each in wiring.filters:
        text, about = each.described.get("filterPattern") or "", f"the pattern of the filter {each.name}"
        answer = asker.ask(TEST, wiring.group.id.region, about, filterPattern=text, logEventMessages=messages)
        if answer is None or isinstance(answer, Unseen):
            return own, "rolewatch"
        # The message, not the number, which AWS counts from 1 and its reference from 0.
        texts = {match["eventMessage"] for match in answer["matches"]}
        found[each.name] = frozenset(sample.id for sample in wiring.samples if sample.message in texts)
    return found, "aws"


def _judged(setup: Setup, event: _Event, told: list[Ring]) -> Trial:
    """Say how far an event gets."""
    names = event.seen_by
    if not names:
        transformed = [each.name for each in event.wiring.filters if each.transformed]
        if transformed:
            looks = f"{' and '.join(transformed)} looks at events as a transformer leaves them"
            return event.trial(f"It cannot be told: {looks}.", would_ring=None)
        return event.trial(f"No filter and no query in {event.wiring.name} matches it.", would_ring=False)
    unread = [each.name for each in event.wiring.filters if each.read is None and each.name in names]
    if unread:
        unsaid = (
            f"It is counted by {' and '.join(names)}; what {' and '.join(unread)} publishes cannot be told."
        )
        return event.trial(unsaid, would_ring=None)
    counted = f"It is counted by {' and '.join(names)}, but"
    ringing = [each for each in told if each.actions]
    if not ringing:
        why = (
            "; ".join(f"{each.alarm} {each.why}" for each in told) or "no alarm looks at what that publishes"
        )
        unsure = any(not each.known for each in told)
        return event.trial(f"{counted} {why}.", would_ring=None if unsure else False)
    alarms = tuple(each.alarm for each in ringing)
    go = f"{' and '.join(alarms)} {'go' if len(alarms) > 1 else 'goes'} to ALARM"
    reached = [_reached(setup, action) for each in ringing for action in each.actions]
    good = [each for each in reached if each.anybody]
    if good:
        return event.trial(f"{go}, and {good[0].told}.", would_ring=True, alarms=alarms)
    why = "; ".join(dict.fromkeys(each.told for each in reached))
    unsure = any(each.anybody is None for each in reached)
    return event.trial(f"{go}, but {why}.", would_ring=None if unsure else False, alarms=alarms)


def _reached(setup: Setup, action: str) -> Reached:
    """Say whether an alarm's action tells anybody. What is no topic is called, and what that does is its own affair."""
    if not is_topic(action):
        return Reached(f"{action} is called", anybody=True)
    topic = setup.topics.get(action)
    if topic is None:
        return Reached(f"the topic {action} could not be looked at")
    try:
        return _by_topic(setup, topic)
    except NotSeen as error:
        return Reached(f"{error.unseen.action} on {error.unseen.about} is not known: {error.unseen.reason}")
    except RolewatchError as error:
        return Reached(f"the topic {action} cannot be judged: {error}")


def _by_topic(setup: Setup, topic: Topic) -> Reached:
    if seen(topic.attributes) is None:
        return Reached(f"the topic {topic.arn} does not exist", anybody=False)
    allowed = publishes(setup, topic)
    if not allowed.allowed:
        told = f"the policy of {topic.arn} does not let CloudWatch publish"
        return Reached(told, anybody=None if allowed.depends else False)
    key = seen(topic.key)
    if key is not None:
        usable = encrypts(setup, topic, key)
        if not usable.allowed:
            told = f"the key {key.named} does not let CloudWatch publish to {topic.arn}"
            return Reached(told, anybody=None if usable.depends else False)
    confirmed = [each for each in seen(topic.subscriptions) if each.get("SubscriptionArn") not in _PENDING]
    if not confirmed:
        return Reached(f"nobody has confirmed a subscription of {topic.arn}", anybody=False)
    kinds = ", ".join(dict.fromkeys(str(each.get("Protocol")) for each in confirmed))
    return Reached(f"{topic.arn} tells its subscribers ({kinds})", anybody=True)
