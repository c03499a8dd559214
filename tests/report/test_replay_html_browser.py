"""The page of a replay in a real browser: opened from a file, without a network."""

import re

import pytest
import replays
from test_html_browser import DESKTOP, LOW_CONTRAST, PHONE

from rolewatch.report.replay_html import write

pytestmark = pytest.mark.slow

OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"


@pytest.fixture
def show_replay(show, monkeypatch):
    """Return `show`, writing replays instead of reports of a scan."""
    monkeypatch.setitem(show.__globals__, "write", write)
    return show


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["story", "quiet", "hostile"])
def test_page_fits_the_screen(show_replay, name, viewport):
    """The page never scrolls sideways, closed or opened throughout, however long the names."""
    page = show_replay(getattr(replays, name)(), viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_page_runs_nothing_of_an_attacker(show_replay):
    """Markup and scripts in names, reasons and records are text."""
    page = show_replay(replays.hostile())
    page.evaluate(OPEN_ALL)
    assert page.locator("img, iframe, [onerror], main script").count() == 0
    assert "<script>alert(1)</script>" in page.locator("h2").nth(1).inner_text()


def test_page_forbids_what_is_not_its_own(show_replay):
    """The policy is in force over style and script of this page too."""
    page = show_replay(replays.story())
    refused = page.evaluate("""async () => {
        const refused = [];
        document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
        document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.pwned = 1' }));
        document.body.append(Object.assign(document.createElement('style'), { textContent: 'body { color: red }' }));
        await new Promise((done) => setTimeout(done, 50));
        return refused.sort();
    }""")
    assert refused == ["script-src-elem", "style-src-elem"]
    show_replay.said.clear()  # the browser reports what it refused, as it should


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(show_replay, scheme, viewport):
    """Every text on the page, opened throughout, stands out from its background by 4.5 to 1."""
    page = show_replay(replays.story(), color_scheme=scheme, viewport=viewport)
    page.evaluate(OPEN_ALL)
    found = page.evaluate(LOW_CONTRAST)
    assert found["bad"] == []
    assert found["checked"] > 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_graphs_have_contrast(show_replay, scheme):
    """What is drawn stands out from the panel by 3 to 1: values, threshold, states and findings."""
    page = show_replay(replays.story(), color_scheme=scheme)
    ratios = page.evaluate("""() => {
        const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
        const light = (color) => {
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
                .map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        };
        const paper = light(getComputedStyle(document.querySelector('.alarm')).backgroundColor);
        const drawn = { '.range': 'stroke', '.threshold': 'stroke', 'path.s-alarm': 'fill', 'path.s-ok': 'fill',
            'path.s-unknown': 'stroke', '.told': 'fill', '.untold': 'stroke' };
        return Object.entries(drawn).map(([name, property]) => {
            const ink = light(getComputedStyle(document.querySelector(`.replay ${name}`))[property]);
            return [name, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
        });
    }""")
    assert [name for name, ratio in ratios if ratio < 3] == []
    assert len(ratios) == 7


def test_controls_and_pictures_have_names(show_replay):
    """Whoever does not see the page hears what each picture shows; what scrolls can be reached by keyboard."""
    page = show_replay(replays.story())
    page.evaluate(OPEN_ALL)
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, [role]')]
        .filter((node) => !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.textContent.trim()))
        .map((node) => node.outerHTML)""")
    assert nameless == []
    assert page.locator("svg[role=img]").count() == 2
    unreachable = page.evaluate("""() => [...document.querySelectorAll('.scroll, pre')]
        .filter((node) => node.tabIndex !== 0).map((node) => node.outerHTML)""")
    assert unreachable == []


def test_event_ids_can_be_copied(show_replay):
    """Opening the records behind a change gives a button; without a clipboard the IDs are selected."""
    page = show_replay(replays.story())
    details = page.locator(".alarm").nth(1).locator(".changes details").first
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    details.locator("button").click()
    details.locator("button", has_text=re.compile("^(Copied|Selected: press Ctrl\\+C)$")).wait_for()
    assert details.locator("pre").inner_text() == "00000000-0000-4000-8000-000000000000"


def test_the_switch_turns_the_colours_round(show_replay):
    """Colours follow the system until the switch is used."""
    page = show_replay(replays.story(), color_scheme="dark")
    seen = [page.evaluate("getComputedStyle(document.body).backgroundColor")]
    page.click("#theme")
    seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(18, 20, 23)", "rgb(246, 246, 243)"]


def test_page_without_script_is_complete(show_replay):
    """Without JavaScript everything is there and opens."""
    page = show_replay(replays.story(), java_script_enabled=False)
    details = page.locator(".changes details").first
    details.locator("summary").click()
    assert details.locator("pre").is_visible()
    assert not page.locator("#theme").is_visible()


def test_page_prints_on_white(show_replay):
    """On paper colours are light and the switch is gone."""
    page = show_replay(replays.story(), color_scheme="dark")
    page.click("#theme")
    page.click("#theme")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#theme").is_visible()
    assert page.evaluate(LOW_CONTRAST)["bad"] == []
