"""Reads a page that the HTML report wrote into a tree, and fails where it is not well-formed."""

from html.parser import HTMLParser
from io import StringIO

from rolewatch.report.html import write

VOID = {"meta", "input", "br", "wbr"}


class Node:
    """An element: name, attributes, children (elements and strings)."""

    def __init__(self, name, attributes):
        self.name, self.attributes, self.children = name, dict(attributes), []

    def all(self, name=None, class_=None):
        """Return the elements below, in order, by name and class."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                classes = (child.attributes.get("class") or "").split()
                if name in (None, child.name) and (class_ is None or class_ in classes):
                    found.append(child)
                found += child.all(name, class_)
        return found

    def text(self):
        """Return the text below, white space as one blank."""
        kept = (child for child in self.children if isinstance(child, str) or child.name != "wbr")
        parts = (child if isinstance(child, str) else f"{child.text()} " for child in kept)
        return " ".join("".join(parts).split())


class Reader(HTMLParser):
    """Reads a page into nodes; an end tag that does not fit is an error."""

    def __init__(self):
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        """Open an element; an attribute given twice would be a hole in the escaping."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        node = Node(tag, attrs)
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        """Close the element that is open."""
        assert self.open.pop().name == tag

    def handle_data(self, data):
        """Take in text."""
        self.open[-1].children.append(data)


def written(report):
    """Return the page as text."""
    out = StringIO()
    write(report, out)
    return out.getvalue()


def read(page):
    """Return the root of a page, which must be closed to the last element."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def row(page, finding):
    """Return the row of a finding."""
    return next(node for node in page.all("details") if node.attributes.get("id") == f"f-{finding['id']}")


def by_resource(report, resource):
    """Return the finding of a resource."""
    return next(finding for finding in report["findings"] if finding["resource"] == resource)
