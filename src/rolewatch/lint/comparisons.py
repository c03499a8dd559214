"""Rules about single comparisons: values that are of another kind than they look, and fields that may be missing."""

import re
from collections.abc import Iterator

from rolewatch.lint import possible, trail
from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.examined import Examined, accepted
from rolewatch.lint.located import Leaf, Node, Path, replaced
from rolewatch.patterns.syntax import ANY, Comparison, Is, NotExists, Regex, Selector, Text

_WORDS = {"true": "TRUE", "false": "FALSE"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,10})(\.[0-9]+)?")
_PLAIN_REGEX = re.compile(r"[A-Za-z0-9:_#=@/;, .\\-]+")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})*\.?")
_FIXED = re.compile(r"arn:aws:[^:]*:[^:]*:(?![0-9]{12}(:|$))")


def _wrong_kind(what: Examined) -> Iterator[Said]:
    if not what.about_trail:
        return
    for leaf in what.leaves():
        field = trail.field_of(leaf.path)
        if field is None or possible.never(leaf, about_trail=True) is None:
            continue
        path = _subject(leaf)
        why, right = _kind_told(leaf, field, path)
        yield Said(
            Severity.ERROR,
            f"`{leaf.text}` is never true: {why}.",
            leaf.span,
            fix=what.corrected(leaf.span, right) if right else None,
        )


def _kind_told(leaf: Leaf, field: trail.Field, path: str) -> tuple[str, str | None]:
    """Return why a condition on a field of a record never holds, and the right one."""
    condition = leaf.condition
    if isinstance(condition, NotExists):
        return f"CloudTrail writes {path} into every record", None
    if field.kinds == {trail.TEXT}:
        if isinstance(condition, Comparison) and condition.operator == "!=":
            return f"every text that {path} may have is equal to it", f"{path} NOT EXISTS"
        if isinstance(condition, Comparison):
            return f"CloudTrail writes {path} as text, and only numbers are more or less than a number", None
        if condition.what is None:
            return (
                f"CloudTrail leaves {path} out where there is none, it never writes null",
                f"{path} NOT EXISTS",
            )
        word = "true" if condition.what else "false"
        return f"CloudTrail writes {path} as text, not as a boolean", f'{path} = "{word}"'
    if field.kinds == {trail.FLAG}:
        right = None
        if isinstance(condition, Comparison) and isinstance(condition.value, Text):
            word = condition.value.text.lower()
            if word in _WORDS:
                positive = condition.operator == "="
                right = (
                    f"{path} IS {_WORDS[word] if positive else _WORDS['false' if word == 'true' else 'true']}"
                )
        return (
            f"CloudTrail writes {path} as true or false, which only `IS TRUE` and `IS FALSE` look at",
            right,
        )
    kinds = " or ".join(sorted(field.kinds - {trail.NULL}))
    return (
        f"{path} is {'an' if kinds == trail.OBJECT else 'a'} {kinds}, and only text and numbers can be compared; name a field in it",
        None,
    )


def _boolean_as_text(what: Examined) -> Iterator[Said]:
    for leaf in what.leaves():
        condition = leaf.condition
        if not isinstance(condition, Comparison) or not isinstance(condition.subject, Selector):
            continue
        if (
            not isinstance(condition.value, Text)
            or condition.value.text not in _WORDS
            or _is_known(what, leaf)
        ):
            continue
        word = condition.value.text
        equal = condition.operator == "="
        meant = _WORDS[word] if equal else _WORDS["false" if word == "true" else "true"]
        if any(isinstance(one.condition, Is) and one.path == leaf.path for one in what.leaves()):
            continue  # both are asked for already
        yield Said(
            Severity.WARNING,
            f"`{leaf.text}` looks at text only: JSON's {word} without quotes is a boolean, which takes no part in comparisons "
            f"and which `IS {meant}` is for.",
            leaf.span,
            fix=None
            if ANY in leaf.path
            else what.corrected(leaf.outer, f"(({leaf.text}) || ({_subject(leaf)} IS {meant}))"),
        )


