"""Rules about patterns that look for denials: spellings, calls and principals that they forget."""

from collections.abc import Callable, Iterator

from rolewatch.catalog.codes import CODES
from rolewatch.lint import trail
from rolewatch.lint.advice import Rule, Said, Severity, Span
from rolewatch.lint.examined import Examined, accepted
from rolewatch.lint.located import Branch, Leaf, Node, Path, branches, replaced, without
from rolewatch.lint.possible import Alternative, alternatives
from rolewatch.patterns import compile_pattern
from rolewatch.patterns.syntax import Comparison, Regex, Text

REFUSALS = ("authorization", "dependency", "vpc-endpoint")
#: Every spelling of a refusal; with EC2's prefix, the one that records show.
SPELLINGS = ("Client.UnauthorizedOperation", *(row.code for row in CODES if row.kind in REFUSALS))
#: Globs that match all of them, and nothing that is none (tests/lint/test_lint_denials.py).
GLOBS = (
    "*AccessDenied*", "*Unauthorized*", "NotAuthorized*", "*NoAuthorization*", "AuthorizationE*", "OperationNotPermitted*",
    "*Insufficient*Permission*", "InsufficientPrivileges*", "AccessForbidden*", "ForbiddenE*", "AccessTo*Denied",
    "IamRoleMissingPermissions", "LogDestinationPermission*",
)  # fmt: skip
GROUP = "({})".format(" || ".join(f'($.errorCode = "{glob}")' for glob in GLOBS))
# Calls of many verbs in which service-linked roles have been refused.
CALLS = (
    "AssumeRole", "BatchGetImage", "CreateGrant", "CreateNetworkInterface", "Decrypt", "DescribeKey", "GenerateDataKey",
    "GetBucketPolicy", "HeadBucket", "ListBuckets", "Publish", "PutObject", "RunInstances", "SendMessage", "UpdateFindings",
)  # fmt: skip
LINKED_ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def _forgotten_codes(what: Examined) -> Iterator[Said]:
    ways = _denials(what)
    if not ways or all(_is_narrow(way) for way in ways):
        return
    matched = {code for way in ways for code in SPELLINGS if _allows(way, trail.ERROR_CODE, code)}
    missed = [code for code in SPELLINGS if code not in matched]
    runs = list(_runs(what.node)) if what.node else []
    if not missed or not runs:
        return
    yield Said(
        Severity.WARNING,
        f"A refusal has many names, and the error codes here miss {len(missed)} of the {len(SPELLINGS)} known ones: "
        f"{', '.join(missed)}.",
        (runs[0][0], runs[-1][1]),
        fix=_with_group(what.text, runs) or _with_group(what.text, runs[:1]),
    )


def _with_group(text: str, runs: list[Span]) -> str | None:
    """Write all spellings in the place of those that are there; the first place is enough where all would be too long."""
    for span in reversed(runs):
        text = replaced(text, span, GROUP)
    return accepted(text)


def _narrow_event_name(what: Examined) -> Iterator[Said]:
    ways = [way for way in _denials(what) if _allows_linked_role(way)]
    globs = [
        claim.leaf
        for way in ways
        for claim in way
        if claim.holds and _is_glob_of(claim.leaf, trail.EVENT_NAME)
    ]
    if not globs:
        return
    missed = [call for call in CALLS if not any(_allows(way, trail.EVENT_NAME, call) for way in ways)]
    if not missed or what.node is None:
        return
    yield Said(
        Severity.WARNING,
        "Services are refused in calls of all kinds, not only in those that read: this pattern never sees "
        f"{' or '.join(filter(None, (', '.join(missed[:-1]), missed[-1])))}. The role and the error code are enough.",
        globs[0].span,
        fix=_without_path(what, trail.EVENT_NAME),
    )


def _session_arn(what: Examined) -> Iterator[Said]:
    if not what.about_trail:
        return
    for leaf in what.leaves():
        condition = leaf.condition
        if leaf.path != trail.SESSION_ARN or not isinstance(condition, Comparison):
            continue
        value = condition.value
        written = value.text if isinstance(value, Text) else value.source if isinstance(value, Regex) else ""
        if "role/" not in written.replace("assumed-role/", "") or "assumed-role/" in written:
            continue
        yield Said(
            Severity.ERROR,
            f"`{leaf.text}` looks for a role's ARN where the ARN of a session stands (`arn:aws:sts::…:assumed-role/Name/session`, "
            "without the role's path): the role itself is in sessionContext.sessionIssuer.arn.",
            leaf.span,
            fix=what.corrected(
                leaf.span,
                leaf.text.replace("$.userIdentity.arn", "$.userIdentity.sessionContext.sessionIssuer.arn", 1),
            ),
        )


