"""Days of which log files came, and the gaps between: as going through all of them finds them."""

import random
from datetime import date, timedelta
from functools import partial

from rolewatch.store import delivered
from rolewatch.store.delivered import Gap

BEGIN = date(2026, 2, 1)


def day(number):
    """Name a day."""
    return (BEGIN + timedelta(days=number)).isoformat()


def test_gaps_are_found(state):
    """Each account and Region with a day missing between others is told, the latest first, with these days; counts add up."""
    chance = random.Random(5)
    numbers = {
        (account, region, day(at)): chance.randrange(1, 9)
        for account in ("111122223333", "444455556666", "777788889999") for region in ("eu-west-1", "us-east-1")
        for at in range(40) if chance.random() < (0.8 if region == "us-east-1" else 1)
    }  # fmt: skip
    for part in (numbers, dict(list(numbers.items())[:50])):
        state.write(partial(delivered.add, numbers=part))
    since = day(10)
    expected = []
    for account, region in sorted({folder[:2] for folder in numbers}):
        days = {at for *place, at in numbers if place == [account, region] and at >= since}
        every = [at for number in range(40) if min(days) <= (at := day(number)) <= max(days)]
        missing = [at for at in every if at not in days]
        if missing:
            expected.append(Gap(account, region, min(days), max(days), missing))
    expected.sort(key=lambda gap: gap.last, reverse=True)
    assert len(expected) == 3
    assert state.read(partial(delivered.gaps, since=since, number=10)) == (expected, 3)
    assert state.read(partial(delivered.gaps, since=since, number=1)) == (expected[:1], 3)
    assert state.read(partial(delivered.folders, since=since)) == 6


def test_days_are_forgotten(state):
    """What is before a day goes, and no other; folders may also have days that there are not."""
    state.write(
        partial(
            delivered.add,
            numbers={("a", "r", day(at)): 1 for at in (0, 5, 9)} | {("b", "r", "2026-02-31"): 1},
        )
    )
    assert state.write(partial(delivered.expire, before=day(5))) == 1
    found, number = state.read(partial(delivered.gaps, since="", number=10))
    assert (found, number) == ([Gap("a", "r", day(5), day(9), [day(6), day(7), day(8)])], 1)
    state.write(partial(delivered.add, numbers={}))
    assert state.read(partial(delivered.folders, since="")) == 2
