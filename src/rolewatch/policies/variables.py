"""Texts with `${…}` in, patterns for one request out.

Source: IAM User Guide, "IAM policy elements: Variables and tags": `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the
characters themselves. Only in policies of version 2012-10-17; elsewhere they are ordinary characters.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from rolewatch.policies.request import Context, Unsure
from rolewatch.policies.wildcards import LITERALLY, literally

_VARIABLE: Final = re.compile(r"\$\{(\$|[^${}]*)\}")
_DEFAULT: Final = re.compile(r"\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?\Z", re.DOTALL)
_CHARACTERS: Final = ("*", "?", "$")


class Filled(NamedTuple):
    """A pattern for one request; `text` is None where a variable has no value: then nothing matches it. `unknown`: keys not known."""

    text: str | None
    unknown: tuple[str, ...] = ()


class Template(NamedTuple):
    """A text in which variables stand: patterns and (key, default) in turns."""

    parts: Sequence[str | tuple[str, str | None]]

    def fill(self, context: Context) -> Filled:
        """Fill in the values of a request. A value's own `*` and `?` are no wildcards."""
        written: list[str] = []
        unknown: list[str] = []
        missing = False
        for part in self.parts:
            if isinstance(part, str):
                written.append(part)
                continue
            key, default = part
            value = context.of(key.lower())
            if value is None:
                value = (default,) if default is not None else ()
            if isinstance(value, Unsure):
                unknown.append(key)
            elif len(value) == 1:
                written.append(literally(value[0]))
            else:  # a key with several values, or none, has no text
                missing = True
        if missing:
            return Filled(None)
        return Filled(None, tuple(unknown)) if unknown else Filled("".join(written))


def template_of(text: str, *, variables: bool = True) -> str | Template:
    """Read a text; one without variables is given as a pattern."""
    if LITERALLY in text:
        text = text.replace(LITERALLY, LITERALLY * 2)
    if not variables or "${" not in text:
        return text
    parts: list[str | tuple[str, str | None]] = []
    at = 0
    for found in _VARIABLE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        if found[1] in _CHARACTERS:
            parts.append(literally(found[1]))
            continue
        inner = _DEFAULT.match(found[1])
        parts.append((inner[1], inner[2]) if inner and inner[1] else found[0])
    parts.append(text[at:])
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Template(tuple(part for part in parts if part))
