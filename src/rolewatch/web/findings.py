"""Findings as pages and the API show them: lists with filters, and everything about one."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
from fastapi import Query

from rolewatch.base.errors import UsageError
from rolewatch.catalog.roles import service_name
from rolewatch.findings.match import VERDICTS
from rolewatch.findings.severity import LEVELS
from rolewatch.report import words
from rolewatch.store import finding_lists
from rolewatch.store.finding_lists import GROUPS, ORDERS, Tallied, Wanted
from rolewatch.watch import listing
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk

PAGE: Final = 50  # findings on a page …
MOST: Final = 500  # … and in one answer of the API
MOST_CHOICES: Final = 200  # services or accounts that a page offers
Status = Literal["blocked", "silent", "recovered", "gone"]
Severity = Literal["none", "low", "medium", "high", "critical"]
Verdict = Literal["fix-your-policy", "aws-side", "service-not-enabled", "harmless", "unknown"]
Order = Literal["worst", "latest", "newest", "resource", "account", "service"]
By = Literal["service", "account", "cause", "change", "verdict", "status", "severity"]
STATUSES: Final = get_args(Status)
Words = Annotated[str, Query(max_length=300)]


class Asked(NamedTuple):
    """Which findings are asked for; as FastAPI fills it from a query."""

    status: Sequence[str] = ()
    severity: str = ""
    service: Sequence[str] = ()
    account: Sequence[str] = ()
    verdict: Sequence[str] = ()
    q: str = ""
    order: str = "worst"
    cause: Sequence[str] = ()
    change: Sequence[str] = ()

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return any(self._replace(order=""))


def asked(
    status: Annotated[list[Status | Literal[""]] | None, Query()] = None,
    severity: Annotated[Severity | Literal[""], Query()] = "",
    service: Annotated[list[Annotated[str, Query(max_length=200)]] | None, Query(max_length=50)] = None,
    account: Annotated[list[Annotated[str, Query(max_length=20)]] | None, Query(max_length=50)] = None,
    verdict: Annotated[list[Verdict | Literal[""]] | None, Query()] = None,
    q: Words = "",
    order: Order = "worst",
    cause: Annotated[list[Annotated[str, Query(max_length=100)]] | None, Query(max_length=50)] = None,
    change: Annotated[list[Annotated[str, Query(max_length=100)]] | None, Query(max_length=50)] = None,
) -> Asked:
    """Read which findings a request is about."""
    return Asked(
        _given(status), severity, _given(service), _given(account), _given(verdict), q.strip(), order, _given(cause), _given(change)
    )  # fmt: skip


def query_of(which: Asked, **more: str) -> str:
    """Write which findings are asked for as the query of an address."""
    default = Asked()
    fields = {name: value for name, value in which._asdict().items() if value != getattr(default, name)}
    return urlencode(fields | more, doseq=True)


def narrowed(which: Asked, by: str, value: str) -> str:
    """Write the same for one group of them."""
    chosen: dict[str, Any] = {by: value if by == "severity" else (value,)}
    return query_of(which._replace(**chosen))


def _given(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if value)


def page_of(desk: Desk, which: Asked, after: str | None, number: int) -> dict[str, Any]:
    """Give a page of findings: `findings`, `total`, and `next`, the `after` of the page behind it."""
    return listing.listed(desk.state, wanted_of(desk, which), after=after, number=number, now=desk.clock())


def wanted_of(desk: Desk, which: Asked) -> Wanted:
    """Write which findings are asked for as the store takes it; a text also means the services that people call like it."""
    text = which.q.casefold()
    called = {row.service for row in desk.kept(_every)} if text else set()
    named = sorted(name for name in called if text in f"{name}\n{service_name(name) or ''}".casefold())
    return Wanted(
        which.status, listing.whole_services(which.service), which.account, LEVELS.index(which.severity or LEVELS[0]), None,
        which.verdict, which.q, which.order, which.cause, which.change, named,
    )  # fmt: skip


def one(desk: Desk, name: str) -> dict[str, Any]:
    """Give everything about a finding; ProblemError 404 if there is none."""
    try:
        return listing.shown(desk.state, name, now=desk.clock())
    except UsageError as error:
        raise ProblemError(
            Problem(
                404,
                "No such finding",
                f"{error.message}.",
                "It may have been forgotten since: look for it in the list.",
            )
        ) from error


def groups_of(desk: Desk, which: Asked, by: str) -> list[dict[str, Any]]:
    """Count the findings by a key: `value`, `name`, `findings`, and of these the `blocked`, `silent` and worst `severity`."""
    found: dict[str, list[int]] = {}
    for value, blocked, silent, number, level in _counted(desk, which, by):
        group = found.setdefault(value, [0, 0, 0, 0])
        group[:] = group[0] + blocked, group[1] + silent, group[2] + number, max(group[3], level)
    names = _changes(desk, list(found)) if by == "change" else {}
    groups = [
        {
            "value": value, "name": names.get(value) or _name(by, value), "findings": number, "blocked": blocked, "silent": silent,
            "severity": LEVELS[level],
        }
        for value, (blocked, silent, number, level) in found.items()
    ]  # fmt: skip
    return sorted(
        groups,
        key=lambda each: (-LEVELS.index(each["severity"]), -each["blocked"], -each["findings"], each["name"]),
    )


def _counted(desk: Desk, which: Asked, by: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield parts of the groups: value, blocked, silent, all, and the worst severity of those that are one of these."""
    if by in ("service", "account"):
        every = not which.filtered
        wanted = wanted_of(desk, which)
        for row in desk.kept(_every) if every else desk.read(partial(finding_lists.tallied, wanted=wanted)):
            yield getattr(row, by), row.blocked, row.silent, row.findings, row.severity
        return
    counts = desk.read(
        partial(finding_lists.grouped, wanted=wanted_of(desk, which), by=(by, "status", "severity"))
    )
    for (value, status, level), number in counts:
        blocked, silent = number * (status == "blocked"), number * (status == "silent")
        shown = LEVELS[int(value)] if by == "severity" else value
        yield str(shown or ""), blocked, silent, number, int(level) if blocked or silent else 0


