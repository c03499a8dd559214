"""What a finding rests on: why, what to do, who and where, every call, and the events to look up."""

from typing import Final

from rolewatch.base.sanitise import terminal
from rolewatch.report import words
from rolewatch.report.html_markup import Markup, el, instant, join, text
from rolewatch.report.html_scope import anchor
from rolewatch.report.order import Finding, section

#: What is listed one by one; the JSON format has all of it.
EVENT_IDS: Final = 50
DAYS: Final = 14
ACTIONS: Final = 100

_TIERS: Final = {
    "guess": "GUESS",
    "message": "by message",
    "policy": "by policy",
}
_TIER_MEANINGS: Final = {
    "guess": "not proven: the likeliest reading of a refusal without a reason",
    "message": "AWS says so in the record's message or code",
    "policy": "follows from the policy itself",
}


def tier(name: str) -> Markup:
    """Return how sure something is; a guess is marked so that nobody overlooks it."""
    kind = name if name in _TIERS else "other"
    return el("span", _TIERS.get(name, name), class_=f"tier tier-{kind}", title=_TIER_MEANINGS.get(name))


def evidence(finding: Finding) -> Markup:
    """Return what opens below a finding's row."""
    return el(
        "div",
        why(finding, *_change(finding)),
        facts(finding),
        calls(finding),
        _days(finding),
        events(finding),
        class_="evidence",
    )


def why(finding: Finding, *change: Markup, level: int = 5) -> Markup:
    """Return verdict, cause and explanation, what it can be, and what to do; `change` comes behind the latter.

    `level` is that of headings, here and below.
    """
    parts: list[Markup | None] = [
        el(
            "p",
            el("strong", finding["verdict"]),
            " ",
            tier(finding["cause"]["evidence"]),
            " ",
            words.cause(finding),
            class_="verdict-line",
        ),
        el("p", finding["explanation"]) if finding["explanation"] else None,
    ]
    if finding["consequence"] and finding["consequence"] not in (finding["explanation"] or ""):
        parts.append(el("p", el("b", "Effect: "), finding["consequence"]))
    if ended := _ended(finding):
        parts.append(el("p", ended, class_=f"ended st-{section(finding)}"))
    if blame := words.blame(finding):
        parts.append(el("p", el("b", "Last change of the policy before it began: "), Markup(text(blame))))
    parts.append(el("p", el("b", "What to do: "), Markup(text(words.remedy(finding)))))
    parts += change
    if finding["candidates"]:
        rows = [
            el(
                "li",
                el("b", item["cause"]),
                " ",
                tier(item["evidence"]),
                el("span", item["why"], class_="because"),
            )
            for item in finding["candidates"]
        ]
        parts += [el(f"h{level}", "What it can be, likeliest first"), el("ol", *rows, class_="candidates")]
    return el("div", *parts, class_="why")


def _change(finding: Finding) -> list[Markup]:
    """Return the change that ends a finding, its proof, and how to see the blindness from the service's side."""
    parts: list[Markup] = []
    fix = finding.get("fix")
    if fix:
        proof = fix["proof"]
        parts += [
            el("h5", f"The change of the {fix['policy']}"),
            el("pre", _lines(fix["diff"]), class_="change"),
            *(el("pre", _lines(command), class_="change") for command in fix["commands"]),
            el(
                "p",
                f"Proven: the denied requests are allowed by the changed policy, and of {proof['decisions_compared']:,} other decisions "
                f"({proof['principals_compared']:,} principals) {proof['decisions_changed']:,} changed, all of them of whom the change names.",
            ),
        ]
    if finding.get("probes") and finding["status"] not in ("recovered", "gone"):
        rows = [
            el("li", el("code", probe["command"]), el("span", probe["shows"], class_="because"))
            for probe in finding["probes"]
        ]
        parts += [el("h5", "See it from the service's side"), el("ul", *rows, class_="candidates")]
    return parts


def _lines(written: str) -> Markup:
    """Return a text of several lines as it is written, each of them harmless."""
    return Markup("\n".join(text(line) for line in written.splitlines()))


def _ended(finding: Finding) -> Markup | None:
    """Return how a finding that is no longer refused stands; silence is never good news."""
    match finding["status"]:
        case "recovered":
            return join(
                [
                    "Recovered: every denied action was allowed again, the last at ",
                    instant(finding["ended"]),
                    ".",
                ]
            )
        case "gone":
            return join(["Gone: the resource no longer exists, as seen at ", instant(finding["ended"]), "."])
        case "silent":
            return join(
                [
                    "Silent: no attempt since ",
                    instant(finding["last_denied"]),
                    ". That is not proof of recovery.",
                ]
            )
        case _:
            return None


