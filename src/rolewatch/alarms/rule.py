"""A composite alarm's AlarmRule in, a predicate over the states of other alarms out (spec/alarm.md §10)."""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.history import State

LONGEST: Final = 10_240  # characters
MOST_CHILDREN: Final = 100
MOST_ELEMENTS: Final = 500  # alarms, TRUE, FALSE and pairs of parentheses
_DEEPEST: Final = 100

StateOf = Callable[[str], State]


class Constant(NamedTuple):
    """TRUE or FALSE."""

    value: bool


class Is(NamedTuple):
    """Whether an alarm is in a state."""

    state: State
    name: str
    at: int


class AtLeast(NamedTuple):
    """Whether so many alarms are in a state, or are not (`negated`); a share of them is rounded up."""

    least: int
    negated: bool
    alarms: tuple[Is, ...]


class Not(NamedTuple):
    """The opposite."""

    rule: "Rule"


class And(NamedTuple):
    """All of them."""

    rules: tuple["Rule", ...]


class Or(NamedTuple):
    """Any of them."""

    rules: tuple["Rule", ...]


Rule = Constant | Is | AtLeast | Not | And | Or

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s(),"]+|[(),]')
_STATES: Final = {str(state): state for state in State}
_CONSTANTS: Final = {"TRUE": True, "FALSE": False}


def parse_rule(text: str) -> Rule:
    """Parse a rule; AlarmError with the place if it is none."""
    if len(text) > LONGEST:
        raise AlarmError(f"an AlarmRule has at most {LONGEST} characters", text, LONGEST)
    parser = _Parser(text)
    rule = parser.any_of(0)
    if parser.next:
        raise parser.wrong("AND, OR or the end")
    if parser.elements > MOST_ELEMENTS or len({child.name for child in children(rule)}) > MOST_CHILDREN:
        raise AlarmError(
            f"an AlarmRule has at most {MOST_ELEMENTS} elements and {MOST_CHILDREN} alarms", text
        )
    return rule


def holds(rule: Rule, state_of: StateOf) -> bool:
    """Evaluate a rule."""
    match rule:
        case Constant(value):
            return value
        case Is(state, name):
            return state_of(name) is state
        case AtLeast(least, negated, alarms):
            return sum((state_of(alarm.name) is alarm.state) != negated for alarm in alarms) >= least
        case Not(inner):
            return not holds(inner, state_of)
        case And(rules):
            return all(holds(each, state_of) for each in rules)
        case Or(rules):
            return any(holds(each, state_of) for each in rules)


def children(rule: Rule) -> Iterator[Is]:
    """Yield the alarms that a rule refers to, in the order of the text, as often as it does."""
    match rule:
        case Is():
            yield rule
        case AtLeast(_, _, alarms):
            yield from alarms
        case Not(inner):
            yield from children(inner)
        case And(rules) | Or(rules):
            for each in rules:
                yield from children(each)
        case Constant():
            return


def alarm_name(reference: str) -> str:
    """Give the name of the alarm that a name or an ARN refers to."""
    before, marker, name = reference.partition(":alarm:")
    return name if marker and before.startswith("arn:") else reference


class _Parser:
    """Reads words from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [(found[0], found.start()) for found in _WORD.finditer(text)]
        self.at = 0
        self.elements = 0
        self._check_gaps()

    def _check_gaps(self) -> None:
        """Complain about a quote that nothing closes: all else is part of a word."""
        behind = 0
        for word, at in [*self.words, ("", len(self.text))]:
            if self.text[behind:at].strip():
                raise AlarmError("a quote is not closed", self.text, behind + self.text[behind:at].index('"'))
            behind = at + len(word)

    @property
    def next(self) -> str:
        """The word that comes next, "" at the end."""
        return self.words[self.at][0] if self.at < len(self.words) else ""

    @property
    def place(self) -> int:
        """Where the next word stands."""
        return self.words[self.at][1] if self.at < len(self.words) else len(self.text)

    def wrong(self, wanted: str) -> AlarmError:
        """Make the error for the next word."""
        return AlarmError(f"expected {wanted}, found {self.next or 'the end'}", self.text, self.place)

    def take(self, word: str) -> bool:
        """Go past a word if it comes next."""
        if self.next == word:
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """Go past a word that has to come."""
        if not self.take(word):
            raise self.wrong(f"'{word}'")

    def any_of(self, depth: int) -> Rule:
        """Read rules between OR."""
        if depth > _DEEPEST:
            raise AlarmError("the rule is nested too deeply", self.text, self.place)
        rules = [self.all_of(depth)]
        while self.take("OR"):
            rules.append(self.all_of(depth))
        return rules[0] if len(rules) == 1 else Or(tuple(rules))

    def all_of(self, depth: int) -> Rule:
        """Read rules between AND."""
        rules = [self.one(depth)]
        while self.take("AND"):
            rules.append(self.one(depth))
        return rules[0] if len(rules) == 1 else And(tuple(rules))

    def one(self, depth: int) -> Rule:
        """Read a rule that no operator divides."""
        if self.take("NOT"):
            return Not(self.primary(depth))
        return self.primary(depth)

    def primary(self, depth: int) -> Rule:
        """Read parentheses, a constant, or a function."""
        word = self.next
        self.elements += 1
        if self.take("("):
            rule = self.any_of(depth + 1)
            self.expect(")")
            return rule
        if word.upper() in _CONSTANTS:
            self.at += 1
            return Constant(_CONSTANTS[word.upper()])
        if self.take("AT_LEAST"):
            return self.at_least()
        if word not in _STATES:
            raise self.wrong("ALARM(…), OK(…), INSUFFICIENT_DATA(…), AT_LEAST(…), TRUE, FALSE or '('")
        self.at += 1
        self.expect("(")
        found = self.reference(_STATES[word])
        self.expect(")")
        return found

    def reference(self, state: State) -> Is:
        """Read an alarm's name or ARN."""
        word, at = self.next, self.place
        if not word or word in "(),":
            raise self.wrong("an alarm's name or ARN")
        self.at += 1
        if word.startswith('"'):
            word = re.sub(r"\\(.)", r"\1", word[1:-1])
        return Is(state, alarm_name(word), at)

    def at_least(self) -> AtLeast:
        """Read the arguments of AT_LEAST."""
        self.expect("(")
        number = re.fullmatch(r"([0-9]{1,4})(%?)", self.next)
        if not number or (number[2] and int(number[1]) > 100):
            raise self.wrong("a number or a percentage")
        self.at += 1
        self.expect(",")
        negated = self.take("NOT")
        state = _STATES.get(self.next)
        if state is None:
            raise self.wrong("ALARM, OK or INSUFFICIENT_DATA")
        self.at += 1
        self.expect(",")
        self.expect("(")
        alarms = [self.reference(state)]
        while self.take(","):
            alarms.append(self.reference(state))
        self.expect(")")
        self.expect(")")
        self.elements += len(alarms)
        count = int(number[1])
        return AtLeast(-(-len(alarms) * count // 100) if number[2] else count, negated, tuple(alarms))
