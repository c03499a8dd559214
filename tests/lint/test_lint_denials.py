"""The globs that stand for all spellings of a refusal, and the advice that offers them."""

import json

import pytest

from rolewatch.catalog.codes import AUTHORIZED_BUT_ABSENT, CODES, GONE
from rolewatch.lint.denials import GLOBS, GROUP, SPELLINGS
from rolewatch.lint.run import lint_pattern
from rolewatch.patterns import compile_pattern
from rolewatch.patterns.glob import glob

OTHERS = [
    *(row.code for row in CODES if row.kind in ("authentication", "not-enabled")),
    *sorted(AUTHORIZED_BUT_ABSENT),
    *(row.code for row in GONE),
    "AuthorizationAlreadyExists", "AuthorizationNotFound", "AuthorizationPendingException", "AuthorizationQuotaExceeded",
    "InvalidAuthorizationMessageException", "MethodNotAllowedException", "PermissionAlreadyExistsException",
    "SubnetNotAllowedFault", "InsufficientCapacityException", "Throttling", "ThrottlingException", "RequestLimitExceeded",
]  # fmt: skip
PRECEDENCE = (
    '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*") && '
    '($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket")}'
)


def is_matched(pattern, code):
    """Whether a pattern matches a record with an error code and no more."""
    return compile_pattern(pattern)(json.dumps({"errorCode": code}))


@pytest.mark.parametrize("code", SPELLINGS)
def test_every_spelling(code):
    """Each spelling is matched."""
    assert is_matched(f"{{ {GROUP} }}", code)


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_else(code):
    """What is no refusal is not matched."""
    assert not is_matched(f"{{ {GROUP} }}", code)


@pytest.mark.parametrize("each", GLOBS)
def test_no_glob_is_idle(each):
    """Each glob matches a spelling that the others do not."""
    rest = [other for other in GLOBS if other != each]
    assert [code for code in SPELLINGS if glob(each)(code) and not any(glob(other)(code) for other in rest)]


@pytest.mark.parametrize(
    "pattern",
    ["{ $.errorCode = AccessDenied }", '{ $.errorCode = "AccessDenied*" || $.errorCode = x }', PRECEDENCE],
)
def test_the_corrected_pattern(pattern):
    """The advice lists exactly the spellings that the pattern misses, and its fix matches them all."""
    (advice,) = [each for each in lint_pattern(compile_pattern(pattern)) if each.rule == "forgotten-codes"]
    missed = [code for code in SPELLINGS if not is_matched(pattern, code)]
    if pattern is PRECEDENCE:  # a record with nothing but an error code meets none of its exclusions
        missed = [code for code in missed if not code.startswith("AccessDenied")]
    assert ", ".join(missed) in advice.message
    assert [code for code in SPELLINGS if not is_matched(advice.fix, code)] == []
    assert len(advice.fix) <= 1024


def test_no_room_for_a_fix():
    """Where the corrected pattern would be longer than the service takes, there is advice without a fix."""
    names = " || ".join(f"$.eventName = {'N' * 40}{number}*" for number in range(12))
    (advice,) = lint_pattern(compile_pattern(f"{{ $.errorCode = AccessDenied && ({names}) }}"))
    assert (advice.rule, advice.fix) == ("forgotten-codes", None)