def facts(finding: Finding) -> Markup:
    """Return who, what and where."""
    own, other = finding["account"], finding["resource_account"]
    codes = [join([el("code", code), f" {number:,}"]) for code, number in finding["error_codes"].items()]
    examples = [el("code", example) for example in finding["resource_examples"]]
    cause = finding["cause"]
    rows: list[tuple[str, str | None]] = [
        ("Role", _whole(finding["role_arn"])),
        ("Service", _whole(finding["service"])),
        ("Account", _whole(own) or text("unknown")),
        ("Resource", _whole(finding["resource"])),
        ("Resource type", text(finding["resource_type"]) if finding["resource_type"] else None),
        ("Resource's account", _owner(own, other)),
        ("Policy", _whole(cause.get("policy_arn"))),
        ("Regions", text(words.listed(finding["regions"])) if finding["regions"] else None),
        ("First denied", instant(finding["first_denied"])),
        ("Last denied", instant(finding["last_denied"])),
        ("Error codes", _list(codes)),
        ("As named in records", _list(examples)),
        ("Finding", el("a", finding["id"], href=f"#{anchor(finding)}")),
    ]
    pairs = [el("div", el("dt", label), el("dd", value)) for label, value in rows if value]
    return el("dl", *pairs, class_="facts")


def _owner(own: str, other: str | None) -> Markup:
    if not other:
        return text("unknown")
    return text("the same") if other == own else join([_whole(other), ", not the role's own"])


def _whole(value: str | None) -> Markup | None:
    """Return something people copy: one click selects all of it."""
    return el("code", value, class_="whole") if value else None


def _list(items: list[Markup]) -> Markup | None:
    return el("ul", *(el("li", item) for item in items)) if items else None


def calls(finding: Finding, *, level: int = 5) -> Markup:
    """Return every refused API call with its IAM action, how often, when last, and whether it is allowed again."""
    still_open = set(finding["open_actions"])
    head = ("API call", "IAM action", "Denials", "Last denied", "Last allowed", "Now")
    every = list(finding["actions"].items())
    rows = [
        el(
            "tr",
            el("th", el("code", call), scope="row"),
            el("td", el("code", action["iam_action"])),
            el("td", f"{action['denials']:,}", class_="figure"),
            el("td", instant(action["last_denied"])),
            el("td", instant(action["last_allowed"]) if action["last_allowed"] else "never seen"),
            el("td", _now(finding, is_open=action["iam_action"] in still_open)),
        )
        for call, action in every[:ACTIONS]
    ]
    table = el(
        "table",
        el("thead", el("tr", *(el("th", name, scope="col") for name in head))),
        el("tbody", *rows),
        class_="data",
    )
    more = len(every) - ACTIONS
    return el(
        "div",
        el(f"h{level}", "Refused calls"),
        el("div", table, class_="scroll", tabindex=0, role="region", aria_label="Refused calls"),
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
        class_="calls",
    )


def _now(finding: Finding, *, is_open: bool) -> Markup:
    """Return how an action stands."""
    if finding["status"] == "gone":
        return el("span", "gone", class_="status st-gone")
    return (
        el("span", "open", class_="status st-blind")
        if is_open
        else el("span", "allowed", class_="status st-recovered")
    )


def _days(finding: Finding) -> Markup | None:
    """Return the denials of the latest days."""
    latest = finding["timeline"][-DAYS:]
    if not latest:
        return None
    earlier = len(finding["timeline"]) - len(latest)
    items = [
        el(
            "li",
            el("span", terminal(entry["day"])),
            el("b", f"{entry['denials']:,}"),
            el("em", f"+{entry['allowed']:,} allowed") if entry["allowed"] else None,
        )
        for entry in latest
    ]
    head = "Denials by day (UTC)" + (
        f", the latest {DAYS}; {words.count(earlier, 'day')} before" if earlier else ""
    )
    return el("div", el("h5", head), el("ul", *items, class_="days"))


def events(finding: Finding, *, level: int = 5) -> Markup | None:
    """Return the event IDs, one a line, ready to be copied."""
    ids = finding["event_ids"]
    if not ids:
        return None
    more = len(ids) - EVENT_IDS
    head = "Event IDs, oldest first" + (f"; {more:,} more in the JSON format" if more > 0 else "")
    lines = "\n".join(text(name) for name in ids[:EVENT_IDS])
    return el(
        "div",
        el(f"h{level}", head),
        el("pre", Markup(lines), tabindex=0, role="region", aria_label="Event IDs"),
        class_="events",
    )