def _quoted_number(what: Examined) -> Iterator[Said]:
    for leaf in what.leaves():
        condition = leaf.condition
        if not isinstance(condition, Comparison) or not isinstance(condition.subject, Selector):
            continue
        value = condition.value
        if (
            condition.operator != "="
            or not isinstance(value, Text)
            or not _NUMBER.fullmatch(value.text)
            or _is_known(what, leaf)
        ):
            continue
        other = value.text.partition(".")[0] if "." in value.text else f"{value.text}.0"
        yield Said(
            Severity.INFO,
            f"`{leaf.text}` compares text: it matches the number {value.text} where it is written like that, but not {other}. "
            "Without quotes numbers are compared by value, and the same text still matches.",
            leaf.span,
            fix=what.corrected(leaf.span, f"{_subject(leaf)} = {value.text}"),
        )


def _missing_field(what: Examined) -> Iterator[Said]:
    if what.node is None:
        return
    together: dict[Path, list[Leaf]] = {}
    for leaf in _unguarded(what.node, frozenset(), frozenset()):
        # What is never true on any record, as another rule says, needs no company.
        if not what.about_trail or possible.never(leaf, about_trail=True) is None:
            together.setdefault(leaf.path, []).append(leaf)
    for leaf, *others in together.values():
        if what.about_trail and not trail.may_be_missing(leaf.path):
            continue
        path = _subject(leaf)
        records = "a record of CloudTrail may lack" if what.about_trail else "a message may lack"
        yield Said(
            Severity.WARNING if what.about_trail else Severity.INFO,
            f"`{leaf.text}` is false where {path} is missing, which {records}: those are not matched, "
            "though their value is not the excluded one either.",
            leaf.span,
            fix=_guarded(what, [leaf, *others]),
        )


def _guarded(what: Examined, together: list[Leaf]) -> str | None:
    """Return the pattern in which each of some `!=` on the same field is true as well where that is missing."""
    text = what.text
    for leaf in sorted(together, key=lambda one: one.outer, reverse=True):
        text = replaced(text, leaf.outer, f"(({_subject(leaf)} NOT EXISTS) || ({leaf.text}))")
    return accepted(text)


Paths = frozenset[Path]


def _unguarded(node: Node, present: Paths, excused: Paths) -> Iterator[Leaf]:
    """Yield the `!=` on fields whose presence nothing beside them settles."""
    if isinstance(node, Leaf):
        condition = node.condition
        differs = isinstance(condition, Comparison) and condition.operator == "!=" and ANY not in node.path
        if differs and node.path not in present | excused:
            yield node
        return
    for part in node.parts:
        others = [each for each in node.parts if each is not part]
        if node.kind == "&&":
            yield from _unguarded(part, present.union(*map(_present, others)), excused)
        else:
            yield from _unguarded(part, present, excused.union(*map(_absent, others)))


def _present(node: Node) -> Paths:
    """Return the paths that lead somewhere wherever a condition holds."""
    if isinstance(node, Leaf):
        condition = node.condition
        positive = isinstance(condition, Is) or (
            isinstance(condition, Comparison) and condition.operator != "!="
        )
        return frozenset([node.path]) if positive else frozenset()
    each = [_present(part) for part in node.parts]
    return frozenset().union(*each) if node.kind == "&&" else each[0].intersection(*each[1:])


def _absent(node: Node) -> Paths:
    """Return the paths whose absence alone makes a condition hold."""
    if isinstance(node, Leaf):
        return frozenset([node.path]) if isinstance(node.condition, NotExists) else frozenset()
    return frozenset().union(*map(_absent, node.parts)) if node.kind == "||" else frozenset()


