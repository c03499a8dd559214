"""A chart of a query's rows as SVG, PNG and HTML: complete, harmless, and without a foreign host."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from charted import HOUR, answer, at, charted

from rolewatch.base.errors import CannotDo
from rolewatch.report import query_chart_picture
from rolewatch.report.query_chart_html import page
from rolewatch.report.query_chart_picture import COLOURS, specification, svg
from rolewatch.report.query_chart_shape import shape_of
from rolewatch.report.query_charts import FORMATS

NOON = at("2026-03-01T12:00")
BY_HOUR = "stats count(*) as n by bin(1h) as t, eventName"
EVIL = "</script><svg onload=alert(1)>&quot;\x1b[2J\u202e\x00=1+1"
HOST = re.compile(r"(?:https?:)?//[\w.-]+")
NAMESPACES = {"http://www.w3.org"}
SVG = "{http://www.w3.org/2000/svg}"


class Elements(HTMLParser):
    """What elements a page has, and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep an element."""
        self.found.append((tag, dict(attrs)))


def texts(drawn):
    """Give the texts that an SVG shows."""
    found = ET.fromstring(drawn).iter()  # noqa: S314 - of our own making
    return [each.text for each in found if each.tag in (f"{SVG}text", f"{SVG}tspan") and each.text]


def titles(drawn):
    """Give what an SVG's shapes say of themselves."""
    return [each.text for each in ET.fromstring(drawn).iter(f"{SVG}title")]  # noqa: S314 - as above


def test_bars_over_time():
    """They are stacked, have a title, times in UTC, a unit, a legend, and each says what it is."""
    drawn = svg(charted(BY_HOUR, (NOON, "a", 2.0), (NOON, "b", 3.0), (NOON + HOUR, "a", 4.0)))
    shown = texts(drawn)
    assert {"n per 1h by eventName", "2026-03-01 12:00 to 2026-03-01 14:00 UTC", "time (UTC)", "n (records per 1h)"} <= {*shown}  # fmt: skip
    assert [text for text in shown if text in ("a", "b")] == ["a", "b"]
    assert titles(drawn) == [
        "a: 2 (2026-03-01 12:00 UTC)",
        "a: 4 (2026-03-01 13:00 UTC)",
        "b: 3 (2026-03-01 12:00 UTC)",
    ]
    assert all(colour in drawn for colour in COLOURS[:2])
    assert 'fill="white"' in drawn


def test_stacks():
    """A value stands on those of the greater series."""
    (panel,) = specification(charted(BY_HOUR, (NOON, "a", 2.0), (NOON, "b", 3.0)))["vconcat"]
    assert [(row["s"], row["b"], row["v"]) for row in panel["data"]["values"]] == [("b", 0, 3), ("a", 3, 5)]


