"""Terms: words and phrases that a message must hold, must not hold, or one of which it must hold (§3)."""

from rolewatch.patterns.scanner import Scanner
from rolewatch.patterns.syntax import Terms


def parse_terms(scanner: Scanner) -> Terms:
    """Parse terms; a `-` or `?` inside of a word begins the next term, as it does in the service."""
    kinds: dict[str, list[str]] = {"": [], "-": [], "?": []}
    while scanner.at < scanner.end:
        scanner.skip_space()
        kind = scanner.peek() if scanner.peek() in ("-", "?") else ""
        scanner.at += len(kind)
        kinds[kind].append(_term(scanner))
        scanner.skip_space()
    return Terms(tuple(kinds[""]), tuple(kinds["-"]), tuple(kinds["?"]))


def _term(scanner: Scanner) -> str:
    start = scanner.at
    if scanner.peek() == '"':
        term = scanner.quoted()
        after = scanner.peek()
        if not term or (after and not after.isspace()):
            raise scanner.error(at=start)
        return term
    while scanner.at < scanner.end and _is_bare(scanner.peek()):
        scanner.at += 1
    after = scanner.peek()
    if after and not after.isspace() and after not in "-?":
        raise scanner.error() if after == '"' else scanner.bad(after)
    if scanner.at == start:
        raise scanner.error()
    return scanner.pattern[start : scanner.at]


def _is_bare(char: str) -> bool:
    return char.isalnum() or char in "_."
