"""Rules that hide findings for a reason, until a day."""

from datetime import date

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.findings.ignore import apply_rules, counted, read_rules

TODAY = date(2026, 3, 15)
FINDING = {
    "id": "0123456789abcdef",
    "account": "111122223333",
    "service": "config.amazonaws.com",
    "role_name": "AWSServiceRoleForConfig",
    "role_arn": None,
    "resource": "arn:aws:s3:::logs-2026",
    "resource_type": "AWS::S3::Bucket",
    "verdict": "fix-your-policy",
    "severity": "high",
}


def rule(lines, until="2026-12-31"):
    """Write an ignore file of one rule."""
    return f'[[rule]]\nreason = "known"\nuntil = {until}\n{lines}\n'.encode()


FITS = [
    ('resource = "arn:aws:s3:::logs-2026"', True),
    ('resource = "arn:aws:s3:::logs-*"', True),
    ('resource = "*logs-202?"', True),
    ('resource = "*logs-202[56]"', True),
    ('resource = "logs"', False),
    ('resource = "ARN:AWS:S3:::LOGS-2026"', False),
    ('account = "111122223333"\nservice = "config.*"', True),
    ('account = "111122223333"\nservice = "macie.*"', False),
    ('id = "0123456789abcdef"', True),
    ('role_arn = ""', True),
    ('role_arn = "*"', True),
    ('role_arn = "None"', False),
    ('resource_type = "AWS::S3::*"\nverdict = "fix-your-policy"\nseverity = "high"', True),
    ('role_name = "AWSServiceRoleFor?onfig"', True),
]


@pytest.mark.parametrize(("lines", "fits"), FITS)
def test_patterns(lines, fits):
    """A rule is about a finding if each of its patterns matches the whole of its value, case and all."""
    ignored = apply_rules([FINDING], read_rules(rule(lines), "ignore.toml"), TODAY)
    assert ignored == (([], ["1 finding ignored by rule"]) if fits else ([FINDING], []))


ENDS = [
    ("2026-03-15", [], ["1 finding ignored by rule"]),
    (
        "2026-03-14",
        [FINDING],
        ["ignore.toml: rule 1 expired on 2026-03-14 and hides nothing (1 finding would fit): known"],
    ),
    ('"2026-03-16"', [], ["1 finding ignored by rule"]),
    ("2026-03-15T01:00:00Z", [], ["1 finding ignored by rule"]),
]


@pytest.mark.parametrize(("until", "left", "notes"), ENDS)
def test_end(until, left, notes):
    """A rule holds through its last day; from then on it hides nothing, and says so."""
    rules = read_rules(rule('account = "*"', until), "ignore.toml")
    assert apply_rules([FINDING], rules, TODAY) == (left, notes)


def test_expired_and_current():
    """What a current rule hides, an expired one is not said to fit."""
    content = rule('account = "*"', "2026-03-01") + rule('account = "*"')
    assert apply_rules([FINDING, FINDING], read_rules(content, "i"), TODAY) == (
        [],
        [
            "2 findings ignored by rule",
            "i: rule 1 expired on 2026-03-01 and hides nothing (0 findings would fit): known",
        ],
    )


def test_no_rules():
    """An empty file hides nothing and says nothing."""
    assert apply_rules([FINDING], read_rules(b"", "ignore.toml"), TODAY) == ([FINDING], [])


WRONG = [
    (b"[[rule", "ignore.toml: "),
    (b"\xff", "ignore.toml: "),
    (b"x = " + b"[" * 100_000, "ignore.toml: nested too deeply"),
    (b"[rule]\n", r"ignore.toml: only \[\[rule\]\] tables are known here"),
    (b"rules = []\n", r"ignore.toml: only \[\[rule\]\] tables are known here"),
    (b"rule = [1]\n", r"ignore.toml: only \[\[rule\]\] tables are known here"),
    (b"[[rule]]\nuntil = 2026-12-31\n", "ignore.toml: rule 1 has no reason"),
    (b'[[rule]]\nreason = " "\nuntil = 2026-12-31\n', "ignore.toml: rule 1 has no reason"),
    (b'[[rule]]\nreason = "r"\nid = "x"\n', "ignore.toml: rule 1 has no end date"),
    (b'[[rule]]\nreason = "r"\nuntil = "soon"\nid = "x"\n', "ignore.toml: rule 1 has no end date"),
    (b'[[rule]]\nreason = "r"\nuntil = true\nid = "x"\n', "ignore.toml: rule 1 has no end date"),
    (rule(""), "ignore.toml: rule 1 would hide everything"),
    (rule('bucket = "b"'), "ignore.toml: rule 1: nothing is called 'bucket'"),
    (rule('id = "x"') + rule("account = 111122223333"), "ignore.toml: rule 2: account has to be a text"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_wrong(content, message):
    """A file that makes no sense is refused with its name, the number of the rule and what is missing."""
    with pytest.raises(UsageError, match=f"^{message}"):
        read_rules(content, "ignore.toml")


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 findings"), (1, "1 finding"), (12345, "12,345 findings")]
)
def test_counted(number, text):
    """Numbers of findings are spelled for people."""
    assert text == counted(number)
