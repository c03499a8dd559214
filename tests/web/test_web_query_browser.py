"""The page of queries in a browser: writing one, an error that is mended, completion by keys, a chart, cancelling, hostile records."""

import os
import signal
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from worlds import Site, World

import lakes
from lakes import filled, record

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>\u202e'\"{{7*7}}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serve a lake whose last record is hostile."""
    folder = tmp_path_factory.mktemp("query-page")
    records = [record(number, day=3 + number // 50) for number in range(249)]
    lakes.write(folder, "in/a.json", *records, record(249, day=9, eventName=HOSTILE))
    filled(folder / "lake", folder / "in")
    world = World(folder)
    world.happen(world.call(5))
    site = Site(world.place, lake=str(folder / "lake"), clock=lambda: NOW)
    yield site
    site.app.state.queries.close()
    site.close()


def test_a_query_from_its_first_word_to_its_chart(site, open_page):
    """By keys alone: a query is completed, its error is marked and mended, it runs, and its chart is drawn; the URL has it all."""
    open_page.expected = ["400 (Bad Request)"]  # the browser tells of the query that is wrong
    page = open_page(site, "/query")
    page.locator("#lake", has_text="250 records").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("fil")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("eventN")
    assert page.get_attribute("#query", "aria-activedescendant") == "hint-0"
    page.keyboard.press("Enter")
    page.keyboard.type(" like /Object/ | stat count(*) by bin(1d)")
    page.keyboard.press("Control+Enter")
    page.locator("#wrong").wait_for()
    assert page.input_value("#query") == "filter eventName like /Object/ | stat count(*) by bin(1d)"
    line, carets = page.inner_text("#wrong pre").split("\n")
    assert line[carets.index("^") : len(carets)] == "stat"
    assert page.get_attribute("#query", "aria-invalid") == "true"
    page.click("#wrong [data-show]")
    page.keyboard.type("stats")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.locator("#histogram svg").wait_for()
    assert page.is_hidden("#wrong")
    assert page.inner_text("[data-total]") == "5 rows"
    assert "166 of 250 records match" in page.inner_text("[data-statistics]")
    page.click("[data-view=chart]")
    page.locator("#chart canvas").wait_for()
    address = page.url
    other = open_page(site, address.removeprefix(site.address))
    other.locator("#chart canvas").wait_for()
    assert other.input_value("#query") == "filter eventName like /Object/ | stats count(*) by bin(1d)"


def test_rows_are_copied_opened_and_narrowed(site, open_page):
    """A click on a value copies it, a row opens whole, more rows come on demand, a bar narrows the time; nothing hostile runs."""
    page = open_page(
        site,
        f"/query?query={quote('fields @timestamp, eventName, @message')}",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.locator("#histogram svg").wait_for()
    assert page.locator(".rows tbody tr").count() == 200
    page.click("#more")
    page.locator(".rows tbody tr").nth(249).wait_for()
    page.locator(".rows tbody td").nth(1).click()
    page.locator("#said", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == HOSTILE
    page.locator(".rows tbody a").first.click()
    assert '"eventVersion": "1.09"' in page.inner_text("#row pre >> nth=-1")
    page.keyboard.press("Escape")
    assert page.locator("img").count() == 0
    page.locator(".reach").first.click()
    page.locator("[data-total]", has_text="50 rows").wait_for()
    assert page.input_value("[name=since]").startswith("2026-03-03T00:00")
    page.go_back()
    page.locator("[data-total]", has_text="250 rows").wait_for()


def test_a_query_that_takes_long_is_cancelled(site, open_page):
    """While it runs the page says so, and a button ends it."""
    page = open_page(site, "/query")
    queries = site.app.state.queries
    queries.warm()
    os.kill(queries._spare[0].pid, signal.SIGSTOP)
    page.fill("#query", "fields eventName")
    page.click("#run")
    page.locator("#running progress").wait_for()
    page.locator("[data-doing]", has_text="Starting").wait_for()
    page.click("#cancel")
    page.locator("#failed", has_text="Cancelled").wait_for()
    assert page.is_hidden("#running")


def test_queries_are_saved_and_used(site, open_page):
    """Who may write saves a query, which then stands in the list for everybody; one of the library runs at a click."""
    page = open_page(site, "/query", scope="write")
    page.fill("#query", "# Puts by day\nfilter eventName = 'PutObject' | stats count(*) by bin(1d)")
    page.click("#keep")
    page.fill("#save [name=name]", "team/puts")
    page.keyboard.press("Enter")
    page.locator("#saved", has_text="Puts by day").wait_for()
    reader = open_page(site, "/query", viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert reader.is_hidden("#keep")
    reader.locator(".use", has_text="team/puts").click()
    reader.locator("#histogram svg").wait_for()
    assert reader.inner_text("[data-total]") == "5 rows"
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with reader.expect_download() as download:
        reader.click("[data-file=csv]")
    assert download.value.suggested_filename == "query.csv"
    page.locator("[data-delete]").click()
    page.locator("#said", has_text="Deleted").wait_for()


def test_nothing_matches(site, open_page):
    """Where no record is of the time, the page says from when there are some, and offers to look at all."""
    page = open_page(site, f"/query?since=1h&query={quote('fields eventName')}")
    page.locator("#none").wait_for()
    assert "2026-03-03T00:00:00Z" in page.inner_text("#none")
    page.click("#none button")
    page.locator("[data-total]", has_text="250 rows").wait_for()
