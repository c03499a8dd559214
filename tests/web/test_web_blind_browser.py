"""Blind spots and coverage in a real browser: what comes while they are open, the way to findings, and small screens."""

import pytest
from playwright.sync_api import expect

from rolewatch.store import deliveries
from rolewatch.store.deliveries import Failure

PHONE = {"viewport": {"width": 390, "height": 844}}
LONG = "<img src=x onerror=alert(1)>" + "x" * 300


def settled(page):
    """Wait until the page follows what changes."""
    with page.expect_response("**/api/v1/events"):
        page.reload()
    page.wait_for_timeout(300)  # until the stream has begun: the server looks at what is there first


def wide(page):
    """Say by how many pixels a page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_service_goes_blind_while_the_page_is_open(world, site, open_page):
    """The answer, the matrix and the news change by themselves; what was opened stays open; a cell leads to its findings."""
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"), world.call(1, "else"))
    page = open_page(site)
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is blocked")
    page.get_by_text("Numbers", exact=True).click()
    world.happen(world.call(1, "fresh", denied=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "1 AWS service is blind on 1 resource in 1 account"
    )
    expect(page.get_by_role("table", name="Findings that began and ended, by day")).to_be_visible()
    expect(
        page.locator("#changed").get_by_role("link", name="AWS Config cannot reach arn:aws:s3:::fresh")
    ).to_be_visible()
    page.get_by_role("link", name="AWS Config, account 111122223333: 1 blocked").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.get_by_role("link", name="fresh")).to_be_visible()


@pytest.mark.parametrize("settings", [PHONE, {"color_scheme": "dark"}], ids=["phone", "dark"])
def test_both_pages_fit(world, site, open_page, settings):
    """No page is wider than the window, whatever names come; the browser has nothing to complain of."""
    world.happen(world.call(5, LONG, denied=True), world.call(1, "else"))
    failure = Failure(b"m" * 16, LONG, LONG, LONG, None, 0, 1, 1)
    site.state.write(lambda connection: deliveries.fail(connection, [failure]))
    page = open_page(site, **settings)
    assert wide(page) <= 0
    expect(page.get_by_role("table", name="Findings blocked, by service and account")).to_be_visible()
    page.goto(site.address + "/coverage")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries arrive")
    assert wide(page) <= 0
    expect(page.get_by_role("table", name="Sources")).to_be_visible()
    expect(page.get_by_role("rowheader", name=LONG)).to_be_visible()


def test_coverage_by_keys(world, site, open_page):
    """From the start page to coverage and back by keys, and by the links that say what an answer rests on."""
    world.happen(world.call(5, "b", denied=True))
    page = open_page(site)
    expect(page.locator("#theme")).to_be_visible()  # by then keys are listened to
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="What cannot be seen")).to_be_visible()
    expect(page.locator("#theme")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.get_by_role("link", name="What this rests on").click()
    expect(page.get_by_role("heading", name="Sources")).to_be_visible()