def test_lines_over_time():
    """What does not add up is drawn as lines, which end where there is no value; each measure has a panel."""
    query = "stats avg(strlen(a)) as size, count_distinct(b) as kinds by bin(1h), c"
    chart = charted(query, (NOON, "x", 2.5, 1.0), (NOON + 2 * HOUR, "x", 4.0, 2.0))
    size, kinds = specification(chart)["vconcat"]
    lines = size["layer"][0]["data"]["values"]
    assert sorted((row["t"] - NOON) // HOUR for row in lines if row["v"] is None) == [1]
    assert [row["v"] for row in kinds["data"]["values"]] == [1, 0, 2]
    assert {"size (bins of 1h)", "kinds (distinct values per 1h)"} <= {*texts(svg(chart))}


def test_negative_values_are_no_stack():
    """A sum below zero is drawn as a line."""
    (panel,) = specification(charted("stats sum(a) as n by bin(1h)", (NOON, -2.0)))["vconcat"]
    assert [layer["mark"]["type"] for layer in panel["layer"]] == ["line", "point"]


def test_bars_side_by_side():
    """In the order of the rows, each with its label and its number; what is none is said."""
    shown = texts(svg(charted("stats avg(strlen(a)) as size by b", ("y", 2.34), ("x", None))))
    assert [text for text in shown if text in ("x", "y", "2.34", "none")] == ["y", "x", "2.34", "none"]
    assert "size by b" in shown


def test_what_is_left_out_is_told():
    """Series, rows and bins: in the picture itself."""
    shown = texts(svg(charted(BY_HOUR, *((NOON, f"{each:02}", 1.0) for each in range(12)), (None, "x", 1.0))))
    assert {"2 more series not drawn, of which the highest reaches 1", "1 row without a time not drawn"} <= {*shown}  # fmt: skip
    assert "3 more rows not drawn" in texts(
        svg(charted("stats count(*) by a", *((f"{n}", 1.0) for n in range(43))))
    )


def test_no_rows():
    """It is said."""
    assert "no rows" in texts(svg(charted(BY_HOUR)))
    assert "no rows" in page(charted("stats count(*) by a"), svg(charted("stats count(*) by a")))


@pytest.mark.parametrize("query", [f"stats count(*) as `{EVIL}` by bin(1h), a", f"stats count(*) as n by a as `{EVIL}`"])  # fmt: skip
def test_hostile_names(query):
    """Text is shown as text, whoever wrote it; nothing is run, and no expression of Vega's is made of it."""
    rows = [(NOON, EVIL, 1.0), (NOON, "datum.x; ${1+1} {{y}}", 2.0)]
    chart = charted(query, *(row if "bin" in query else row[1:] for row in rows))
    drawn = svg(chart)
    names = {each.tag.removeprefix(SVG) for each in ET.fromstring(drawn).iter()}  # noqa: S314 - of our own making
    assert names <= {"svg", "g", "path", "rect", "text", "line", "title", "tspan", "defs", "clipPath"}
    assert any("</script><svg onload=alert(1)>" in text for text in [*texts(drawn), *titles(drawn)])
    assert any("datum.x; ${1+1} {{y}}" in text for text in titles(drawn))
    html = page(chart, drawn)
    for text in (drawn, html):
        assert {"\x1b", "\u202e", "\x00"} & set(text) == set()
    found = Elements(html).found
    assert "script" not in {tag for tag, _ in found}
    assert [name for _, attributes in found for name in attributes if name.startswith("on")] == []


def test_a_page():
    """It holds the picture and the numbers, runs nothing and loads nothing."""
    chart = charted(BY_HOUR, (NOON, "a", 2.0), (NOON + 2 * HOUR, "b", 3.5))
    html = page(chart, svg(chart))
    assert html.isascii()
    assert "<title>n per 1h by eventName &#8212; rolewatch</title>" in html
    assert '<th scope="row">2026-03-01 14:00</th><td>3.5</td><td>0</td>' in html
    assert "2026-03-01 13:00</th>" not in html
    found = Elements(html).found
    assert {tag for tag, _ in found} & {"script", "img", "link", "iframe", "object", "image"} == set()
    (policy,) = [attributes["content"] for _, attributes in found if "content-security-policy" in str(attributes).lower()]  # fmt: skip
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert set(HOST.findall(html)) <= NAMESPACES
    sides = page(charted("stats avg(strlen(a)) by b", ("x", None)), "")
    assert '<th scope="row">x</th><td>&#8211;</td>' in sides


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_pictures_are_the_same_each_time(ending, tmp_path):
    """The same rows give the same bytes."""
    found = answer(BY_HOUR, (NOON, "a", 2.0), (NOON, "b", 3.0))
    for name in "xy":
        with (tmp_path / name).open("w", encoding="utf-8") as out:
            FORMATS[ending](found, shape_of(found.plan), out, None)
    content = (tmp_path / "x").read_bytes()
    assert content == (tmp_path / "y").read_bytes()
    assert content.startswith(b"\x89PNG" if ending == ".png" else b"<svg")


def test_no_picture_where_code_may_not_be_made(monkeypatch):
    """Where memory may not be written and executed, drawing would end the whole process: it is refused before."""

    def refuse(*_args, **_words):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(query_chart_picture, "mmap", refuse)
    with pytest.raises(CannotDo, match="written and executed"):
        query_chart_picture.available()
