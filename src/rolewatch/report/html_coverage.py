"""The end of the page: what was looked at, whether it adds up, what was not read, and what could not have shown."""

from collections.abc import Sequence
from typing import Any, Final

from rolewatch.report import words
from rolewatch.report.html_markup import Markup, el, instant, join

#: Deliveries, accounts and regions named one by one; the JSON format lists them all.
NAMED: Final = 100


def coverage(report: dict[str, Any]) -> Markup:
    """Return the section on the input."""
    return el(
        "section",
        el("h2", "What this rests on", id="coverage"),
        el("div", _not_visible(report), _facts(report), class_="two"),
        _sums(report),
        unreadable([(entry["delivery"], entry["reason"]) for entry in report["unreadable"]]),
        _skipped(report["skipped"]),
        _notes(report["notes"]),
        class_="panel coverage",
        aria_labelledby="coverage",
    )


def _not_visible(report: dict[str, Any]) -> Markup:
    """Return the gaps."""
    gaps = report["coverage"]["not_visible"]
    body = (
        el("ul", *(el("li", gap) for gap in gaps), class_="gaps")
        if gaps
        else el("p", "Nothing that is known of.", class_="hint")
    )
    return el("div", el("h3", "What this input could not have shown", id="not-visible"), body)


def _facts(report: dict[str, Any]) -> Markup:
    """Return time, accounts, regions and categories of what was looked at."""
    seen, totals = report["coverage"], report["totals"]
    period = (
        join([instant(seen["first_record"]), " to ", instant(seen["last_record"])])
        if seen["first_record"]
        else join(["no record with a time"])
    )
    volume = f"{words.size(totals['bytes_compressed'])} ({words.size(totals['bytes'])} unpacked) in {totals['seconds']:.1f} s"
    facts = [
        ("Sources", join(report["sources"], ", ")),
        ("Records", period),
        (
            words.count(len(seen["accounts"]), "account").partition(" ")[2].capitalize(),
            _names(seen["accounts"]),
        ),
        (words.count(len(seen["regions"]), "region").partition(" ")[2].capitalize(), _names(seen["regions"])),
        ("Event categories", _names(seen["event_categories"])),
        ("Read", join([volume])),
    ]
    pairs = [el("div", el("dt", label), el("dd", value)) for label, value in facts]
    return el("div", el("h3", "Looked at"), el("dl", *pairs, class_="facts"))


def _names(names: list[str]) -> Markup:
    """Return names with how many there are."""
    if not names:
        return join(["none known"])
    more = len(names) - NAMED
    shown = words.listed(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return join([f"{len(names):,}: {shown}" if len(names) > 1 else shown])


def _sums(report: dict[str, Any]) -> Markup:
    """Return the records as a sum, and what became of the deliveries.

    Deliveries are no sum: a folder that cannot be listed is unreadable, but nobody knows how many it holds.
    """
    totals = report["totals"]
    parts = [
        ("denials", totals["denials"], "refusals of a watched principal, each counted once"),
        ("repeats", totals["duplicates"], "further copies of the same denials"),
        ("others", totals["others"], "records that are no denial"),
    ]
    terms = [_term("records", totals["records"])]
    for index, (label, number, meaning) in enumerate(parts):
        terms += [el("span", "+" if index else "=", class_="sign"), _term(label, number, meaning)]
    if totals["records"] != sum(number for _, number, _ in parts):
        terms.append(el("strong", "does not add up: please report this", class_="caution"))
    deliveries = [
        _term("deliveries", totals["deliveries"]),
        el("span", "of which", class_="sign"),
        _term("skipped", totals["skipped"], "no CloudTrail records by design, or no CloudTrail at all"),
        _term("read in part", totals["damaged"], "up to the damage; the records before it count"),
        _term("not read", max(totals["unreadable"] - totals["damaged"], 0), "with the reason below"),
    ]
    return el(
        "div",
        el("h3", "Totals"),
        el("p", *terms, class_="sum"),
        el("p", *deliveries, class_="sum"),
        class_="sums",
    )


def _term(label: str, number: int, meaning: str | None = None) -> Markup:
    return el("span", el("b", f"{number:,}"), el("span", label), class_="term", title=meaning)


def unreadable(found: Sequence[tuple[str, str]]) -> Markup | None:
    """Return the deliveries that could not be read, or not to their end, each with its reason."""
    if not found:
        return None
    more = len(found) - NAMED
    rows = [
        el("tr", el("th", el("code", name), scope="row"), el("td", reason)) for name, reason in found[:NAMED]
    ]
    head = el("tr", el("th", "Delivery", scope="col"), el("th", "Reason", scope="col"))
    table = el("table", el("thead", head), el("tbody", *rows), class_="data")
    return el(
        "div",
        el("h3", f"Not read, or only in part ({len(found):,})", id="unread"),
        el("div", table, class_="scroll", tabindex=0, role="region", aria_labelledby="unread"),
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
        class_="caution-block",
    )


def _skipped(entries: list[dict[str, str]]) -> Markup | None:
    """Return what was skipped, by reason, the most frequent first."""
    if not entries:
        return None
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        reasons.setdefault(entry["reason"], []).append(entry["delivery"])
    ordered = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    blocks = [_reason(reason, deliveries) for reason, deliveries in ordered[:NAMED]]
    more = len(ordered) - NAMED
    return el(
        "div",
        el("h3", f"Skipped ({len(entries):,})"),
        *blocks,
        el("p", f"and {more:,} more reasons: see the JSON format", class_="hint") if more > 0 else None,
    )


def _reason(reason: str, deliveries: list[str]) -> Markup:
    """Return a reason that opens to the deliveries it was given for."""
    more = len(deliveries) - NAMED
    items = [el("li", el("code", name)) for name in deliveries[:NAMED]]
    if more > 0:
        items.append(el("li", f"and {more:,} more: see the JSON format"))
    return el("details", el("summary", f"{reason} ({len(deliveries):,})"), el("ul", *items), class_="reason")


def _notes(notes: list[str]) -> Markup | None:
    return el("div", el("h3", "Notes"), el("ul", *(el("li", note) for note in notes))) if notes else None
