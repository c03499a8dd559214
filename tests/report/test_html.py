"""The HTML report as text: well-formed, escaped, under its own policy, and saying what the report says."""

import base64
import copy
import hashlib
import re
from collections import Counter
from importlib import resources
from io import BytesIO, TextIOWrapper

import pytest
from html_tree import by_resource, read, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.base.sanitise import terminal
from rolewatch.report.html import write

#: Everything the page may be made of; what an attacker adds would show here.
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "script", "a", "b", "i",
    "button", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "em", "form", "g", "h1", "h2", "h3", "h4",
    "h5", "input", "label", "li", "line", "ol", "option", "output", "p", "path", "pre", "rect", "select", "small",
    "span", "strong", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "time", "tr", "ul", "wbr",
}  # fmt: skip
ATTRIBUTES = {
    "aria-hidden", "aria-label", "aria-labelledby", "aria-live", "autocomplete", "charset", "class", "content", "d",
    "data-account", "data-close", "data-filter", "data-open", "data-service", "data-severity", "data-status",
    "datetime", "disabled", "height", "hidden", "href", "http-equiv", "id", "lang", "name", "placeholder",
    "preserveaspectratio", "role", "scope", "spellcheck", "tabindex", "text-anchor", "title", "type", "value",
    "viewbox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip


@pytest.mark.parametrize("name", ["report", "one_finding", "no_findings"])
def test_html_is_well_formed(name, request):
    """Every element is closed, ids are unique, and each link within the page leads to one of them."""
    page = read(written(request.getfixturevalue(name)))
    ids = Counter(node.attributes["id"] for node in page.all() if "id" in node.attributes)
    links = {node.attributes["href"] for node in page.all("a")}
    labels = {
        node.attributes["aria-labelledby"] for node in page.all() if "aria-labelledby" in node.attributes
    }
    assert [name for name, count in ids.items() if count > 1] == []
    assert {link for link in links if link[1:] not in ids or link[0] != "#"} == set()
    assert labels - ids.keys() == set()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    evil=st.text(min_size=1, max_size=60)
    | st.sampled_from(
        [
            "</script><img src=x onerror=alert(1)>",
            "\" onclick='x' x=\"",
            "<!--",
            "]]>",
            "&lt;",
            "'><svg/onload=x>",
        ]
    )
)
def test_html_escapes_whatever_a_record_says(report, evil):
    """Text in any field, attribute values included, adds no element and no attribute, and is shown."""
    found = copy.deepcopy(by_resource(report, "arn:aws:s3:::hr-exports"))
    found |= {key: evil for key, value in found.items() if isinstance(value, str)}
    found |= {"regions": [evil], "resource_examples": [evil], "event_ids": [evil], "open_actions": [evil]}
    found["actions"] = {evil: {"iam_action": evil, "denials": 1, "last_denied": evil, "last_allowed": evil}}
    found["error_codes"], found["candidates"] = {evil: 1}, [{"cause": evil, "evidence": evil, "why": evil}]
    found["cause"] = dict.fromkeys(("policy_type", "kind", "evidence", "policy_arn"), evil)
    found["timeline"] = [{"day": evil, "denials": 1, "allowed": 1}, *found["timeline"]]
    changed = report | {
        "findings": [found],
        "sources": [evil],
        "notes": [evil],
        "generated": evil,
        "version": evil,
    }
    changed["skipped"] = changed["unreadable"] = [{"delivery": evil, "reason": evil}]
    changed["coverage"] = {
        key: [evil] if isinstance(value, list) else evil for key, value in report["coverage"].items()
    }
    page = read(written(changed))
    nodes = page.all()
    assert {node.name for node in nodes} - TAGS == set()
    assert {name for node in nodes for name in node.attributes} - ATTRIBUTES == set()
    assert len(page.all("script")) == 1
    assert terminal(evil) == "".join(page.all("pre")[0].children)


def test_html_shows_hidden_characters(report, hostile):
    """A hostile string appears with its control and bidi characters written out, never as they are."""
    page = written(report)
    assert terminal(hostile) in read(page).text()
    assert (
        set(re.findall(r"[^\n -~]|&#(?:x|27;)?(?:82[0-9]{2}|x20[0-9a-f]{2});", page)) - {"&#8212;", "&#8230;"}
        == set()
    )


