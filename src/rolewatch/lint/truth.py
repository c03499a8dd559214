"""Rules about what a whole pattern can match: everything, nothing, or something else than it looks like."""

from collections.abc import Iterator
from typing import TypeGuard

from rolewatch.lint import possible, trail
from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.examined import Examined, accepted
from rolewatch.lint.located import Branch, Leaf, Node, branches, replaced, without
from rolewatch.patterns.regex import search
from rolewatch.patterns.syntax import ANY, Comparison, Line, Parsed, Regex, Terms


def _always_true(what: Examined) -> Iterator[Said]:
    if what.node is not None and possible.always(what.node, about_trail=what.about_trail):
        records = "every record of CloudTrail" if what.about_trail else "every JSON object"
        yield Said(
            Severity.ERROR,
            f"This pattern matches {records}, for what it demands is always so. "
            "A filter that counts everything counts nothing in particular.",
            what.node.outer,
        )
    elif _takes_any_text(what.pattern.parsed):
        yield Said(
            Severity.ERROR,
            "This pattern matches every message. If that is meant, the empty pattern says so.",
            (0, len(what.text)),
        )


def _takes_any_text(parsed: Parsed) -> bool:
    """Whether a pattern that is neither empty nor JSON demands nothing of a message."""
    if isinstance(parsed, Line):
        least = 1 if parsed.ellipsis is None else 0  # a single field is the whole line, whatever that is
        return len(parsed.fields) <= least and not any(field.condition for field in parsed.fields)
    if isinstance(parsed, Regex):
        found = search(parsed.source)
        return all(
            map(found, ("", "x", "0 ", "\n"))
        )  # one that is found in nothing is found anywhere, unless anchored
    return False


def _nearly_always_true(what: Examined) -> Iterator[Said]:
    if what.node is None or possible.always(what.node, about_trail=what.about_trail):
        return
    for branch in branches(what.node):
        if branch.kind != "||":
            continue
        different = [part for part in branch.parts if _differs(part)]
        for same in _by_path(different):
            if len(same) > 1 and possible.one_is_true(same, about_trail=what.about_trail):
                yield Said(
                    Severity.ERROR,
                    f"{_listed(same)} are joined by `||`: no record has all these values at once, so one of them is true of "
                    "every record with a text or number there. To leave out records, join exclusions by `&&`.",
                    (same[0].outer[0], same[-1].outer[1]),
                    fix=_joined_by_and(what.text, branch) if len(same) == len(branch.parts) else None,
                )
        if branch is what.node and len(different) < len(branch.parts):
            yield from _hardly_matters(what, different)


def _hardly_matters(what: Examined, different: list[Leaf]) -> Iterator[Said]:
    """Tell of exclusions of several fields that every record has: what stands beside them decides next to nothing."""
    if not what.about_trail or any(trail.may_be_missing(leaf.path) for leaf in different):
        return
    if len(_by_path(different)) > 1:
        yield Said(
            Severity.WARNING,
            f"{_listed(different)} are joined by `||`: every record has these fields, so the pattern counts all but those "
            "with all the excluded values at once, and only there the other alternatives matter. To leave out records, "
            "join exclusions by `&&`.",
            (different[0].outer[0], different[-1].outer[1]),
        )


def _differs(node: Node) -> TypeGuard[Leaf]:
    return (
        isinstance(node, Leaf)
        and isinstance(node.condition, Comparison)
        and node.condition.operator == "!="
        and ANY not in node.path
    )


def _by_path(different: list[Leaf]) -> list[list[Leaf]]:
    paths = dict.fromkeys(leaf.path for leaf in different)
    return [[leaf for leaf in different if leaf.path == path] for path in paths]


def _joined_by_and(text: str, branch: Branch) -> str | None:
    parts = " && ".join(text[slice(*part.outer)] for part in branch.parts)
    return accepted(replaced(text, branch.span, parts))  # it is the whole pattern, or stands in parentheses


def _never_true(what: Examined) -> Iterator[Said]:
    for node in (what.node, *(node for _, node in what.fields)):
        if node is None:
            continue
        claims = possible.never(node, about_trail=what.about_trail)
        if claims is not None:
            yield from _contradiction(claims, node)
            continue
        for branch in branches(node):
            if branch.kind == "||":
                yield from _dead_alternatives(what, branch)
    parsed = what.pattern.parsed
    if isinstance(parsed, Terms):
        for plain in parsed.plain:
            for excluded in parsed.excluded:
                if excluded in plain:
                    yield Said(
                        Severity.ERROR,
                        f"This pattern never matches: a message that holds {plain!r} holds {excluded!r} as well, which is excluded.",
                        (0, len(what.text)),
                    )


def _contradiction(claims: list[possible.Claim], node: Node) -> Iterator[Said]:
    if len(claims) > 1:
        yield Said(
            Severity.ERROR,
            f"This pattern never matches: {_listed([claim.leaf for claim in claims])} cannot be true of the same record.",
            node.outer,
        )


def _dead_alternatives(what: Examined, branch: Branch) -> Iterator[Said]:
    for number, part in enumerate(branch.parts):
        claims = possible.never(part, about_trail=what.about_trail)
        if claims is not None and len(claims) > 1:
            yield Said(
                Severity.WARNING,
                f"This alternative never matches: {_listed([claim.leaf for claim in claims])} cannot be true of the same record.",
                part.outer,
                fix=accepted(without(what.text, branch, number)),
            )


def _mixed_operators(what: Examined) -> Iterator[Said]:
    for node in (what.node, *(node for _, node in what.fields)):
        for branch in branches(node) if node else ():
            bare = [part for part in branch.parts if isinstance(part, Branch) and not part.enclosed]
            if branch.kind != "||" or not bare:
                continue
            fix = what.text
            for part in reversed(bare):
                fix = replaced(fix, part.span, f"({what.text[slice(*part.span)]})")
            yield Said(
                Severity.INFO,
                "`&&` binds more than `||`: what stands beside `&&` applies to its own alternative only, not to those before "
                "and after. Parentheses say so, or what was meant instead.",
                bare[0].span,
                fix=accepted(fix),
            )


def _listed(nodes: "list[Node] | list[Leaf]") -> str:
    texts = list(dict.fromkeys(f"`{node.text}`" for node in nodes if isinstance(node, Leaf)))
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else texts[0]


RULES: tuple[Rule[Examined], ...] = (
    Rule("always-true", "a pattern that matches everything", _always_true),
    Rule("nearly-always-true", "exclusions joined by ||", _nearly_always_true),
    Rule("never-true", "a pattern, or an alternative, that matches nothing", _never_true),
    Rule("mixed-operators", "&& beside || without parentheses", _mixed_operators),
)
