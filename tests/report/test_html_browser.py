"""The HTML report in a real browser: opened from a file, without a network."""

import pytest

pytestmark = pytest.mark.slow

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
    assert evil in page.locator(".resource").all_inner_texts()


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