def test_html_policy_allows_only_its_own_style_and_script(report):
    """The policy forbids everything but the one style and the one script, named by their hashes."""
    page = read(written(report))
    (style,), (script,) = page.all("style"), page.all("script")

    def digest(node):
        return base64.b64encode(hashlib.sha256("".join(node.children).encode()).digest()).decode()

    policy = next(meta for meta in page.all("meta") if "http-equiv" in meta.attributes)
    assert policy.attributes == {
        "http-equiv": "Content-Security-Policy",
        "content": f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
    }
    # In the head, before what it governs, and nothing inline that it would forbid.
    assert page.all("meta").index(policy) == 1
    assert [a for node in page.all() for a in node.attributes if a == "style" or a.startswith("on")] == []


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_html_assets_can_be_embedded(name):
    """An asset is ASCII, ends no element, and names nothing to be loaded."""
    content = resources.files("rolewatch.report").joinpath("assets", name).read_bytes()
    assert content.isascii()
    assert re.findall(rb"</|<!--|url\(|@import|https?:|fetch\(|XMLHttp|localStorage|innerHTML", content) == []


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "cp1252"])
def test_html_is_the_same_in_any_encoding(report, encoding):
    """The bytes written do not depend on the encoding of the stream, so the hashes and the charset stay right."""
    raw = BytesIO()
    out = TextIOWrapper(raw, encoding=encoding)
    write(report, out)
    out.flush()
    assert raw.getvalue() == written(report).encode("ascii")


def test_html_headline_counts_services_resources_and_accounts(report):
    """The headline counts what is blocked and does harm: no silent, harmless, recovered or gone finding."""
    page = read(written(report))
    assert page.all("h1")[0].text() == "6 AWS services are blind on 8 resources in 4 accounts"
    assert page.all("title")[0].text() == "6 AWS services are blind on 8 resources in 4 accounts — rolewatch"
    assert page.all(class_="lead")[0].text() == (
        "Among them 3 security services: AWS Config, Amazon Macie and IAM Access Analyzer ."
    )
    assert [p.text() for p in page.all(class_="blinding")] == [
        "Possible blinding: AWS Config lost access to several resources within an hour."
    ]


def test_html_headline_in_the_singular(one_finding):
    """One finding is one service, one resource, one account."""
    page = read(written(one_finding))
    assert page.all("h1")[0].text() == "1 AWS service is blind on 1 resource in 1 account"
    assert page.all(class_="lead")[0].text() == "A security service: AWS Config ."


def test_html_headline_without_blocked_resources(report):
    """With nothing blocked, the headline says no more than that, and the silent are still there."""
    report["findings"] = [f for f in report["findings"] if f["status"] != "blocked"]
    page = read(written(report))
    assert page.all("h1")[0].text() == "No AWS service is blocked."
    assert [li.text() for li in page.all(class_="tally")[0].all("li")] == [
        "1 silent",
        "1 recovered",
        "1 gone",
    ]


def test_html_without_findings(no_findings):
    """Without findings there is neither matrix nor filter, but all that the input could not have shown."""
    page = read(written(no_findings))
    assert page.all("h1")[0].text() == "Nothing found: no watched principal was refused in 687 records."
    assert (page.all(class_="matrix"), page.all("form"), page.all("details")) == ([], [], [])
    gaps = [li.text() for li in page.all(class_="gaps")[0].all("li")]
    assert gaps == no_findings["coverage"]["not_visible"]


def test_html_of_filtered_findings(no_findings):
    """Where denials were counted but every finding was filtered out, the headline does not call it a clean result."""
    no_findings["totals"] |= {"denials": 5, "others": 682}
    page = read(written(no_findings))
    assert page.all("h1")[0].text() == "Nothing is shown: 5 denials left out of this report."
    assert page.all(class_="findings")[0].all("p")[0].text() == (
        "A filter, a baseline or an ignore file has left out every finding."
    )


