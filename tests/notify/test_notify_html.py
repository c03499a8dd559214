"""The HTML of an e-mail: escaped everywhere, styled inline, loading nothing."""

import re
from html.parser import HTMLParser

import pytest
from notices import FIX, HOSTILE, about, alarm, finding, hostile, recovered

from rolewatch.notify.html import html
from rolewatch.notify.words import told

ELEMENTS = {
    "html", "head", "meta", "title", "body", "div", "h1", "p", "strong", "pre", "ul", "li", "table", "tbody", "tr", "td", "img",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "style", "src", "alt"}


class Page(HTMLParser):
    """Collects elements, attributes and text."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.attributes, self.words, self.sources = set(), set(), [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value for name, value in attrs if name == "src"]

    def handle_data(self, data):
        """Note text."""
        self.words.append(data)


@pytest.mark.parametrize(
    "notification",
    [
        about(finding(fix=FIX)),
        about(hostile()),
        about(hostile(), hostile()),
        about(finding(1), finding(2, account="x"), kind="summary"),
        about(recovered(), kind="recovered"),
        about(hostile(status="recovered", proof=[dict.fromkeys(("iam_action", "event_id", "event_time"), HOSTILE)]), kind="recovered"),
        alarm(),
        alarm(said={"AlarmName": HOSTILE, "NewStateReason": HOSTILE}),
    ],
)  # fmt: skip
def test_html_holds_only_what_we_put_there(notification):
    """Only known elements and attributes, no link, no address to load from, ASCII throughout."""
    source = html(notification, "metric@rolewatch")
    page = Page(source)
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES
    assert page.sources == ["cid:metric@rolewatch"]
    assert source.isascii()
    assert not re.search(r"url\(|@import|<style|<link|<script|href=", re.sub(r">[^<]*<", "><", source))


@pytest.mark.parametrize("notification", [about(finding(fix=FIX)), about(finding(1), finding(2)), alarm()])
def test_html_says_what_the_text_says(notification):
    """Title, labels, lines and rows of the message are all there."""
    said = " ".join(Page(html(notification)).words)
    message = told(notification)
    for word in (message.title, *(line for part in message.parts for line in part.lines)):
        assert all(each in said for each in word.splitlines())
    for cell in (cell for part in message.parts for row in part.rows for cell in row):
        assert cell in said


def test_lines_of_code_stay_lines():
    """A diff keeps its lines."""
    assert re.search(r"<pre [^>]*>--- before\n\+\+\+ after\n", html(about(finding(fix=FIX))))


def test_without_a_picture_there_is_none():
    """No picture, no image element."""
    assert "<img" not in html(alarm())
