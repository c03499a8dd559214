"""The report in a terminal: what is read first, and what is said of each finding."""

import pytest
from formatted import only, written

ONE_FINDING = """\
1 service cannot reach 1 resource in 1 account (as of 2026-03-03 07:59:59 UTC, the last record
seen).
Possible blinding: AWS Config lost access to several resources within an hour.

AWS Config is blind on 1 bucket in 1 account since 2026-03-01 — role AWSServiceRoleForConfig
  critical  blocked    arn:aws:s3:::payroll-archive
            account    111122223333, us-east-1
            denied     open: s3:GetBucketLocation, s3:GetEncryptionConfiguration; closed:
                       s3:ListBucket
            denials    80, the last at 2026-03-03 07:11:46 UTC
            why        fix-your-policy [by message]: the resource's own policy explicitly denies
                       it.

Looked at
  100 records = 80 denials + 5 repeats + 15 others
  2 deliveries (0 skipped, 0 damaged, 0 unreadable), 1.2 MB in 0.4 s
  from 2026-02-20 00:00:00 to 2026-03-03 07:59:59 UTC
  5 accounts: 111122223333, 222233334444, 333344445555, 444455556666, REMOVED
  6 regions: ap-southeast-2, eu-central-1, eu-west-1, us-east-1, us-gov-west-1, us-west-2
  1 event category: Management

Not visible in this input
  S3 data events: none seen, so a denied GetObject would not show
  Network activity events: none seen, so a denial by a VPC endpoint policy would not show
  Account 111122223333, region us-west-2: days missing: 2026-02-22, 2026-02-23
"""


def heads(text):
    """Return the lines that begin a section or a group, without what they count."""
    return [line for line in text.splitlines() if line and line[0] != " "]


def section_of(text, head):
    """Return the lines below a heading, without their indent."""
    _, found, rest = text.partition(f"\n{head}\n")
    assert found
    return [line.strip() for line in rest.partition("\n\n")[0].splitlines()]


def test_table_of_one_finding(one_finding):
    """One finding as it stands on a screen of 96 columns: the answer, the block, and what was looked at."""
    assert written("table", one_finding, width=96) == ONE_FINDING


def test_table_begins_with_the_answer_and_ends_with_the_gaps(report):
    """The order is: answer, blindings, blocked roles (security services first), silent, harmless, over, coverage."""
    assert [line[:34] for line in heads(written("table", report, width=400))] == [
        "6 services cannot reach 8 resource",
        "Possible blinding: AWS Config lost",
        "AWS Config is blind on 3 buckets i",
        "Amazon Macie is blind on 1 bucket ",
        "IAM Access Analyzer is blind on 1 ",
        "Amazon EC2 Auto Scaling is locked ",
        "Amazon CloudWatch Logs is locked o",
        "x=cmd|' /C calc'!A0\\x1b[2J\\x1b]0;o",
        "Silent: no attempt since the last ",
        "Refused without harm (2)",
        "Recovered (1)",
        "Gone: the resource no longer exist",
        "Looked at",
        "Not read, or only in part",
        "Not visible in this input",
    ]


def test_table_puts_a_security_service_before_a_worse_finding(report):
    """A security service with a low finding stands above another service with a high one."""
    text = written("table", report, width=250)
    assert text.index("IAM Access Analyzer is blind") < text.index("Amazon EC2 Auto Scaling is locked out")


def test_table_names_each_blinded_service_once(report):
    """Only services with critical findings that are still blocked are warned about, each on one line."""
    warnings = [line for line in written("table", report, width=250).splitlines() if "blinding" in line]
    assert warnings == ["Possible blinding: AWS Config lost access to several resources within an hour."]
    for finding in report["findings"]:
        finding["status"] = "recovered" if finding["severity"] == "critical" else finding["status"]
    assert "blinding" not in written("table", report)


@pytest.mark.parametrize("width", [100, 200])
def test_table_marks_a_guess(report, width):
    """What is not proven carries GUESS, verdict and candidate alike; what AWS said carries where it is from."""
    guessed = written("table", only(report, "hr-exports"), width=width)
    said = written("table", only(report, "payroll-archive"), width=width)
    assert (guessed.count("[GUESS]"), guessed.count("[by message]")) == (2, 0)
    assert (said.count("[GUESS]"), said.count("[by message]")) == (0, 1)


def test_table_names_the_likeliest_candidate_only(report):
    """Of the candidates the first is shown, with its reason; the others are in the JSON format."""
    text = " ".join(written("table", only(report, "hr-exports"), width=100).split())
    assert "likely bucket policy of another account without an Allow [GUESS]: across accounts" in text
    assert "KMS key policy" not in text


def test_table_says_how_it_ended(report):
    """Silence is said to prove nothing; recovery and disappearance name their time; blocked findings end nowhere."""
    lines = written("table", report, width=150).splitlines()
    assert [line.strip() for line in lines if line.startswith(" " * 12 + "now ")] == [
        "now        no attempt since 2026-02-20 10:00:00 UTC: not proof of recovery",
        "now        recovered: every denied action was allowed again, the last at 2026-03-01 08:30:00 UTC",
        "now        the resource no longer exists, as seen at 2026-02-27 16:20:00 UTC",
    ]