def test_html_without_records(no_findings):
    """An input without a record is never a clean result."""
    no_findings["totals"] |= {"records": 0, "others": 0}
    no_findings["coverage"] |= {"first_record": None, "last_record": None, "accounts": [], "regions": []}
    page = read(written(no_findings))
    assert page.all("h1")[0].text() == "Nothing was looked at: there is no CloudTrail record in this input."


def test_html_matrix_counts_blocked_resources(report):
    """A cell holds the number of blocked resources and the worst severity; security services come first."""
    (table,) = read(written(report)).all("table", "matrix")
    rows = [[cell.text() for cell in tr.children] for tr in table.all("tr")]
    assert rows[0] == ["Service", "All", "111122223333", "222233334444", "333344445555", "REMOVED"]
    assert rows[1:6] == [
        ["AWS Config security", "3", "2 critical", "1 critical", "none", "none"],
        ["Amazon Macie security", "1", "none", "1 high", "none", "none"],
        ["IAM Access Analyzer security", "1", "none", "1 low", "none", "none"],
        ["Amazon EC2 Auto Scaling", "1", "1 high", "none", "none", "none"],
        ["Amazon CloudWatch Logs", "1", "none", "none", "1 medium", "none"],
    ]
    assert rows[7] == ["Amazon DynamoDB", "0", "none", "none", "1 silent", "none"]


def test_html_matrix_names_the_silent_beside_the_blocked(report):
    """Where something is silent beside what is blocked, the cell says so, and never adds the two."""
    silent = by_resource(report, "arn:aws:s3:::payroll-current")
    silent["status"] = "silent"
    cells = read(written(report)).all("table", "matrix")[0].all("a", "cell")
    cell = next(cell for cell in cells if cell.attributes["data-account"] == silent["account"])
    assert cell.text() == "1 critical +1 silent"
    assert cell.attributes["aria-label"] == (
        "AWS Config, account 111122223333: 1 resource blocked, worst critical, 1 resource silent"
    )


def test_html_timeline_adds_up_all_findings(report):
    """The table behind the chart holds each day's denials and proofs of access over all findings."""
    table = read(written(report)).all("details", "numbers")[0]
    shown = {tr.children[0].text(): [td.text() for td in tr.all("td")] for tr in table.all("tr")[1:]}
    denials, allowed = Counter(), Counter()
    for entry in (entry for finding in report["findings"] for entry in finding["timeline"]):
        denials[entry["day"]] += entry["denials"]
        allowed[entry["day"]] += entry["allowed"]
    assert shown == {day: [f"{denials[day]:,}", f"{allowed[day]:,}"] for day in sorted(denials)}


def test_html_totals_add_up(report):
    """The records are shown as a sum; were it wrong, the page would say so."""
    sums = [p.text() for p in read(written(report)).all(class_="sum")]
    assert sums == [
        "1,562 records = 832 denials + 43 repeats + 687 others",
        "63 deliveries of which 2 skipped 1 read in part 1 not read",
    ]
    report["totals"]["others"] += 1
    assert (
        read(written(report))
        .all(class_="sum")[0]
        .text()
        .endswith("688 others does not add up: please report this")
    )


def test_html_names_what_was_not_read(report):
    """Skipped deliveries are listed by reason, unreadable ones each with theirs."""
    page = read(written(report))
    unread = page.all(class_="caution-block")[0].all("tr")
    assert [cell.text() for cell in unread[1].children] == [
        "deliveries/cut.json.gz",
        "damaged: ends inside a record",
    ]
    assert [node.text() for node in page.all("details", "reason")] == [
        "digest file (1) deliveries/digest.json.gz",
        "not CloudTrail: a text file (1) deliveries/README.md",
    ]


def test_html_says_where_names_are_the_same(report):
    """Two services of one name are told apart by their principals in the filter."""
    by_resource(report, "arn:aws:s3:::hr-exports")["service_name"] = "AWS Config"
    select = next(
        node for node in read(written(report)).all("select") if node.attributes["name"] == "service"
    )
    names = [option.text() for option in select.all("option")]
    assert names[:3] == ["all", "Amazon CloudWatch Logs", "Amazon DynamoDB"]
    assert {"AWS Config (config.amazonaws.com)", "AWS Config (macie.amazonaws.com)"} <= set(names)
