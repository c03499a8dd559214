"""Which findings a mute or a route is about: patterns by key, all of which have to fit; and what is wrong with such patterns.

`*`, `?` and `[…]` are signs of a pattern, which has to match the whole value, as in the rules of `ignore.py`.
"""

import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.findings.severity import LEVELS

Finding = dict[str, Any]
Patterns = Mapping[str, str]

VERDICTS: Final = ("fix-your-policy", "aws-side", "service-not-enabled", "harmless", "unknown")
FIELDS = (
    "id",
    "account",
    "service",
    "role_name",
    "role_arn",
    "resource",
    "resource_type",
    "verdict",
    "severity",
)
"""Keys of a finding that a rule or a mute can name, each with a pattern (`*`, `?`, `[…]`) that has to match the whole value."""
#: Keys whose values are few and known, so that a misspelled one would fit nothing, ever.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {"verdict": VERDICTS, "severity": LEVELS}
_SIGNS: Final = re.compile(r"[*?\[]")
_NEXT: Final = re.compile(r",(?=\s*[A-Za-z_-]+\s*=)")  # a comma may also be part of a role's name
_EXAMPLE: Final = "write such as service=config.amazonaws.com,resource=arn:aws:s3:::logs-*"
_LONGEST: Final = 2048  # characters of a pattern, the longest an ARN can be

#: Two findings that have nothing in common but the form of their values: what fits both says nothing.
_UNLIKE: Final[tuple[Finding, Finding]] = (
    {
        "id": "0123456789abcdef",
        "account": "012345678901",
        "service": "a.amazonaws.com",
        "role_name": "AWSServiceRoleForA",
        "role_arn": "arn:aws:iam::012345678901:role/aws-service-role/a.amazonaws.com/AWSServiceRoleForA",
        "resource": "arn:aws:s3:::a",
        "resource_type": "AWS::S3::Bucket",
        "verdict": "fix-your-policy",
        "severity": "medium",
    },
    {
        "id": "fedcba9876543210",
        "account": "987654321098",
        "service": "z.amazonaws.com",
        "role_name": "AWSServiceRoleForZ",
        "role_arn": "arn:aws-cn:iam::987654321098:role/aws-service-role/z.amazonaws.com/AWSServiceRoleForZ",
        "resource": "arn:aws-cn:kms:cn-north-1:987654321098:key/z",
        "resource_type": "AWS::KMS::Key",
        "verdict": "unknown",
        "severity": "critical",
    },
)


def fits(patterns: Patterns, finding: Finding) -> bool:
    """Whether every pattern fits its value; a value that is null counts as empty."""
    return all(fnmatchcase(str(finding.get(key) or ""), pattern) for key, pattern in patterns.items())


def parse_match(text: str, place: str = "--match") -> dict[str, str]:
    """Read `KEY=PATTERN,KEY=PATTERN`; UsageError that names the place for keys and values that nothing has.

    `role` is the role's name, or its ARN if it looks like one; the short name of a service is completed. What would
    fit every finding is refused.
    """
    patterns: dict[str, str] = {}
    for part in _NEXT.split(text):
        key, sign, value = part.partition("=")
        if not sign:
            raise UsageError(f"{place}: {terminal(part, 60)!r} is no KEY=PATTERN", remedy=_EXAMPLE)
        key, pattern = pattern_of(key.strip(), value.strip(), place)
        if key in patterns:
            raise UsageError(f"{place}: {key} stands there twice", remedy="put two patterns into two mutes")
        patterns[key] = pattern
    refuse_everything(patterns, place)
    return patterns


def pattern_of(key: str, value: str, place: str, known: Collection[str] = FIELDS) -> tuple[str, str]:
    """Give the key of a finding that is meant, and the pattern as it is compared; UsageError for what fits nothing."""
    if not value:
        raise UsageError(
            f"{place}: {terminal(key, 60)} is empty", remedy="write what has to match, or leave it out"
        )
    if len(value) > _LONGEST:
        raise UsageError(
            f"{place}: {terminal(key, 60)} is longer than {_LONGEST} characters, which no value is"
        )
    if key == "role":
        return ("role_arn" if value.startswith("arn:") else "role_name"), value
    if key not in known:
        raise UsageError(
            f"{place}: nothing is called {terminal(key, 60)!r}", remedy=nearest(key, (*known, "role"))
        )
    if key in _WORDS and not any(fnmatchcase(word, value) for word in _WORDS[key]):
        raise UsageError(
            f"{place}: no {key} is called {terminal(value, 60)!r}", remedy=nearest(value, _WORDS[key])
        )
    if key == "account" and not _SIGNS.search(value) and not re.fullmatch("[0-9]{12}", value):
        raise UsageError(
            f"{place}: {terminal(value, 60)!r} is no account id", remedy="write its twelve digits"
        )
    if key == "service" and "." not in value and not _SIGNS.search(value):
        value = f"{value.lower()}.amazonaws.com*"  # in China, `.cn` follows
    return key, value


def refuse_everything(patterns: Patterns, place: str) -> None:
    """Raise UsageError for patterns that fit every finding, such as `resource=*`, `account=????????????` or none."""
    if all(fits(patterns, finding) for finding in _UNLIKE):
        raise UsageError(
            f"{place} would match everything", remedy=f"name a service, an account or a resource: {_EXAMPLE}"
        )


def specificity(patterns: Patterns) -> tuple[bool, int, int]:
    """Order patterns by how much they say: a finding's id before all, then more keys, then more characters."""
    literal = sum(len(re.sub(r"[*?]|\[[^\]]*\]", "", pattern)) for pattern in patterns.values())
    return "id" in patterns, len(patterns), literal


def nearest(word: str, words: Collection[str]) -> str:
    """Advise what may have been meant by a word: the nearest one, else all there are."""
    import difflib  # noqa: PLC0415 - only where a word is wrong

    close = difflib.get_close_matches(word, words, 1)
    return f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(words)}"
