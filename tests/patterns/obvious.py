"""A second evaluator of filter patterns, slow and obvious, to hold the other one against.

It reads spec/filter-pattern.md line by line: everything is parsed, nothing is compiled, nothing is shared with the
product but the parsed pattern. JSON numbers are compared as fractions and rendered by trial.
"""

import json
import re
from fractions import Fraction

from rolewatch.patterns import syntax


class Number:
    """A JSON number as written."""

    def __init__(self, text):
        self.text = text
        self.integer = re.fullmatch(r"-?\d+", text) is not None

    def fraction(self):
        """Its value: exact for integers, of the shortest text of its double otherwise; None for infinity."""
        if self.integer:
            return Fraction(self.text)
        double = float(self.text)
        return None if double in (float("inf"), float("-inf")) else Fraction(repr(double))

    def rendered(self):
        """How Java writes it."""
        if self.integer:
            return str(int(self.text))
        double = float(self.text)
        if abs(double) == float("inf"):
            return "Infinity" if double > 0 else "-Infinity"
        if double == 0:
            return "-0.0" if str(double).startswith("-") else "0.0"
        if 1e-3 <= abs(double) < 1e7:
            for places in range(1, 20):
                text = f"{double:.{places}f}"
                if float(text) == double:
                    return text
        for places in range(1, 20):
            text = f"{double:.{places}e}"
            if float(text) == double:
                mantissa, exponent = text.split("e")
                return f"{mantissa}E{int(exponent)}"
        raise AssertionError(self.text)


def refuse(word):
    """Refuse what is no JSON."""
    raise ValueError(word)


def matches(parsed, message):
    """Decide whether a message matches a parsed pattern (terms and JSON patterns)."""
    if isinstance(parsed, syntax.Everything):
        return True
    if isinstance(parsed, syntax.Terms):
        if parsed.plain or parsed.excluded:
            return all(t in message for t in parsed.plain) and not any(t in message for t in parsed.excluded)
        return any(t in message for t in parsed.optional)
    if isinstance(parsed, syntax.Regex):
        return re.search(parsed.source, message, re.ASCII) is not None
    try:
        root = json.loads(message, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except ValueError:
        return False
    return isinstance(root, dict) and holds(parsed.condition, root)


def holds(condition, root):
    """Decide a condition."""
    if isinstance(condition, syntax.And):
        return all(holds(part, root) for part in condition.parts)
    if isinstance(condition, syntax.Or):
        return any(holds(part, root) for part in condition.parts)
    steps = list(condition.subject.steps)
    nodes = reached(root, steps)
    if isinstance(condition, syntax.NotExists):
        return nodes == []
    if isinstance(condition, syntax.Is):
        if condition.what is not None:
            return any(node is condition.what for node in nodes)
        if syntax.ANY in steps:
            return any(node is None for node in nodes)
        return any(node is None or (isinstance(node, list) and None in node) for node in nodes)
    if condition.operator == "=":
        return any(equal(condition.value, node) for node in nodes)
    if condition.operator == "!=":
        if syntax.ANY in steps:
            before = steps[: steps.index(syntax.ANY)]
            return reached(root, before) != [] and not any(equal(condition.value, node) for node in nodes)
        return any(different(condition.value, node) for node in nodes)
    wanted = Fraction(condition.value.value)
    for node in nodes:
        if isinstance(node, Number) and node.fraction() is not None:
            found = node.fraction()
            if {"<": found < wanted, "<=": found <= wanted, ">": found > wanted, ">=": found >= wanted}[condition.operator]:  # fmt: skip
                return True
    return False


def reached(node, steps):
    """Walk a path, one step at a time."""
    if not steps:
        return [node]
    step, rest = steps[0], steps[1:]
    if step is syntax.ANY:
        below = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
        return [found for child in below for found in reached(child, rest)]
    if isinstance(step, int):
        return reached(node[step], rest) if isinstance(node, list) and step < len(node) else []
    return reached(node[step], rest) if isinstance(node, dict) and step in node else []


def equal(value, node):
    """Decide `=` for one node."""
    if isinstance(node, str):
        if isinstance(value, syntax.Number):
            return node == value.text
        if isinstance(value, syntax.Regex):
            return re.search(value.source, node, re.ASCII) is not None
        return re.fullmatch(".*".join(map(re.escape, value.text.split("*"))), node, re.DOTALL) is not None
    if isinstance(node, Number):
        if isinstance(value, syntax.Number):
            return node.fraction() is not None and node.fraction() == Fraction(value.value)
        return equal(value, node.rendered())
    return False


def different(value, node):
    """Decide `!=` for one node: only strings and numbers take part, and no infinity against a number."""
    if isinstance(node, Number) and isinstance(value, syntax.Number) and node.fraction() is None:
        return False
    return isinstance(node, str | Number) and not equal(value, node)