def _denials(what: Examined) -> list[Alternative]:
    """Return the ways in which a pattern about CloudTrail matches that ask for an error code of a refusal."""
    if what.node is None or not what.about_trail:
        return []
    return [
        way
        for way in alternatives(what.node) or ()
        if any(claim.holds and _is_denial(claim.leaf) for claim in way)
    ]


def _is_denial(leaf: Leaf) -> bool:
    return _is_equality(leaf, trail.ERROR_CODE) and any(_matches(leaf, code) for code in SPELLINGS)


def _is_equality(leaf: Leaf, path: Path) -> bool:
    return leaf.path == path and isinstance(leaf.condition, Comparison) and leaf.condition.operator == "="


def _is_glob_of(leaf: Leaf, path: Path) -> bool:
    """Whether a field is asked to equal something other than one text."""
    condition = leaf.condition
    if not _is_equality(leaf, path) or not isinstance(condition, Comparison):
        return False
    return isinstance(condition.value, Regex) or (
        isinstance(condition.value, Text) and "*" in condition.value.text
    )


def _is_narrow(way: Alternative) -> bool:
    """Whether one API or call is named, whose errors have the spellings of its own service."""
    return any(
        claim.holds and _is_equality(claim.leaf, path) and not _is_glob_of(claim.leaf, path)
        for claim in way
        for path in (trail.EVENT_NAME, trail.EVENT_SOURCE)
    )


def _allows(way: Alternative, path: Path, value: str) -> bool:
    return all(_matches(claim.leaf, value) == claim.holds for claim in way if claim.leaf.path == path)


def _allows_linked_role(way: Alternative) -> bool:
    """Whether the role's ARN is asked for, and that of a service-linked role would do."""
    asked = [claim for claim in way if claim.leaf.path == trail.ISSUER_ARN and claim.holds]
    return (
        bool(asked)
        and _allows(way, trail.ISSUER_ARN, LINKED_ROLE)
        and any("service-role" in claim.leaf.text for claim in asked)
    )


def _matches(leaf: Leaf, value: str) -> bool:
    """Whether a single condition is true of a record whose field, of those it names, has this value."""
    return _predicate(leaf)(_nested(leaf.path, value))


def _predicate(leaf: Leaf) -> Callable[[str], bool]:
    return compile_pattern(f"{{ {leaf.text} }}")


def _nested(path: Path, value: str) -> str:
    written = f'"{value}"'
    for step in reversed(path):
        written = f'{{"{step}":{written}}}'
    return written


def _runs(node: Node) -> Iterator[Span]:
    """Yield the places of error codes: neighbours in one `||` together, in the order of the text."""
    if isinstance(node, Leaf):
        if _is_denial(node):
            yield node.outer
        return
    run: list[Node] = []
    for part in node.parts:
        if node.kind == "||" and isinstance(part, Leaf) and _is_denial(part):
            run.append(part)
            continue
        yield from _whole(run)
        run = []
        yield from _runs(part)
    yield from _whole(run)


def _whole(run: list[Node]) -> Iterator[Span]:
    if run:
        yield run[0].outer[0], run[-1].outer[1]


def _without_path(what: Examined, path: Path) -> str | None:
    """Leave out the part of an `&&` that is about nothing but one field."""
    for branch in branches(what.node) if what.node else ():
        for number, part in enumerate(branch.parts):
            if branch.kind == "&&" and _is_only_about(part, path):
                return accepted(without(what.text, branch, number))
    return None


def _is_only_about(node: Node, path: Path) -> bool:
    if isinstance(node, Branch):
        return all(_is_only_about(part, path) for part in node.parts)
    return node.path == path


RULES: tuple[Rule[Examined], ...] = (
    Rule("forgotten-codes", "spellings of a refusal that the error codes miss", _forgotten_codes),
    Rule("narrow-event-name", "denials of service-linked roles in some calls only", _narrow_event_name),
    Rule("session-arn", "a role's ARN looked for in the ARN of a session", _session_arn),
)
