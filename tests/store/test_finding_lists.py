"""Lists of findings: each once, in every order, filtered and counted as going through all of them would."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_store_findings import row

from rolewatch.store import finding_lists, findings
from rolewatch.store.finding_lists import GROUPS, ORDERS, Wanted
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["a", "b_c", "B%c"]), st.sampled_from(["config", "macie"])),
    max_size=30,
)  # fmt: skip


def rows_of(given_rows):
    """Make rows that have much in common."""
    return [
        row(
            number, place=place, severity=place, last_denied=f"2026-03-0{day + 1}T10:00:00Z", first_denied=f"2026-02-0{4 - day}T10:00:00Z",
            resource=f"arn:aws:s3:::{name}", service=f"{service}.amazonaws.com", account=f"00000000000{day}",
        )
        for number, (place, day, name, service) in enumerate(given_rows)
    ]  # fmt: skip


def pages(state, wanted, size):
    """Go through a list, page after page."""
    found = []
    while page := state.read(partial(finding_lists.page, wanted=wanted, number=size)):
        found += [each.id for each in page]
        wanted = wanted._replace(after=page[-1].marks)
    return found


def sorted_as(made, order):
    """Sort rows as an order says, by Python."""
    found = sorted(made, key=lambda each: each.id)
    for name, down in reversed(ORDERS[order]):
        found.sort(key=lambda each, name=name: getattr(each, name), reverse=down)
    return [each.id for each in found]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, size=st.integers(1, 7), order=st.sampled_from(sorted(ORDERS)))
def test_pages_hold_each_finding_once_in_order(tmp_path_factory, rows, size, order):
    """However many are equal in what they are sorted by, page after page gives all of them, in the order asked for."""
    state = State(str(tmp_path_factory.mktemp("state")))
    prepare(state)
    made = rows_of(rows)
    state.write(lambda connection: findings.save(connection, made))
    assert pages(state, Wanted(order=order), size) == sorted_as(made, order)
    assert state.read(lambda connection: finding_lists.count(connection, Wanted())) == len(made)
    state.close()


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_orders_of_both_databases(state, order):
    """SQLite and PostgreSQL give the same pages; letters of both cases and signs of patterns are nothing special."""
    made = rows_of(
        [(n % 4, n % 3, ("a", "b_c", "B%c")[n % 3], ("config", "macie")[n % 2]) for n in range(20)]
    )
    state.write(lambda connection: findings.save(connection, made))
    found = pages(state, Wanted(order=order), 6)
    assert sorted(found) == [each.id for each in made]
    if not (
        order in ("resource", "account", "service") and state.shared
    ):  # whose collation is that of its locale
        assert found == sorted_as(made, order)


def test_filters_and_groups(state):
    """What is filtered and searched is what has these values, and groups add up to it."""
    made = rows_of(
        [(n % 4, n % 3, ("a", "b_c", "B%c")[n % 3], ("config", "macie")[n % 2]) for n in range(20)]
    )
    made[0] = made[0]._replace(status="gone", verdict="aws-side")
    state.write(lambda connection: findings.save(connection, made))

    def ids(**wanted):
        return set(pages(state, Wanted(**wanted), 100))

    assert ids(text="B_C") == {each.id for each in made if each.resource.endswith("b_c")}
    account = made[3].account
    assert ids(text=account[:1]) >= {each.id for each in made if each.account == account}
    assert ids(text=made[7].id[:15]) == {each.id for each in made if each.id.startswith(made[7].id[:15])}
    assert ids(text=made[7].id.upper()) == {made[7].id}
    assert ids(text="no such thing") == set()
    assert ids(text="no such thing", named=["macie.amazonaws.com"]) == {
        each.id for each in made if each.service.startswith("macie")
    }
    assert ids(text="%") == {each.id for each in made if "%" in each.resource}
    assert ids(verdicts=["aws-side"]) == ids(statuses=["gone"]) == {made[0].id}
    assert ids(severity=2, services=["macie.amazonaws.com"]) == {
        each.id for each in made if each.severity >= 2 and each.service.startswith("macie")
    }
    wanted = Wanted(severity=1, text="b")
    for by in [(name,) for name in GROUPS] + [GROUPS]:
        groups = state.read(lambda connection, by=by: finding_lists.grouped(connection, wanted, by))
        expected = {}
        for each in made:
            if each.severity >= 1 and "b" in each.resource.lower():
                key = tuple(getattr(each, "blamed" if name == "change" else name) for name in by)
                expected[key] = expected.get(key, 0) + 1
        assert dict(groups) == expected


def test_tallies_add_up(state):
    """Counts by service and account are those of going through all findings, filtered alike."""
    statuses = ("blocked", "silent", "recovered", "gone")
    made = rows_of([(n % 4, n % 3, ("a", "b_c")[n % 2], ("config", "macie")[n % 2]) for n in range(40)])
    made = [each._replace(status=statuses[n % 4 if n % 5 else 2]) for n, each in enumerate(made)]
    state.write(lambda connection: findings.save(connection, made))
    for wanted in (
        Wanted(),
        Wanted(severity=2),
        Wanted(statuses=["blocked", "gone"]),
        Wanted(text="B_"),
        Wanted(accounts=["1"]),
    ):
        chosen = [
            each for each in made
            if each.severity >= wanted.severity and (not wanted.statuses or each.status in wanted.statuses)
            and wanted.text.lower() in each.resource and (not wanted.accounts or each.account in wanted.accounts)
        ]  # fmt: skip
        expected = set()
        for pair in {(each.service, each.account) for each in chosen}:
            own = [each for each in chosen if (each.service, each.account) == pair]
            numbers = [sum(each.status == status for each in own) for status in statuses]
            worst = max((each.severity for each in own if each.status in statuses[:2]), default=0)
            expected.add((*pair, *numbers, worst))
        found = state.read(lambda connection, wanted=wanted: finding_lists.tallied(connection, wanted))
        assert {tuple(row) for row in found} == expected
        assert sum(row.findings for row in found) == len(chosen)


def test_what_changed(state):
    """Those written last are given, the latest first."""
    made = [row(number) for number in range(5)]
    state.write(lambda connection: findings.save(connection, made))
    assert state.read(finding_lists.newest) == 4
    found = state.read(lambda connection: finding_lists.changed(connection, 3, 10))
    assert found == [(made[4].id, 4), (made[3].id, 3)]
    assert state.read(lambda connection: finding_lists.changed(connection, 0, 2)) == found
