"""Alarms in a browser: the graph, what changes while it is open, other settings by keyboard alone, names that attack, small screens."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from ringing import KINDS, Ringing, named

#: The colours of a chart's opaque pixels.
PAINTED = """() => {
  const canvas = document.querySelector("#chart canvas");
  const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const found = new Set();
  for (let at = 0; at < bytes.length; at += 4) if (bytes[at + 3] === 255) found.add(bytes.slice(at, at + 3).join());
  return [...found];
}"""
HOSTILE = "../<img src=x onerror=alert(1)>\"'&amp;{{7*7}}\u202e" + "long" * 50
NO_SIDE = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def ring(world):
    """Have alarms for an hour: refusals after 20 and 40 minutes, evaluated until a minute ago."""
    made = Ringing(
        world.place,
        named(HOSTILE) + KINDS,
        now=datetime.now(UTC) - timedelta(minutes=2),
    )
    made.publish(dict.fromkeys(range(60), 0) | {20: 2, 40: 3})
    made.evaluate(60)
    yield made
    made.close()


def test_a_graph_that_lives(ring, site, open_page):
    """It is drawn with threshold and states, again in other colours when these change, and goes on when the alarm rings; all without a reload."""
    page = open_page(site, "/alarms")
    page.get_by_role("link", name="quick").click()
    page.locator("#chart canvas").wait_for()
    light = page.evaluate(PAINTED)
    assert len(light) > 5
    page.get_by_role("button", name="Dark").click()
    page.locator("#chart[data-drawn='2']").wait_for()
    assert set(page.evaluate(PAINTED)) != set(light)
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("#chart[data-drawn='3']").wait_for()
    assert page.evaluate(NO_SIDE)
    width = (
        "document.querySelector('#chart canvas').clientWidth <= document.querySelector('#chart').clientWidth"
    )
    assert page.evaluate(width)
    page.get_by_text("The numbers").click()
    ring.publish({61: 5})
    ring.evaluate(62)
    page.locator(".marked .s-alarm").wait_for()
    page.locator("#chart[data-drawn='4']").wait_for()
    assert page.locator("#numbers").evaluate("each => each.open")
    assert page.evaluate("document.querySelector('#chart').clientHeight > 100")


@pytest.mark.usefixtures("ring")
def test_other_settings_by_keyboard(site, open_page):
    """They are reached, changed and tried without a mouse; the states that they would have given are drawn as well."""
    page = open_page(site, "/alarms/one?name=quick")
    page.locator("#chart canvas").wait_for()
    before = page.locator("#chart canvas").evaluate("each => each.clientHeight")
    page.get_by_role("spinbutton", name="Threshold").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="It would have gone to ALARM").wait_for()
    page.locator("#chart canvas").wait_for()
    assert page.locator("#chart canvas").evaluate("each => each.clientHeight") > before
    assert page.get_by_role("spinbutton", name="Threshold").input_value() == "3"


@pytest.mark.usefixtures("ring")
def test_a_hostile_name_on_a_phone(site, open_page):
    """It is shown as text, its graph is drawn, and no page has to be pushed sideways."""
    page = open_page(site, "/alarms", viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert page.evaluate(NO_SIDE)
    page.locator(f"a[href*='{quote('onerror')}']").click()
    page.locator("#chart canvas").wait_for()
    assert "<img src=x onerror=alert(1)>" in page.locator("h1").inner_text()
    assert page.locator("img").count() == 0
    assert page.evaluate(NO_SIDE)


@pytest.mark.usefixtures("ring")
def test_without_the_library(site, open_page):
    """If the library of charts does not come, the page says so, and the numbers are there."""
    open_page.expected += ["Failed to load resource", "charts.js"]
    page = open_page(site, "/alarms")
    page.route("**/charts.js*", lambda route: route.abort())
    page.goto(site.address + "/alarms/one?name=quick")
    page.get_by_text("The chart could not be drawn").wait_for()
    assert page.locator("#numbers tbody tr").count() > 5
