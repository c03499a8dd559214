"""The blind-spot matrix: services down, accounts across, in each cell how many resources are out of reach."""

from typing import Any, Final, NamedTuple

from rolewatch.report import html_markup as markup
from rolewatch.report import words
from rolewatch.report.html_markup import Markup, el
from rolewatch.report.html_scope import anchor, names, place, worst
from rolewatch.report.order import SEVERITIES, Finding, ranked, section

#: With more accounts than the first, the matrix takes the whole width; with more than the second, columns stand close.
HALF_WIDTH: Final = 4
SPACIOUS: Final = 9

#: Rows and columns a browser draws at once; the findings below the matrix are all there.
MOST_SERVICES: Final = 100
MOST_ACCOUNTS: Final = 200


class _Axes(NamedTuple):
    services: list[str]  # security services first, then the worst
    accounts: list[str]  # the worst first
    names: dict[str, str]
    left_out: tuple[int, int]  # services and accounts beyond what is drawn


def matrix(report: dict[str, Any]) -> Markup | None:
    """Return the matrix of what is blocked or silent; None if nothing is."""
    dark = [finding for finding in ranked(report["findings"]) if section(finding) in {"blind", "silent"}]
    if not dark:
        return None
    cells: dict[tuple[str | None, str | None], list[Finding]] = {}
    for finding in dark:
        at = place(finding)
        for key in (
            (at.service, at.account),
            (at.service, None),
            (None, at.account),
            (None, None),
        ):
            cells.setdefault(key, []).append(finding)
    axes = _axes(cells, dark)
    head = el(
        "tr", el("th", "Service", scope="col"), _th_all(), *(_account(cells, key) for key in axes.accounts)
    )
    rows = [_row(key, axes, cells) for key in axes.services]
    table = el(
        "table",
        el("caption", "Resources blocked, by service and account", class_="unseen"),
        el("thead", head),
        el("tbody", *rows),
        class_="matrix" if len(axes.accounts) <= SPACIOUS else "matrix narrow",
    )
    return el(
        "section",
        el("h2", "Blind spots", id="matrix-title"),
        el("p", _caption(report, axes, dark), class_="hint"),
        el("div", table, class_="scroll", tabindex=0, role="region", aria_labelledby="matrix-title"),
        _legend(),
        class_="panel" if len(axes.accounts) <= HALF_WIDTH else "panel full",
        aria_labelledby="matrix-title",
    )


def _axes(cells: dict[tuple[str | None, str | None], list[Finding]], dark: list[Finding]) -> _Axes:
    """Return rows and columns in the order they are read."""
    services = [service for service, account in cells if service and account is None]
    accounts = [account for service, account in cells if account and service is None]

    def rank(found: list[Finding]) -> tuple[int, int]:
        blocked = [finding for finding in found if section(finding) == "blind"]
        level = SEVERITIES.index(worst(blocked)) if blocked else len(SEVERITIES)
        return level, -_resources(blocked)

    services.sort(
        key=lambda key: (
            not any(f["security_service"] for f in cells[key, None]),
            rank(cells[key, None]),
            key,
        )
    )
    accounts.sort(key=lambda key: (rank(cells[None, key]), key))
    left_out = max(len(services) - MOST_SERVICES, 0), max(len(accounts) - MOST_ACCOUNTS, 0)
    return _Axes(services[:MOST_SERVICES], accounts[:MOST_ACCOUNTS], names(dark), left_out)


def _resources(findings: list[Finding]) -> int:
    return len({finding["resource"] for finding in findings})


def _th_all() -> Markup:
    return el("th", el("span", "All"), scope="col", class_="all")


def _account(cells: dict[tuple[str | None, str | None], list[Finding]], account: str) -> Markup:
    """Return the heading of a column."""
    first = cells[None, account][0]
    link = el("a", markup.account(account), href=f"#{anchor(first)}", data_filter=True, data_account=account)
    return el("th", link, scope="col")


def _row(service: str, axes: _Axes, cells: dict[tuple[str | None, str | None], list[Finding]]) -> Markup:
    """Return a service with its total and a cell for each account."""
    found = cells[service, None]
    blocked = _resources([finding for finding in found if section(finding) == "blind"])
    label = el(
        "a",
        axes.names[service],
        href=f"#{anchor(found[0])}",
        data_filter=True,
        data_service=service,
        title=service,
    )
    watcher = any(finding["security_service"] for finding in found)
    mark = el("span", "security", class_="watcher") if watcher else None
    return el(
        "tr",
        el("th", label, mark, scope="row"),
        el("td", f"{blocked:,}", class_="all"),
        *(_cell(service, account, axes, cells.get((service, account), [])) for account in axes.accounts),
    )


def _cell(service: str, account: str, axes: _Axes, found: list[Finding]) -> Markup:
    """Return the cell of a service in an account: number, worst severity in words and as colour, what is silent."""
    if not found:
        return el("td", el("span", "none", class_="unseen"))
    blocked = [finding for finding in found if section(finding) == "blind"]
    silent = _resources([finding for finding in found if section(finding) == "silent"])
    status = "blind" if blocked else "silent"
    level = worst(blocked) if blocked else "silent"
    said = [f"{words.count(_resources(blocked), 'resource')} blocked, worst {level}"] if blocked else []
    if silent:
        said.append(f"{words.count(silent, 'resource')} silent")
    figures = [el("b", f"{_resources(blocked) if blocked else silent:,}"), el("span", level)]
    if blocked and silent:
        figures.append(el("span", f"+{silent:,} silent"))
    link = el(
        "a",
        *figures,
        href=f"#{anchor(found[0])}",
        class_=f"cell lv-{level}",
        aria_label=f"{axes.names[service]}, account {account}: {', '.join(said)}",
        data_filter=True,
        data_service=service,
        data_account=account,
        data_status=status,
    )
    return el("td", link)


def _caption(report: dict[str, Any], axes: _Axes, dark: list[Finding]) -> str:
    """Return how to read the matrix, and what it leaves out."""
    said = ["Resources out of reach by service and account; a cell leads to its findings."]
    nouns = zip(axes.left_out, ("service", "account"), strict=True)
    if more := [words.count(number, f"other {noun}") for number, noun in nouns if number]:
        said.append(f"{' and '.join(more)} not drawn here: see the findings.")
    quiet = {str(account) for account in report["coverage"]["accounts"]} - {
        place(found).account for found in dark
    }
    if quiet:
        said.append(
            f"Nothing is blocked or silent in {words.count(len(quiet), 'other account')} of this input."
        )
    return " ".join(said)


def _legend() -> Markup:
    """Return what the colours stand for."""
    keys = [level for level in SEVERITIES if level != "none"]
    items = [el("li", el("i", class_=f"lv-{level}"), level) for level in keys]
    items.append(el("li", el("i", class_="lv-silent"), "silent: not proof of recovery"))
    return el("ul", *items, class_="legend", aria_label="Colours, by worst severity")
