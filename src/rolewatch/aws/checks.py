"""How a check is written down, and how all of them are asked: a row each, and a pure function over what was found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

from rolewatch.aws.doctor_setup import NotSeen, Setup, Topic, Trail, is_topic
from rolewatch.aws.doctor_wiring import Wiring
from rolewatch.base.errors import RolewatchError

Status = Literal["ok", "warning", "problem", "unknown"]
"""`problem`: denials go unseen, or nobody is told. `warning`: some do, or it is about to happen. `unknown`: it cannot be told."""
Subject = TypeVar("Subject")
STEPS: Final = ("trail", "delivery", "log group", "metric filter", "alarm", "topic")
"""In the article's order, from the event to the person."""


class Verdict(NamedTuple):
    """What a check says of one subject: the message tells what would go unseen, `fix` is the command that mends it."""

    status: Status
    subject: str
    message: str
    fix: str | None = None


class Case:
    """A set-up, wired: what all checks look at."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.wirings = tuple(
            Wiring(each, setup.in_region.get(each.id.region), setup.account, setup.partition)
            for each in setup.groups
        )

    def own(self, trails: Sequence[Trail]) -> list[Trail]:
        """Give the trails that this account owns: what belongs to others cannot be looked into."""
        return [each for each in trails if each.account == self.setup.account]

    def topics(self, wiring: Wiring) -> list[Topic]:
        """Give the topics that a log group's alarms notify."""
        names = dict.fromkeys(each for each in wiring.actions() if is_topic(each))
        return [self.setup.topics[name] for name in names if name in self.setup.topics]

    def some_topic(self, wiring: Wiring) -> str:
        """Give a topic to name in a command: one that is there, or a gap that says what belongs there."""
        there = [each.arn for each in self.topics(wiring) if each.attributes is not None]
        group = wiring.group.id
        return (there or [f"arn:{self.setup.partition}:sns:{group.region}:{group.account}:YOUR-TOPIC"])[0]


class Check(NamedTuple, Generic[Subject]):
    """A check: its id, which never changes, its step, what it finds out, and the two functions that do.

    `whether` completes "It is not known …". `judge` may say nothing of a subject, or several things.
    """

    id: str
    step: str
    whether: str
    subjects: Callable[[Case], Iterable[Subject]]
    judge: Callable[[Case, Subject], Iterable[Verdict]]
    name: Callable[[Subject], str] = lambda _: ""


class Result(NamedTuple):
    """A verdict of a check."""

    id: str
    step: str
    verdict: Verdict


def ask(checks: Iterable[Check[Any]], case: Case) -> Iterator[Result]:
    """Ask all checks; what one of them cannot see makes it unknown, and the others go on."""
    for check in checks:
        try:
            subjects = list(check.subjects(case))
        except NotSeen as error:
            yield Result(check.id, check.step, _unknown(check, "", error))
            continue
        for subject in subjects:
            try:
                found = list(check.judge(case, subject))
            except NotSeen as error:
                found = [_unknown(check, check.name(subject), error)]
            except RolewatchError as error:  # what is described there is more, or other, than we can read
                found = [_unread(check, check.name(subject), error)]
            for verdict in found:
                yield Result(check.id, check.step, verdict)


def _unknown(check: Check[Any], subject: str, error: NotSeen) -> Verdict:
    unseen = error.unseen
    of = f" of {subject}" if subject else ""
    why = {
        "denied": f"{unseen.action} on {unseen.about} is denied",
        "failed": f"{unseen.action} on {unseen.about} failed",
        "foreign": unseen.about,
    }[unseen.why]
    fix = "rolewatch aws doctor --print-permissions" if unseen.why == "denied" else None
    return Verdict("unknown", subject, f"It is not known {check.whether}{of}: {why} ({unseen.reason})", fix)


def _unread(check: Check[Any], subject: str, error: RolewatchError) -> Verdict:
    of = f" of {subject}" if subject else ""
    return Verdict("unknown", subject, f"It is not known {check.whether}{of}: {error}")


def of_setup(case: Case) -> Iterable[Setup]:
    """Name the set-up as a whole as the only subject."""
    return (case.setup,)
