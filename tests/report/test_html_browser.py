"""The HTML report in a real browser: opened from a file, without a network."""

import copy
import hashlib
import shutil
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from rolewatch.base.sanitise import terminal
from rolewatch.report.html import write
from rolewatch.report.order import section

pytestmark = pytest.mark.slow

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

#: Text whose contrast with what lies behind it is below WCAG's AA (4.5, or 3 where it is large), as "ratio: text".
LOW_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => [0.2126, 0.7152, 0.0722]
    .map((weight, i) => weight * (c[i] / 255 <= 0.03928 ? c[i] / 255 / 12.92 : ((c[i] / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((a, b) => a + b);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.parentElement;
    if (!node.data.trim() || !at.checkVisibility() || at.closest('script')) continue;
    const style = getComputedStyle(at);
    const ink = light(rgba(at instanceof SVGElement ? style.fill : style.color));
    const paper = light(behind(at));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    checked += 1;
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) bad.add(`${ratio.toFixed(2)}: ${node.data.trim()}`);
  }
  return { checked, bad: [...bad] };
}"""


@pytest.fixture(scope="module")
def browser():
    """Return the system's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Return a function that opens a report; whatever it says to the console or asks of a network fails the test."""
    contexts, said = [], []

    def _show(report, **settings):
        path = Path(tmp_path, f"{len(contexts)}.html")
        with path.open("w", encoding="utf-8") as out:
            write(report, out)
        context = browser.new_context(
            **{"viewport": DESKTOP, "color_scheme": "light", "reduced_motion": "reduce", **settings}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on(
            "request",
            lambda request: said.append(request.url) if not request.url.startswith("file:") else None,
        )
        page.goto(path.as_uri())
        return page

    _show.said = said
    yield _show
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def many(report):
    """Return a report of 5,000 findings in 60 accounts."""
    pattern, findings = report["findings"][:-1], []
    accounts = [f"{100_000_000_000 + number * 7919}" for number in range(60)]
    for number in range(5000):
        finding = copy.copy(pattern[number % len(pattern)])
        name = hashlib.sha256(str(number).encode()).hexdigest()[:16]
        finding |= {
            "id": name,
            "account": accounts[number // len(pattern) % 60],
            "resource": f"arn:aws:s3:::bucket-{number}",
        }
        findings.append(finding)
    return report | {"findings": findings}


def visible(page):
    """Return the resources whose rows are shown, in order."""
    return page.eval_on_selector_all(
        "details.finding",
        "rows => rows.filter(r => r.checkVisibility()).map(r => r.querySelector('.resource').textContent)",
    )


def resources(report, wanted=lambda _: True):
    """Return, as they are shown, the resources of a report's findings that are wanted."""
    return sorted(terminal(f["resource"]) for f in report["findings"] if wanted(f))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["report", "no_findings", "many"])
def test_page_fits_the_screen(show, request, name, viewport):
    """The page never scrolls sideways: not with the longest names, nor with 60 accounts."""
    page = show(request.getfixturevalue(name), viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    if name == "report":
        page.click("text=Open all")
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_matrix_fades_where_it_goes_on(show, report, many):
    """Four accounts fit beside the timeline; of sixty the edge fades out, until they have been scrolled to."""

    def fade(page):
        return page.evaluate("""async () => {
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const matrix = document.querySelector('.scroll');
            return [matrix.scrollWidth > matrix.clientWidth, getComputedStyle(matrix).getPropertyValue('--fade')];
        }""")

    assert fade(show(report)) == [False, "0px"]
    page = show(many)
    assert fade(page) == [True, "40px"]
    page.evaluate("document.querySelector('.scroll').scrollLeft = 1e6")
    assert fade(page) == [True, "0px"]


def test_page_runs_nothing_of_an_attacker(show, report):
    """Markup and scripts in records are text: nothing runs, whatever is opened."""
    evil = "<img src=x onerror=window.pwned=1></script><script>window.pwned=1</script>\"onfocus='window.pwned=1' autofocus x="
    found = report["findings"][0]
    found |= {
        "resource": evil,
        "role_arn": evil,
        "service_name": evil,
        "account": evil,
        "explanation": evil,
        "event_ids": [evil],
    }
    report["unreadable"][0]["reason"] = evil
    page = show(report)
    page.click("text=Open all")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, [onerror], [onfocus]").count() == 0
    assert evil in visible(page)


def test_page_forbids_what_is_not_its_own(show, report):
    """The policy is in force: a script, a style or a request added to the page is refused."""
    page = show(report)
    refused = page.evaluate("""async () => {
        const refused = [];
        document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
        const add = (name, text) => document.body.append(Object.assign(document.createElement(name), { textContent: text }));
        add('script', 'window.pwned = 1');
        add('style', 'body { color: red }');
        await fetch('https://example.invalid/').catch(() => 0);
        await new Promise((done) => setTimeout(done, 50));
        return refused.sort();
    }""")
    assert refused == ["connect-src", "script-src-elem", "style-src-elem"]
    assert page.evaluate("window.pwned") is None
    assert len(show.said) >= len(refused)
    show.said.clear()  # the browser reports what it refused, as it should


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


@pytest.mark.parametrize(("system", "button"), [("light", "Dark"), ("dark", "Light")])
def test_page_follows_the_system_and_the_switch(show, report, system, button):
    """Colours follow the system until the switch is used, which turns them round and back."""

    def paper():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page = show(report, color_scheme=system)
    seen = [paper()]
    for _ in range(2):
        assert page.locator("#theme").inner_text() == button
        page.click("#theme")
        seen.append(paper())
        button = "Light" if button == "Dark" else "Dark"
    light, dark = "rgb(246, 246, 243)", "rgb(18, 20, 23)"
    assert seen == ([light, dark, light] if system == "light" else [dark, light, dark])


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(show, report, scheme, viewport):
    """Every text on the page, opened throughout, stands out from its background by 4.5 to 1."""
    page = show(report, color_scheme=scheme, viewport=viewport)
    page.click("text=Open all")
    found = page.evaluate(LOW_CONTRAST)
    assert found["bad"] == []
    assert found["checked"] > 500


def test_controls_have_names(show, report):
    """Every control and region has a name for those who do not see the page."""
    page = show(report)
    page.click("text=Open all")
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, [role], svg:not([aria-hidden])')]
        .filter((node) => !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby')
            || node.labels?.length || node.textContent.trim())).map((node) => node.outerHTML)""")
    assert nameless == []
    assert [page.locator(name).count() for name in ("main", "header", "footer", "h1")] == [1, 1, 1, 1]


def test_page_without_script_is_complete(show, report):
    """Without JavaScript every finding is listed and opens; what would not work is not there."""
    page = show(report, java_script_enabled=False)
    rows = page.locator("details.finding")
    assert rows.count() == 13
    assert (page.locator("#filter").is_visible(), page.locator("#theme").is_visible()) == (False, False)
    rows.first.locator("summary").click()
    assert rows.first.locator(".evidence pre").is_visible()
    page.locator(".cell").first.click()
    assert page.url.endswith(page.locator(".cell").first.get_attribute("href"))


def test_page_prints_on_white(show, report):
    """On paper the controls are gone, colours are light, and what is open stays open."""
    page = show(report, color_scheme="dark")
    page.locator("details.finding summary").first.click()
    page.click("#theme")
    page.click("#theme")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (page.locator("#filter").is_visible(), page.locator("#theme").is_visible()) == (False, False)
    assert page.locator(".evidence").locator("visible=true").count() == 1
    assert page.evaluate(LOW_CONTRAST)["bad"] == []


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