def _fixed_partition(what: Examined) -> Iterator[Said]:
    for leaf in what.leaves():
        condition = leaf.condition
        if not isinstance(condition, Comparison) or not isinstance(condition.value, Text | Regex):
            continue
        written = condition.value.text if isinstance(condition.value, Text) else condition.value.source
        if not _FIXED.search(written):
            continue
        any_partition = "arn:aws*:" if isinstance(condition.value, Text) else "arn:aws[a-z-]*:"
        yield Said(
            Severity.INFO,
            "`arn:aws:` names the commercial partition: in China (aws-cn), GovCloud (aws-us-gov) and the other partitions "
            f"`{leaf.text}` matches nothing.",
            leaf.span,
            fix=what.corrected(leaf.span, leaf.text.replace("arn:aws:", any_partition)),
        )


def _unanchored_regex(what: Examined) -> Iterator[Said]:
    for leaf in what.leaves():
        condition = leaf.condition
        if not isinstance(condition, Comparison) or not isinstance(condition.value, Regex):
            continue
        source = condition.value.source
        address = "." in source and _ADDRESS.fullmatch(source) is not None
        if not _PLAIN_REGEX.fullmatch(source):
            continue
        right = f"%^{source.replace('.', chr(92) + '.')}%" if address else f"%^{source}$%"
        dot = ", and each dot stands for any character" if "." in source.replace("\\.", "") else ""
        yield Said(
            Severity.INFO,
            f"A regular expression is searched for anywhere in the value: `%{source}%` also matches `x{_unescaped(source)}x`{dot}. "
            "`^` and `$` tie it to the beginning and the end.",
            leaf.span,
            fix=what.corrected(leaf.span, leaf.text.replace(f"%{source}%", right)),
        )


def _unescaped(source: str) -> str:
    return source.replace("\\", "")


def _unknown_field(what: Examined) -> Iterator[Said]:
    if not what.about_trail:
        return
    for leaf in what.leaves():
        if trail.of_list(leaf.path):
            yield from _key_of_list(what, leaf)
        wrong = trail.misspelled(leaf.path)
        if wrong is None:
            continue
        name, near = wrong
        subject = _subject(leaf)
        right = leaf.text.replace(subject, subject.replace(name, near, 1), 1)
        yield Said(
            Severity.ERROR,
            f"No record of CloudTrail has `{name}` where `{subject}` looks for it; upper and lower case differ."
            + (f" Did you mean `{near}`?" if near else ""),
            leaf.span,
            fix=what.corrected(leaf.span, right) if near else None,
        )


def _key_of_list(what: Examined, leaf: Leaf) -> Iterator[Said]:
    right = leaf.text.replace("$.resources.", "$.resources[*].", 1)
    yield Said(
        Severity.ERROR,
        f"`resources` is a list in CloudTrail's records, and a list has no keys: `{_subject(leaf)}` leads nowhere. "
        "`[*]` stands for any of its elements.",
        leaf.span,
        fix=what.corrected(leaf.span, right) if right != leaf.text else None,
    )


def _is_known(what: Examined, leaf: Leaf) -> bool:
    """Whether CloudTrail always writes the field in the same kind, which `wrong-kind` looks after."""
    return what.about_trail and trail.field_of(leaf.path) is not None


def _subject(leaf: Leaf) -> str:
    subject = leaf.condition.subject
    return subject.text if isinstance(subject, Selector) else subject


RULES: tuple[Rule[Examined], ...] = (
    Rule("unknown-field", "a field that CloudTrail does not write", _unknown_field),
    Rule("wrong-kind", "a value of another kind than CloudTrail writes", _wrong_kind),
    Rule("missing-field", "!= on a field that may be missing", _missing_field),
    Rule("boolean-as-text", "a boolean compared as text", _boolean_as_text),
    Rule("quoted-number", "a number in quotes", _quoted_number),
    Rule("fixed-partition", "an ARN of one partition", _fixed_partition),
    Rule("unanchored-regex", "a regular expression that looks like a whole value", _unanchored_regex),
)