def choices(desk: Desk) -> dict[str, Any]:
    """Give what a page offers to filter by: services and accounts with how many findings, and the numbers of each status."""
    services: dict[str, int] = {}
    accounts: dict[str, int] = {}
    statuses = dict.fromkeys(STATUSES, 0)
    for row in desk.kept(_every):
        services[row.service] = services.get(row.service, 0) + row.findings
        accounts[row.account] = accounts.get(row.account, 0) + row.findings
        for status in STATUSES:
            statuses[status] += getattr(row, status)
    return {
        "services": [(name, service_name(name) or name, services[name]) for name in _most(services)],
        "accounts": [(name, accounts[name]) for name in _most(accounts)],
        "statuses": statuses,
        "total": sum(statuses.values()),
    }


def _every(connection: sa.Connection) -> list[Tallied]:
    return finding_lists.tallied(connection, Wanted())


def _most(numbers: Mapping[str, int]) -> list[str]:
    most = sorted(numbers, key=lambda name: (-numbers[name], name))[:MOST_CHOICES]
    return sorted(most)


def _changes(desk: Desk, names: Sequence[str]) -> dict[str, str]:
    """Say of changes of policies, by their event ids, who made them and when."""
    documents = desk.read(
        lambda connection: finding_lists.documents(connection, [name for name in names if name])
    )
    return {name: words.blame(msgspec.json.decode(document)) for name, document in documents.items()}


def _name(by: str, value: str) -> str:
    """Give what people call a group."""
    if by == "service":
        return service_name(value) or value
    if by == "cause":
        kind, _, policy = value.partition("/")
        return words.cause({"cause": {"kind": kind, "policy_type": policy}})
    return value or ("no change is known" if by == "change" else "")


#: What the API describes is what the store and the findings take.
for described, taken in ((By, GROUPS), (Order, ORDERS), (Verdict, VERDICTS), (Severity, LEVELS)):
    if set(get_args(described)) != set(taken):
        raise AssertionError(described)
