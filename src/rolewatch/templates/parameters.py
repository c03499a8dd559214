"""The section `Parameters` and the values given for it in; a value for each parameter, out.

What AWS says about a value that does not fit, where it is known: CloudFormation's ValidationError.
"""

import re
from collections.abc import Mapping as Map
from difflib import get_close_matches

from rolewatch.patterns.regex import compiled
from rolewatch.templates.definitions import Notice
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.nodes import GIVEN, Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.numerals import number
from rolewatch.templates.source import Source

_STORED = "AWS::SSM::Parameter::Value<"
_LIST = re.compile(r"(?:^|<)List<|CommaDelimitedList")


class Parameter:
    """A parameter: its type, the rules for its value, and the value, None without one."""

    def __init__(self, source: Source, name: str, key: Scalar, rules: Mapping, given: str | None) -> None:
        self.name = name
        self.key = key
        self._source = source
        self._rules = rules
        self.type = self._rule("Type") or "String"
        self.secret = (self._rule("NoEcho") or "").lower() == "true"
        self.stored = self.type.startswith(_STORED)
        self.value = self._value(given)

    def checked(self) -> list[Notice]:
        """Hold the value against the rules; TemplateError if it does not fit, notices for what cannot be checked."""
        if self.value is None:
            return []
        notices: list[Notice] = []
        parts = self.value.items if isinstance(self.value, Sequence) else (self.value,)
        for part in parts:
            assert isinstance(part, Scalar)  # noqa: S101 - so they are made
            problem = self._problem(part, notices)
            if problem:
                told = self._rule("ConstraintDescription")
                text = f"Parameter {self.name} failed to satisfy constraint: {told}" if told else problem
                raise self._error(text, part.start)
        return notices

    def _rule(self, name: str) -> str | None:
        node = self._rules.get(name)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            raise self._error(f"{name} has to be a text, this is {kind(node)}", node.start, name)
        return node.text

    def _error(self, text: str, offset: int, rule: str = "", *, remedy: str | None = None) -> TemplateError:
        path = f"Parameters.{self.name}.{rule}" if rule else f"Parameters.{self.name}"
        return self._source.error(text, offset, path, remedy=remedy)

    def stand_in(self) -> None:
        """Take any value, where there is none and others are looked for that are missing, too."""
        self.value = self._cut(Scalar("1", self.key.start, self.key.end, GIVEN, self.secret))

    def _value(self, given: str | None) -> Scalar | Sequence | None:
        """Take the given value, else the default."""
        if given is not None:
            return self._cut(Scalar(given, self.key.start, self.key.end, GIVEN, self.secret))
        default = self._rules.get("Default")
        if default is None or self.stored:  # the default is the name under which the value is stored
            return None
        if not isinstance(default, Scalar) or default.is_null:
            raise self._error(
                "every Default member must be a string",
                default.start,
                "Default",
                remedy="write lists as one text with commas",
            )
        return self._cut(default._replace(secret=self.secret))

    def _cut(self, written: Scalar) -> Scalar | Sequence:
        """Cut a list at its commas."""
        if not _LIST.search(self.type):
            return written
        words = [word.strip() for word in written.text.split(",")] if written.text else []
        return Sequence(tuple(written._replace(text=word, style=GIVEN) for word in words), written.start)

    def _problem(self, value: Scalar, notices: list[Notice]) -> str | None:
        allowed = self._rules.get("AllowedValues")
        if isinstance(allowed, Sequence):
            words = [item.text for item in allowed.items if isinstance(item, Scalar)]
            if value.text not in words:
                return f"Parameter '{self.name}' must be one of AllowedValues: {', '.join(words[:20])}"
        if self.type in ("Number", "List<Number>"):
            return self._of_number(value)
        length = len(value.text)
        least, most = self._limit("MinLength"), self._limit("MaxLength")
        if least is not None and length < least:
            return f"Parameter '{self.name}' must contain at least {least:g} characters"
        if most is not None and length > most:
            return f"Parameter '{self.name}' must contain at most {most:g} characters"
        return self._of_pattern(value, notices)

    def _of_number(self, value: Scalar) -> str | None:
        found = number(value.text)
        if found is None:
            return f"Parameter '{self.name}' must be a number"
        least, most = self._limit("MinValue"), self._limit("MaxValue")
        if least is not None and found < least:
            return f"Parameter '{self.name}' must be a number not less than {least:g}"
        if most is not None and found > most:
            return f"Parameter '{self.name}' must be a number not greater than {most:g}"
        return None

    def _limit(self, name: str) -> float | None:
        text = self._rule(name)
        found = None if text is None else number(text)
        if text is not None and found is None:
            raise self._error(f"{name} has to be a number", self._rules.entries[name].key.start, name)
        return found

    def _of_pattern(self, value: Scalar, notices: list[Notice]) -> str | None:
        source = self._rule("AllowedPattern")
        if source is None:
            return None
        try:
            fits = compiled(source).fullmatch(value.text)
        except ValueError:
            offset = self._rules.entries["AllowedPattern"].key.start
            text = f"AllowedPattern of {self.name} is not checked: RE2 does not know this expression"
            notices.append(
                Notice("warning", text, self._source.place(offset, f"Parameters.{self.name}.AllowedPattern"))
            )
            return None
        return None if fits else f"Parameter '{self.name}' must match pattern {source}"


def read_parameters(
    source: Source, section: Node | None, given: Map[str, str], notices: list[Notice]
) -> dict[str, Parameter]:
    """Read the section; TemplateError for a value that does not fit, or that is given for no parameter."""
    if section is None:
        section = Mapping({}, 0)
    if not isinstance(section, Mapping):
        raise source.error(
            f"Parameters has to be a mapping, this is {kind(section)}", section.start, "Parameters"
        )
    found: dict[str, Parameter] = {}
    for name, entry in section.entries.items():
        if not isinstance(entry.value, Mapping):
            text = f"every Parameters object must contain a Type member; {name} is {kind(entry.value)}"
            raise source.error(f"Template format error: {text}", entry.key.start, f"Parameters.{name}")
        found[name] = Parameter(source, name, entry.key, entry.value, given.get(name))
    for name in given:
        if name not in found:
            close = get_close_matches(name, found, 1)
            known = f"the template has {', '.join(found)}" if found else "the template has no parameters"
            raise source.error(
                f"Parameters: [{name}] do not exist in the template",
                section.start,
                "Parameters",
                remedy=f"did you mean --parameter {close[0]}={given[name]}?"
                if close and not found[close[0]].secret
                else known,
            )
    for parameter in found.values():
        notices += parameter.checked()
    return found
