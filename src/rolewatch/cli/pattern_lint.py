"""`rolewatch pattern lint`: what is wrong with a filter pattern, or with a template's filters and alarms."""

import os
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import UsageError
from rolewatch.cli.inputs import assigned, read_template_file
from rolewatch.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rolewatch.lint.advice import Advice
    from rolewatch.patterns import PatternError
    from rolewatch.templates.definitions import Place

REFUSED = 2  # the exit status where AWS would refuse a part of the template
SUFFIXES = (".yaml", ".yml", ".json", ".template")
WIDTH = 100  # of what is printed
LONGEST = 2000  # characters of a message
BEFORE = 60  # characters of a long pattern or line shown before the place


def lint(values: "Mapping[str, Any]") -> int:
    """Print the advice and return the exit status."""
    if values["file"] is not None:
        raise UsageError(
            f"{values['file']!r} is one word too many: `pattern lint` takes a pattern or a template, no messages",
            remedy="`rolewatch pattern test` tries a pattern on messages",
        )
    word, form = values["pattern"], values["format"]
    content: bytes | None = None
    refused = False
    if is_template(word):
        content = read_template_file(word)
        advice, refused = _of_template(content, word, values)
    else:
        advice = _of_pattern(word, form)
    _print(advice, content, form)
    if refused:
        return REFUSED
    return int(values["exit-code"]) if advice else 0


def _print(advice: "Sequence[Advice]", content: bytes | None, form: str) -> None:
    say(_json(advice) if form == "json" else _table(advice, content))


def _of_pattern(text: str, form: str) -> "list[Advice]":
    """Return the advice on a pattern; what is none is advised upon, and PatternError goes its way."""
    from rolewatch.lint.repair import lint_refused  # noqa: PLC0415 - not needed for --help
    from rolewatch.lint.run import lint_pattern  # noqa: PLC0415 - not needed for --help
    from rolewatch.patterns import PatternError, compile_pattern  # noqa: PLC0415 - as above

    try:
        return lint_pattern(compile_pattern(text))
    except PatternError as error:
        _print([lint_refused(error)], None, form)
        raise shortened(error) from None


def shortened(error: "PatternError") -> "PatternError":
    """Return an error with what fits a terminal of its message: AWS repeats a pattern that is too long in it."""
    return type(error)(_cut(error.message), error.pattern, error.position, remedy=error.remedy)


def _cut(message: str) -> str:
    return message if len(message) <= LONGEST else f"{message[:200]} … {message[-200:]}"


def is_template(word: str) -> bool:
    """Whether a word names a template: a file that exists, or a name that ends as theirs do."""
    return word.lower().endswith(SUFFIXES) or os.path.isfile(word)  # noqa: PTH113 - a pattern may be too long for a path


def _of_template(content: bytes, name: str, values: "Mapping[str, Any]") -> "tuple[list[Advice], bool]":
    """Return the advice on a template, and whether AWS would refuse a part of it."""
    from rolewatch.lint.places import exact  # noqa: PLC0415 - as above
    from rolewatch.lint.run import lint_template  # noqa: PLC0415 - not needed for --help
    from rolewatch.templates import TemplateError, read_template  # noqa: PLC0415 - as above

    try:
        template = read_template(
            content, name, parameters=assigned(values, "parameter"), imports=assigned(values, "import")
        )
    except TemplateError as error:
        for line in _in_file(error.place, content):
            sys.stderr.write(f"{line}\n")
        raise
    refused = any(notice.level == "error" for notice in template.notices)
    return exact(lint_template(template), content, name), refused


def _json(advice: "Sequence[Advice]") -> str:
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help

    return dumps({"advice": [_item(each) for each in advice]}, indent=1) + "\n"


def _item(advice: "Advice") -> dict[str, Any]:
    place, span = advice.place, advice.span or (None, None)
    return {
        "rule": advice.rule,
        "severity": advice.severity.value,
        "message": advice.message,
        "place": {
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "path": place.path if place else None,
            "start": span[0],
            "end": span[1],
        },
        "fix": advice.fix,
    }


def _table(advice: "Sequence[Advice]", content: bytes | None) -> str:
    """Write each piece of advice in a paragraph: place, severity and rule, the place itself, why, the old and the new line."""
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - not needed for --help

    paragraphs = []
    for each in advice:
        where = f"{each.place}  " if each.place else ""
        lines = [f"{where}{each.severity.value}  {each.rule}"]
        if each.span and each.old is not None:
            lines += _drawn(each.old, *each.span)
        elif each.place and content is not None and each.fix is None:
            lines += _in_file(each.place, content)
        lines += textwrap.wrap(_cut(each.message), WIDTH, break_long_words=False, break_on_hyphens=False)
        if each.fix is not None:
            lines += [f"- {_flat(each.old)}"] if each.old is not None else []
            lines += [f"+ {_flat(each.fix)}"]
        paragraphs.append("\n".join([terminal(lines[0]), *(f"  {terminal(line)}" for line in lines[1:])]))
    return "\n\n".join([*paragraphs, _total(advice)]) + "\n"


def _total(advice: "Sequence[Advice]") -> str:
    if not advice:
        return "nothing to advise"
    count = Counter(each.severity.value for each in advice)
    each = [
        f"{count[name]} {name}{'s' if count[name] > 1 and name != 'info' else ''}"
        for name in ("error", "warning", "info")
        if count[name]
    ]
    return ", ".join(each)


def _drawn(text: str, start: int, end: int) -> list[str]:
    """Draw a pattern with carets below the place, cut where it is long."""
    first = max(0, start - BEFORE) if len(text) > WIDTH else 0
    shown = _flat(text)[first : first + WIDTH]
    carets = max(1, min(end, first + WIDTH) - start)
    return [shown, " " * (start - first) + "^" * carets]


def _in_file(place: "Place", content: bytes) -> list[str]:
    """Draw the line of a place with a caret below its column; nothing where there is no such line."""
    lines = content.decode("utf-8-sig", "replace").splitlines()
    if place.line > len(lines):
        return []
    return _drawn(lines[place.line - 1], place.column - 1, place.column)


def _flat(text: str) -> str:
    """Write a text in one line: what is folded in a template, or has tabs; in a pattern white space is free."""
    return text.replace("\r", " ").replace("\n", " ").replace("\t", " ").rstrip()
