"""Rules about terms and lines: what is read otherwise than it looks."""

import re
from collections.abc import Iterator

from rolewatch.lint.advice import Rule, Said, Severity, Span
from rolewatch.lint.examined import Examined, accepted
from rolewatch.lint.located import leaves, replaced
from rolewatch.patterns.syntax import Comparison, Line, Terms, Text

_TERM = re.compile(r'(?P<mark>[-?]?)(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"?-]+))')
_RUN = re.compile(r'(?P<mark>(?<!\S)[-?]?)(?P<word>[^\s"?-]+(?:[-?][^\s"?-]+)+)(?!\S)')
_REGEX = re.compile(r"[A-Za-z0-9:_#=@/;, *.-]+")


def _split_word(what: Examined) -> Iterator[Said]:
    if not isinstance(what.pattern.parsed, Terms):
        return
    for run in _runs(what.text):
        word = run["word"]
        first, inner, second = re.split(r"([-?])", word, maxsplit=1)
        effect = (
            f"messages with `{first}` and without `{re.split('[-?]', second)[0]}`"
            if inner == "-"
            else f"messages with `{first}`, the rest being optional and ignored"
        )
        yield Said(
            Severity.ERROR,
            f"`{inner}` inside of a word begins a new term: `{word}` means {effect}. Quotes keep it together.",
            run.span("word"),
            fix=accepted(replaced(what.text, run.span("word"), f'"{word}"')),
        )


def _ignored_optional(what: Examined) -> Iterator[Said]:
    parsed = what.pattern.parsed
    if not isinstance(parsed, Terms) or not parsed.optional or not (parsed.plain or parsed.excluded):
        return
    if list(_runs(what.text)):
        return  # a question mark inside of a word, told of by `split-word`
    terms = list(_TERM.finditer(what.text))
    optional = [term for term in terms if term["mark"] == "?"]
    beside = "plain" if parsed.plain else "excluded"
    if parsed.excluded:
        fix = " ".join(term[0] for term in terms if term["mark"] != "?")
    else:
        fix = " ".join(f"?{term[0].removeprefix('?')}" for term in terms)
    yield Said(
        Severity.ERROR,
        f"Terms with `?` are ignored beside {beside} ones: {', '.join(f'`{term[0]}`' for term in optional)} "
        f"{'makes' if len(optional) == 1 else 'make'} no difference."
        + (
            " What it does is the same without; a term that one of several must accompany needs a regular expression."
            if parsed.excluded
            else " With `?` before each, one of them is enough."
        ),
        optional[0].span(),
        fix=accepted(fix),
    )


def _space_term(what: Examined) -> Iterator[Said]:
    parsed = what.pattern.parsed
    if isinstance(parsed, Terms) and parsed.plain and all(term.isspace() for term in parsed.plain):
        alone = not parsed.excluded
        yield Said(
            Severity.WARNING,
            "A quoted space matches only messages that contain a space, though the documentation calls it the pattern for "
            "everything: JSON without spaces, as CloudTrail writes it, may have none. The empty pattern matches everything.",
            (0, len(what.text)),
            fix=""
            if alone
            else accepted(" ".join(t[0] for t in _TERM.finditer(what.text) if t["mark"] == "-")),
        )


def _star_in_term(what: Examined) -> Iterator[Said]:
    if not isinstance(what.pattern.parsed, Terms):
        return
    for term in _TERM.finditer(what.text):
        text = term["quoted"] or ""
        if "*" not in text or not text.strip("*"):
            continue
        yield Said(
            Severity.ERROR,
            f"Terms know no wildcard: `{term[0]}` looks for the star itself. A term is found anywhere in a message, "
            "so none is needed at its ends; in between, a regular expression says it.",
            term.span(),
            fix=_without_stars(what.text, term.span("quoted"), text),
        )


def _without_stars(text: str, span: Span, term: str) -> str | None:
    bare = term.strip("*")
    if "*" not in bare:
        return accepted(replaced(text, span, bare))
    alone = text.strip() == f'"{term}"'
    if not alone or not _REGEX.fullmatch(bare):
        return None
    return accepted(f"%{bare.replace('.', chr(92) + '.').replace('*', '.*')}%")


def _rest_of_line(what: Examined) -> Iterator[Said]:
    parsed = what.pattern.parsed
    if not isinstance(parsed, Line) or parsed.ellipsis is not None or len(parsed.fields) < 2:
        return
    span, node = what.fields[-1]
    if node is None or all(_reaches_the_end(leaf.condition) for leaf in leaves(node)):
        return
    close = what.text.rindex("]")
    yield Said(
        Severity.INFO,
        f"The last field is the rest of the line: `{what.text[slice(*span)]}` is compared with all that follows where a line has "
        "more fields. `...` behind it lets it be one field.",
        span,
        fix=accepted(replaced(what.text, (span[1], close), ", ...")),
    )


def _reaches_the_end(condition: object) -> bool:
    """Whether a condition takes account of what may follow: a glob that ends in a star, or a search."""
    if not isinstance(condition, Comparison):
        return False
    value = condition.value
    if isinstance(value, Text):
        return value.text.endswith("*")
    return condition.operator in ("=", "!=") and not hasattr(value, "value")


def _runs(text: str) -> Iterator[re.Match[str]]:
    """Yield words with a hyphen or question mark in them, those in quotes left out."""
    bare = re.sub(r'"[^"]*"', lambda quoted: '"' * len(quoted[0]), text)
    return _RUN.finditer(bare)


RULES: tuple[Rule[Examined], ...] = (
    Rule("split-word", "a hyphen or question mark inside of a word", _split_word),
    Rule("ignored-optional", "terms with ? beside others", _ignored_optional),
    Rule("space-term", "a quoted space for everything", _space_term),
    Rule("star-in-term", "a star in a term", _star_in_term),
    Rule("rest-of-line", "a condition on the rest of a line", _rest_of_line),
)
