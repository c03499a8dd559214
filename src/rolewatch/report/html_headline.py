"""The top of the page: the answer in one sentence, and what a reader must know before trusting it."""

import re
from typing import Any

from rolewatch.report import words
from rolewatch.report.html_markup import Markup, el, instant, join
from rolewatch.report.html_scope import STATUSES, names, place
from rolewatch.report.order import Finding, section


def headline(report: dict[str, Any]) -> Markup:
    """Return the first section of the page."""
    findings = report["findings"]
    blind = [finding for finding in findings if section(finding) == "blind"]
    return el(
        "section",
        el("h1", _emphasised(answer(report)), id="answer"),
        *_warnings(blind),
        _lead(blind),
        _as_of(report),
        _tally(findings),
        class_="headline",
        aria_labelledby="answer",
    )


def answer(report: dict[str, Any]) -> str:
    """Return the answer in one sentence; nothing in it comes from a record."""
    findings, records = report["findings"], report["totals"]["records"]
    if not records:
        return "Nothing was looked at: there is no CloudTrail record in this input."
    if not findings:
        return words.nothing_found(report["totals"])
    blind = [finding for finding in findings if section(finding) == "blind"]
    if not blind:
        return "No AWS service is blocked."
    services = len({place(finding).service for finding in blind})
    noun = "AWS service" if all(finding["service"] for finding in blind) else "principal"
    resources = words.count(len({finding["resource"] for finding in blind}), "resource")
    accounts = words.count(len({place(finding).account for finding in blind}), "account")
    verb = "is" if services == 1 else "are"
    return f"{words.count(services, noun)} {verb} blind on {resources} in {accounts}"


def _emphasised(sentence: str) -> Markup:
    """Return a sentence with its numbers in the foreground."""
    parts = re.split(r"(\d[\d,]*)", sentence)
    return join(el("b", part) if index % 2 else part for index, part in enumerate(parts))


def _warnings(blind: list[Finding]) -> list[Markup]:
    """Return a warning for each service that lost several resources at once, which is what `critical` means."""
    critical = [finding for finding in blind if finding["severity"] == "critical"]
    return [
        el(
            "p",
            el("strong", "Possible blinding:"),
            f" {name} lost access to several resources within an hour.",
            class_="blinding",
        )
        for name in names(critical).values()
    ]


def _lead(blind: list[Finding]) -> Markup | None:
    """Return which security services are among the blind."""
    watchers = list(names([finding for finding in blind if finding["security_service"]]).values())
    if not watchers:
        return None
    who = watchers[0] if len(watchers) == 1 else f"{', '.join(watchers[:-1])} and {watchers[-1]}"
    what = "a security service" if len(watchers) == 1 else f"{len(watchers)} security services"
    among = f"Among them {what}" if len(names(blind)) > 1 else what.capitalize()
    return el("p", f"{among}: ", el("strong", who), ".", class_="lead")


def _as_of(report: dict[str, Any]) -> Markup:
    """Return what the answer rests on: until when, how much, and what is missing."""
    coverage, totals = report["coverage"], report["totals"]
    gaps = len(coverage["not_visible"])
    parts: list[str] = []
    if coverage["last_record"]:
        parts.append(join(["As of ", instant(coverage["last_record"]), " UTC, the last record seen"]))
    looked = f"{words.count(totals['records'], 'record')} in {words.count(totals['deliveries'], 'delivery')}"
    parts.append(join([looked]))
    if report["unreadable"]:
        number = words.count(len(report["unreadable"]), "delivery")
        parts.append(el("a", f"{number} not read, or only in part", href="#unread", class_="caution"))
    if gaps:
        parts.append(
            el("a", f"{words.count(gaps, 'thing')} this input could not have shown", href="#not-visible")
        )
    return el("p", join(parts, " \N{MIDDLE DOT} "), class_="as-of")


def _tally(findings: list[Finding]) -> Markup | None:
    """Return how many findings there are of each status, as links that filter."""
    if not findings:
        return None
    sections = [section(finding) for finding in findings]
    items = [
        el(
            "li",
            el(
                "a",
                el("b", f"{sections.count(key):,}"),
                " ",
                el("span", name, class_=f"status st-{key}"),
                href=f"#section-{key}",
                data_filter=True,
                data_status=key,
                title=meaning,
            ),
        )
        for key, (name, meaning) in STATUSES.items()
        if key in sections
    ]
    return el("ul", *items, class_="tally", aria_label="Findings by status")
