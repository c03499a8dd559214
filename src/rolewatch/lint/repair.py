"""A pattern that the service refuses in; the one that was meant out, where known mistakes explain the refusal.

At the place of each error a few edits are tried. What comes of them is offered only if the service takes it; otherwise
nothing is.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from rolewatch.lint.advice import Advice, Severity, Span
from rolewatch.lint.located import replaced
from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.parse import LONGEST

REFUSED, UNQUOTED = "refused", "unquoted-special"
MOST_EDITS = 25  # of one pattern

_VALUE = "A value with other characters than letters, digits, `_`, `.` and `*` stands in double quotes."
_QUOTES = "Only plain double quotes enclose a value, with no backslash before them."
_NUMBER = "A value that is more or less than another is a number, without quotes."
_TERM = "A term with other characters than letters, digits, `_` and `.` stands in double quotes."
_STAR = "A term is found anywhere in a message and takes no star."
_EACH = "Terms beside each other must all be there, without `&&`."
_ANY = "Terms of which one is enough have a `?` before each, instead of `||`."
_NAME = "A name with other characters than letters, digits, `_` and `-` stands in `.['…']`."
_FIELD_NAME = "The name of a field has letters, digits and `_`."
_STEP = "A name below another is written `.name`, or `.['…']` where it has other characters."
_DOLLAR = "The path to a field of a JSON message begins with `$.`."
_NULL = "Null is asked for by `IS NULL`."
_PRESENT = "There is no such test; `= *` asks for any text or number."
_ABSENT = "That a field is missing is asked for by `NOT EXISTS`."
_BRACES = "Conditions on the fields of a JSON message stand in braces."

_LITERAL = re.compile(r'"[^"]*"|%[^%]*%')
_COMPARISON = re.compile(r"(?:!=|<=|>=|=|<|>)\s*")
_SIGNS = re.compile(r"[=!<>]{2,3}")
_RIGHT_SIGNS = {"==": "=", "===": "=", "!==": "!=", "<>": "!=", "=!": "!=", "=<": "<=", "=>": ">="}
_JOINS = re.compile(r"(?i:and|or)\b|&|\|")
_RIGHT_JOINS = {"and": "&&", "or": "||", "&": "&&", "|": "||"}
_MARK = "\\\\?[\"'`“”\u2018\u2019]"  # a quote, as shells, editors and other languages have them
_ENCLOSED = re.compile(rf"{_MARK}.*?{_MARK}|{_MARK}[^=!<>&|()$,\]}}]+")
_EDGES = re.compile(rf"^{_MARK}|{_MARK}$")
_SHORT = re.compile(r'(?:(?!&&|\|\|)[^\s"()])+')
_SHORT_IN_LINE = re.compile(r'(?:(?!&&|\|\|)[^\s"(),\]])+')
_LONG = re.compile(r'(?:(?!\s(?:AND|OR|and|or)\s)[^"=!<>&|()$,\[\]{}])+')
_NULL_TEST = re.compile(r"(!?=)\s*(?i:null)\b")
_PRESENCE_TEST = re.compile(r"(?i:IS\s+NOT\s+NULL|(?:IS\s+)?EXISTS?)\b")
_ABSENCE_TEST = re.compile(r"(?i:(?:IS|DOES)\s+NOT\s+EXISTS?|NOT\s+EXIST)\b")
_BRACKETS = re.compile(r"""\.?\[\s*(\\?["'])([^"'\\\]]+)\1\s*\]""")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_ODD_NAME = re.compile(r"""\.([^\s.=!<>()&|\[\]"']+)""")
_NO_DOLLAR = re.compile(r"\$?\.?(?=[A-Za-z_][\w.\[\]*-]*\s*(?:[=!<>]|(?i:IS|NOT)\s))")
_FIELD = re.compile(r"[^\s,=!<>&|()\[\]$%\"]+")
_WORD = re.compile(r'[-?]?(?P<word>[^\s"]+)')
_TERM_ENCLOSED = re.compile(rf"[-?]?(?P<word>{_ENCLOSED.pattern})")


class _Edit(NamedTuple):
    """A pattern with one mistake less, why, and the rule that says so."""

    text: str
    why: str
    rule: str = REFUSED


_Edits = Iterator[_Edit]


def lint_refused(error: PatternError) -> Advice:
    """Return the advice on a pattern that the service refuses: its own words, why, and the pattern that it would take."""
    text = error.pattern
    edits = _repair(error)
    why = " ".join(dict.fromkeys(edit.why for edit in edits))
    end = "" if error.message.endswith(".") else "."
    return Advice(
        edits[0].rule if edits else REFUSED,
        Severity.ERROR,
        f"{error.message}{end} {why}" if edits else error.message,
        span=(min(error.position, len(text)), min(error.position + 1, len(text))),
        old=text,
        fix=edits[-1].text if edits else None,
    )


def _repair(error: PatternError) -> list[_Edit]:
    """Return the edits that make a pattern of what is none, one upon the other; none if they do not."""
    edits: list[_Edit] = []
    refusal: PatternError | None = error if len(error.pattern) <= LONGEST else None
    while refusal is not None:
        edit = _framed(refusal.pattern) or _best(refusal)
        if edit is None or len(edits) == MOST_EDITS:
            return []
        edits.append(edit)
        refusal = _refusal(edit.text)
    return edits


def _refusal(text: str) -> PatternError | None:
    try:
        compile_pattern(text)
    except PatternError as error:
        return error
    return None


def _framed(text: str) -> _Edit | None:
    """Put braces or brackets around what lacks them."""
    bare = text.strip()
    if bare.startswith("$."):
        return _Edit(f"{{ {bare} }}", _BRACES)
    for first, last in ("{}", "[]"):
        if bare.startswith(first) and not bare.endswith(last):
            return _Edit(f"{bare} {last}", f"What begins with `{first}` ends with `{last}`.")
    return None


def _best(error: PatternError) -> _Edit | None:
    """Return the first edit that the service takes, else the first after which it reads further."""
    text, best = error.pattern, None
    for edit in _edits(text, error.position):
        refusal = _refusal(edit.text)
        if refusal is None:
            return edit
        if best is None and len(edit.text) - refusal.position < len(text) - error.position:
            best = edit
    return best


def _edits(text: str, at: int) -> _Edits:
    """Yield what may have been meant at the place of an error, the likelier first."""
    first = text.lstrip()[:1]
    if first in ("{", "["):
        yield from _signs(text, at)
        yield from _joins(text, at)
        yield from _tests(text, at) if first == "{" else ()
        yield from _values(text, at, _SHORT if first == "{" else _SHORT_IN_LINE)
        yield from _selectors(text, at) if first == "{" else _field_names(text, at)
    elif first != "%":
        yield from _terms(text, at)


def _signs(text: str, at: int) -> _Edits:
    """Replace operators of other languages."""
    for span in _around(_SIGNS, text, at):
        wrong = text[slice(*span)]
        if wrong in _RIGHT_SIGNS:
            yield _Edit(replaced(text, span, _RIGHT_SIGNS[wrong]), _told(wrong, _RIGHT_SIGNS[wrong]))


def _joins(text: str, at: int) -> _Edits:
    found = _JOINS.match(text, at)
    if found and text[at - 1] in " \t\n)":
        right = _RIGHT_JOINS[found[0].lower()]
        yield _Edit(replaced(text, found.span(), right), _told(found[0], right))


def _told(wrong: str, right: str) -> str:
    return f"The operator is `{right}`, not `{wrong}`."


def _tests(text: str, at: int) -> _Edits:
    """Replace tests for null and for presence that there are not."""
    operator = _operator(text, at)
    null = _NULL_TEST.match(text, operator[0]) if operator else None
    if null and null.end() >= at:
        equal = null[1] == "="
        yield _Edit(replaced(text, null.span(), "IS NULL" if equal else "= *"), _NULL if equal else _PRESENT)
    for span in _around(_ABSENCE_TEST, text, at):
        yield _Edit(replaced(text, span, "NOT EXISTS"), _ABSENT)
    for span in _around(_PRESENCE_TEST, text, at):
        yield _Edit(replaced(text, span, "= *"), _PRESENT)


def _values(text: str, at: int, short: re.Pattern[str]) -> _Edits:
    """Put the value at a place in quotes, as much of it as may be meant; a number that is compared by size has none."""
    operator = _operator(text, at)
    if not operator:
        return
    for pattern in (_ENCLOSED, short, _LONG):
        found = pattern.match(text, operator[1])
        if not found or text[found.end() : at].strip():
            continue
        value = found[0].rstrip()
        span = (found.start(), found.start() + len(value))
        bare = _EDGES.sub("", value)
        if pattern is _ENCLOSED and text[operator[0]] in "<>":
            yield _Edit(replaced(text, span, bare), _NUMBER)
        if bare and '"' not in bare:
            why = _VALUE if bare == value else _QUOTES
            yield _Edit(replaced(text, span, f'"{bare}"'), why, UNQUOTED)


def _operator(text: str, at: int) -> Span | None:
    """Return the place of the last comparison's operator before a place, with the white space behind it."""
    masked = _LITERAL.sub(lambda found: "_" * len(found[0]), text[:at]) + text[at:]
    spans = [found.span() for found in _COMPARISON.finditer(masked) if found.end() <= at]
    return spans[-1] if spans else None


def _selectors(text: str, at: int) -> _Edits:
    """Write names as the service wants them: with `$.` before the first, in `.['…']` if they have other characters."""
    brackets = _BRACKETS.search(text, at, len(text))
    if brackets and brackets.start() <= at + 1:
        yield _Edit(replaced(text, brackets.span(), _step(brackets[2])), _STEP)
    dollar = _NO_DOLLAR.match(text, at)
    if dollar:
        yield _Edit(replaced(text, dollar.span(), "$."), _DOLLAR)
    for found in _ODD_NAME.finditer(text):
        if found.start() <= at < found.end():
            yield _Edit(replaced(text, found.span(), f".['{found[1]}']"), _NAME)


def _step(name: str) -> str:
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else f".['{name}']"


def _field_names(text: str, at: int) -> _Edits:
    for span in _around(_FIELD, text, at):
        name = re.sub(r"\W+", "_", text[slice(*span)])
        name = f"_{name}" if name[:1].isdigit() else name
        yield _Edit(replaced(text, span, name), _FIELD_NAME)


def _terms(text: str, at: int) -> _Edits:
    """Put a term in quotes, or take the operators out that there are not between terms."""
    if '"' not in text:
        for sign, mark, why in (("&", "", _EACH), ("|", "?", _ANY)):
            parts = re.split(rf"\s+{re.escape(sign)}{{1,2}}\s+", text.strip())
            if len(parts) > 1 and not any(part.split()[1:] for part in parts):
                yield _Edit(" ".join(f"{mark}{part}" for part in parts), why)
    for found in (*_TERM_ENCLOSED.finditer(text), *_WORD.finditer(text)):
        if not found.start() <= at < found.end():
            continue
        word, span = found["word"], found.span("word")
        bare = _EDGES.sub("", word)
        if bare == word and word.strip("*") != word:
            yield _Edit(replaced(text, span, word.strip("*")), _STAR)
        elif re.search(r"\w", bare) and '"' not in bare:
            yield _Edit(replaced(text, span, f'"{bare}"'), _TERM if bare == word else _QUOTES, UNQUOTED)


def _around(pattern: re.Pattern[str], text: str, at: int) -> Iterator[Span]:
    """Yield the places of a pattern that contain a place, or end there."""
    return (found.span() for found in pattern.finditer(text) if found.start() <= at <= found.end())
