"""Space-delimited patterns: `[ip, user, ..., status_code = 4* && status_code != 403, bytes > 1000]` (§6)."""

import re

from rolewatch.patterns.conditions import Conditions
from rolewatch.patterns.scanner import Scanner
from rolewatch.patterns.syntax import Comparison, Condition, Field, Line

_NAME = re.compile(r"[^\W\d]\w*")
_SPACE_OR_MARK = re.compile(r"[\s,=!<>&|()]")


def parse_line(scanner: Scanner) -> Line:
    """Parse what stands between the brackets."""
    scanner.skip_space()
    if scanner.at == scanner.end:
        return Line((), None)
    fields: list[Field] = []
    names: set[str] = set()
    ellipsis: int | None = None
    while True:
        scanner.skip_space()
        start = scanner.at
        if scanner.take("..."):
            if ellipsis is not None:
                raise scanner.error("Duplicate field '...'", start)
            ellipsis = len(fields)
        else:
            field = _field(scanner, len(fields) + 1)
            if field.name in names:
                raise scanner.error(f"Duplicate field '{field.name}'", start)
            if field.name:
                names.add(field.name)
            fields.append(field)
        scanner.skip_space()
        if scanner.at == scanner.end:
            return Line(tuple(fields), ellipsis)
        if not scanner.take(","):
            raise scanner.error()


def _field(scanner: Scanner, number: int) -> Field:
    name = _name(scanner)
    scanner.skip_space()
    if scanner.peek() in ("", ","):
        return Field(name, None)
    parser = _Parser(scanner, name, number)
    condition = Conditions(scanner, parser.one).any_of()
    return Field(parser.name, condition)


def _name(scanner: Scanner) -> str | None:
    found = _NAME.match(scanner.pattern, scanner.at, scanner.end)
    if found:
        scanner.at = found.end()
        after = scanner.peek()
        if after and not _SPACE_OR_MARK.match(after):
            raise scanner.bad(after)
        return found[0]
    word = scanner.pattern[scanner.at : scanner.end]
    end = _SPACE_OR_MARK.search(word)
    if end is None or end.start():
        whole = word[: end.start()] if end else word
        if whole:
            raise scanner.bad(whole)
    return None


class _Parser:
    """Reads the conditions of one field, whose name may be written again before each but the first."""

    def __init__(self, scanner: Scanner, name: str | None, number: int) -> None:
        self._scanner = scanner
        self._number = number
        self._begin = scanner.at  # where the name was read already
        self.name = name  # of `[(b = 1 || b = 2)]` it is read with the first condition

    def one(self) -> Condition:
        """Parse one comparison."""
        scanner = self._scanner
        if scanner.at != self._begin:
            self._same_name()
        operator = scanner.operator()
        scanner.skip_space()
        return Comparison(self.name or str(self._number), operator, scanner.value(operator))

    def _same_name(self) -> None:
        scanner = self._scanner
        start = scanner.at
        found = _NAME.match(scanner.pattern, start, scanner.end)
        if found:
            self.name = self.name or found[0]
            if found[0] != self.name:
                message = f"Multiple variables used in a single filter. Var1 : {self.name}, Var2 : {found[0]}"
                raise scanner.error(message, start)
            scanner.at = found.end()
            scanner.skip_space()