def test_table_tells_open_from_closed_actions(report):
    """What is denied still comes first and is called open; what is allowed again is closed; of what is gone, neither."""

    def denied(name):
        finding = next(found for found in report["findings"] if found["resource"].endswith(name))
        text = written("table", report | {"findings": [finding]}, width=150)
        return next(line.split("denied", 1)[1].strip() for line in text.splitlines() if "  denied  " in line)

    assert denied("payroll-archive") == (
        "open: s3:GetBucketLocation, s3:GetEncryptionConfiguration; closed: s3:ListBucket"
    )
    assert denied("repository/shop/web") == "closed: ecr:BatchGetImage"
    assert denied("old-exports") == "s3:GetBucketAcl"


def test_table_tells_of_an_effect_once(report):
    """A consequence is an effect of its own, unless the explanation says it already."""
    report = only(report, "payroll-current", "config-bucket-111122223333")
    report["findings"][0]["consequence"] = "New buckets are not recorded."
    text = written("table", report, width=150)
    assert [line.strip() for line in text.splitlines() if "effect" in line] == [
        "effect     New buckets are not recorded."
    ]


def test_table_names_another_owner(report):
    """A resource of another account is said to be there; one of the role's own account is not."""
    text = written("table", report, width=150)
    assert "  account    222233334444 (resource in 333344445555), us-east-1\n" in text
    assert "(resource in 111122223333)" not in text


def test_table_lists_what_was_not_read(report):
    """Each unread delivery is named with its reason, twenty at most; the rest is counted."""
    report["unreadable"] = [{"delivery": f"d{number}", "reason": "cut short"} for number in range(1021)]
    lines = section_of(written("table", report), "Not read, or only in part")
    assert lines == [
        *(f"d{number}: cut short" for number in range(20)),
        "and 1,001 more: see `unreadable` in the JSON format",
    ]


def test_table_lists_what_could_not_show(report):
    """Every gap is listed, and nothing about gaps where there are none."""
    gaps = report["coverage"]["not_visible"]
    assert section_of(written("table", report), "Not visible in this input") == gaps
    gaps.clear()
    assert "Not visible" not in written("table", report)


def test_table_counts_what_was_skipped(report):
    """Skipped deliveries are counted by reason, the most frequent first; many accounts are counted, not listed."""
    report["skipped"] += [{"delivery": "x", "reason": "digest file"}] * 1200
    report["coverage"]["accounts"] = [str(number) for number in range(4000)]
    lines = section_of(written("table", report), "Looked at")
    assert lines[-1] == "skipped: digest file (1,201), not CloudTrail: a text file (1)"
    assert "4,000 accounts" in lines


def test_table_shows_notes(report):
    """Notes of the scan, such as an expired rule, stand at the end."""
    report["notes"] = ["ignore rule 3 has expired on 2026-01-01\x1b[2J"]
    lines = section_of(written("table", report), "Notes")
    assert lines == ["ignore rule 3 has expired on 2026-01-01\\x1b[2J"]
    assert "Notes" not in written("table", report | {"notes": []})


@pytest.mark.parametrize(
    ("totals", "answer"),
    [
        ({}, "Nothing found: no watched principal was refused in 687 records."),
        ({"records": 0, "others": 0}, "Nothing was looked at: there is no CloudTrail record in this input."),
        ({"denials": 1, "others": 686}, "Nothing is shown: 1 denial left out of this report."),
    ],
)
def test_table_without_findings(no_findings, totals, answer):
    """A clean result is told from an input without records and from one whose findings were all filtered out."""
    no_findings["totals"] |= totals
    first, *rest = written("table", no_findings).split("\n")
    assert first == answer
    assert "Not visible in this input" in rest


def test_table_of_an_input_without_times(no_findings):
    """Without a time or a place of any record nothing is made up."""
    no_findings["coverage"] |= {"first_record": None, "last_record": None, "accounts": [], "regions": []}
    lines = section_of(written("table", no_findings, width=159), "Looked at")
    assert lines[2:] == ["0 accounts", "0 regions", "1 event category: Management"]


def test_table_without_a_blocked_service(report):
    """Where all findings are over or harmless, the answer says so, and as of when."""
    report["findings"] = [found for found in report["findings"] if found["status"] != "blocked"]
    first = written("table", report).split("\n")[0]
    assert first.startswith("No service is blocked (as of 2026-03-03 07:59:59 UTC, the last record seen);")
    report["coverage"]["last_record"] = None
    first = written("table", report).split("\n")[0]
    assert first == "No service is blocked; see below for what else was found."


def test_table_counts_principals_where_services_are_not_known(report):
    """Roles without a service are no service: each counts by its name."""
    for name, finding in zip("ab", report["findings"][:2], strict=True):
        finding |= {"service": "", "role_name": name, "verdict": "fix-your-policy"}
    report["findings"] = report["findings"][:2]
    assert written("table", report).startswith("2 principals cannot reach 2 resources in 1 account")
