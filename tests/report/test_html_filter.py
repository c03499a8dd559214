"""Finding rows in the HTML report with a real browser: matrix, filter, search, links and keyboard."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from rolewatch.base.sanitise import terminal
from rolewatch.report.order import section

pytestmark = pytest.mark.slow


def visible(page):
    """Return the resources whose rows are shown, in order."""
    return page.eval_on_selector_all(
        "details.finding",
        "rows => rows.filter(r => r.checkVisibility()).map(r => r.querySelector('.resource').textContent)",
    )


def resources(report, wanted=lambda _: True):
    """Return, as they are shown, the resources of a report's findings that are wanted."""
    return sorted(terminal(f["resource"]) for f in report["findings"] if wanted(f))


def test_matrix_cell_filters_the_rows(show, report):
    """A cell shows exactly the findings it counts; a second click shows all again."""
    page = show(report)
    keys = Counter((f["service"], f["account"]) for f in report["findings"] if section(f) == "blind")
    for (service, account), number in keys.items():
        cell = page.locator(f'.cell[data-service="{service}"][data-account="{account}"]')
        assert int(cell.locator("b").inner_text()) == number
        cell.click()
        assert sorted(visible(page)) == resources(
            report,
            lambda f: (f["service"], f["account"], section(f)) == (service, account, "blind"),  # noqa: B023 - called at once
        )
        assert page.locator("output").inner_text() == f"{number} of 13 findings"
        assert page.locator(".group h4 .number").locator("visible=true").count() == 1
        assert cell.get_attribute("aria-current") == "true"
        cell.click()
        assert len(visible(page)) == 13


def test_matrix_works_from_the_keyboard(show, report):
    """A cell is reached with Tab and works with Enter, as do the rows."""
    page = show(report)
    page.locator(".cell").first.focus()
    page.keyboard.press("Enter")
    assert len(visible(page)) == 2
    assert page.locator(".group h4 .number").locator("visible=true").inner_text() == "2 of 3 findings"
    page.locator("details.finding:not([hidden]) > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.finding[open]").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("service", "config.amazonaws.com", lambda f: f["service"] == "config.amazonaws.com"),
        ("account", "222233334444", lambda f: f["account"] == "222233334444"),
        ("status", "silent", lambda f: f["status"] == "silent"),
        ("status", "harmless", lambda f: f["severity"] == "none"),
        ("severity", "high", lambda f: f["severity"] == "high"),
    ],
)
def test_filter_by_a_field(show, report, field, value, wanted):
    """Choosing a service, account, status or severity leaves the findings that have it; Clear brings all back."""
    page = show(report)
    page.select_option(f"select[name={field}]", value)
    expect(page.locator("output")).to_contain_text(" of ")
    assert sorted(visible(page)) == resources(report, wanted)
    page.click("text=Clear")
    expect(page.locator("output")).to_have_text("13 findings")
    assert sorted(visible(page)) == resources(report)


def test_search_looks_into_the_evidence(show, report):
    """Every word must occur somewhere in a finding, its evidence included; no match is said."""
    page = show(report)
    event = report["findings"][1]["event_ids"][0]
    for words, expected in [
        ("PAYROLL  getbucketlocation", ["arn:aws:s3:::payroll-archive", "arn:aws:s3:::payroll-current"]),
        (event, [report["findings"][1]["resource"]]),
        ("payroll macie", []),
    ]:
        page.fill("input[name=text]", words)
        expect(page.locator("output")).to_have_text(f"{len(expected)} of 13 findings")
        assert sorted(visible(page)) == expected
    assert page.locator(".no-match").is_visible()
    assert page.locator(".by-status").locator("visible=true").count() == 0


def test_row_opens_and_copies_its_event_ids(show, report):
    """A click opens a row; its event IDs go to the clipboard with one more."""
    page = show(report, permissions=["clipboard-read", "clipboard-write"])
    finding = report["findings"][1]
    row = page.locator(f"#f-{finding['id']}")
    assert row.locator(".evidence").is_hidden()
    row.locator("summary").click()
    assert row.locator(".evidence").is_visible()
    row.get_by_text("Copy the event IDs").click()
    row.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(finding["event_ids"])


def test_page_opens_at_a_finding(show, report):
    """A link to a finding opens it, in a page that is open already as well."""
    page = show(report)
    name = f"f-{report['findings'][6]['id']}"
    page.select_option("select[name=status]", "gone")
    expect(page.locator("output")).to_contain_text("1 of ")
    page.evaluate("name => { location.hash = name }", name)
    page.wait_for_selector(f"#{name}[open]")
    page.goto(f"{page.url.partition('#')[0]}?again#{name}")
    assert page.locator(f"#{name} .evidence").is_visible()


def test_many_findings_stay_usable(show, many):
    """With 5,000 findings the page is there at once, and a search through all evidence takes well under a second."""
    page = show(many)
    assert page.locator(".cell").count() == 60 * 6
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    taken = page.evaluate("""async () => {
        const field = document.querySelector('input[name=text]'), said = document.querySelector('output');
        const start = performance.now();
        field.value = 'bucket-49';
        field.dispatchEvent(new Event('input', { bubbles: true }));
        while (!said.textContent.includes(' of ')) await new Promise(requestAnimationFrame);
        document.body.getBoundingClientRect();
        return performance.now() - start;
    }""")
    assert page.locator("output").inner_text() == "111 of 5,000 findings"
    assert (ready < 15_000, taken < 3_000) == (True, True)  # milliseconds, with room for a busy machine
