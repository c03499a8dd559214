"""What people ask of the state about its deliveries: failures a page at a time, quiet accounts, letters by target."""

from functools import partial

from rolewatch.store import accounts, coverage, deliveries, outbox
from rolewatch.store.coverage import After, Queue
from rolewatch.store.deliveries import Failure
from rolewatch.store.outbox import Letter


def failure(number):
    """Make a failure; several fail in the same moment."""
    return Failure(
        bytes([number] * 16), f"file{number}", f"s{number % 2}", "damaged", None, 1, number // 3, 1, number, b"x"
    )  # fmt: skip


def letter(number, target, state, error=None):
    """Make a letter."""
    return Letter(
        f"{number}", target, f"ntfy://{target}", "blocked", b"", state, number, number, 1, error, "i"
    )


def test_failures_page_by_page(state):
    """Page after page gives each failure once, the latest first, also where several failed in the same moment."""
    state.write(lambda connection: deliveries.fail(connection, [failure(number) for number in range(20)]))
    found, after = [], None
    while page := state.read(partial(coverage.failures, after=after, number=3)):
        found += page
        after = After(page[-1].last, page[-1].mark)
    assert {each.name for each in found} == {f"file{number}" for number in range(20)}
    assert len(found) == 20
    assert [each.last for each in found] == sorted((each.last for each in found), reverse=True)
    assert {each.counted for each in found} == {b""}
    assert state.read(partial(deliveries.failed_since, moment=0)) == {"s0": 10, "s1": 10}


def test_quiet_accounts_come_first(state):
    """Accounts stand in the order of their latest event, with how many there are in all."""
    assert state.read(coverage.accounts) == (0, "")
    state.write(lambda connection: accounts.advance(connection, {"1": "2026-03-03", "2": "2026-03-01", "3": "2026-03-02"}))  # fmt: skip
    assert state.read(partial(coverage.quietest, number=2)) == [("2", "2026-03-01"), ("3", "2026-03-02")]
    assert state.read(coverage.accounts) == (3, "2026-03-03")


def test_letters_by_target(state):
    """Each target has what waits, is held, and was given up; what arrived is in none of them."""
    made = [
        letter(5, "a", outbox.WAITING), letter(3, "a", outbox.WAITING, "refused"), letter(1, "a", outbox.SENT),
        letter(2, "a", outbox.HELD), letter(4, "b", outbox.DEAD, "gone"), letter(6, "c", outbox.MERGED),
    ]  # fmt: skip
    state.write(lambda connection: outbox.put(connection, made))
    assert state.read(coverage.queues) == [
        Queue("ntfy://a", 2, 1, 0, 3, "refused"),
        Queue("ntfy://b", 0, 0, 1, None, "gone"),
    ]
