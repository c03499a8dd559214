"""What people read: the first line, then what follows, why, what to change and its proof, how often, and the mute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import ACCOUNT, FIX, HOSTILE, about, alarm, finding, hostile, recovered

from rolewatch.base.sanitise import terminal
from rolewatch.notify import consequences, words
from rolewatch.notify.errors import SendError
from rolewatch.notify.words import text, title

KINDS = ("blocked", "reopened", "recovered", "summary")


def lines(notification, **settings):
    """Return the lines of a message that are not empty."""
    return [line for line in text(notification, **settings).splitlines() if line]


@pytest.mark.parametrize(
    ("notification", "expected"),
    [
        (
            about(finding()),
            f"AWS Config cannot s3:GetBucketPolicy on arn:aws:s3:::payroll-0 in {ACCOUNT} since 2026-03-01 10:00:00 UTC",
        ),
        (
            about(finding(), kind="reopened"),
            f"AWS Config again cannot s3:GetBucketPolicy on arn:aws:s3:::payroll-0 in {ACCOUNT} since 2026-03-02 10:00:00 UTC",
        ),
        (
            about(*(finding(number) for number in range(40, 0, -1))),
            f"AWS Config cannot s3:GetBucketPolicy on 40 buckets in {ACCOUNT} since 2026-03-01 10:00:01 UTC",
        ),
        (
            about(finding(1), finding(2), left_out=5),
            f"AWS Config cannot s3:GetBucketPolicy on 2 buckets and 5 more in {ACCOUNT} since 2026-03-01 10:00:01 UTC",
        ),
        (
            about(recovered(), kind="recovered"),
            (
                f"AWS Config can s3:GetBucketPolicy on arn:aws:s3:::payroll-0 in {ACCOUNT} again since 2026-03-03 07:00:00 UTC, "
                "proven by event proof-0"
            ),
        ),
        (
            about(recovered(1), recovered(2), kind="recovered"),
            (
                f"AWS Config can s3:GetBucketPolicy on 2 buckets in {ACCOUNT} again since 2026-03-03 07:00:00 UTC, "
                "proven by event proof-1 and 1 more"
            ),
        ),
        (alarm(), 'ALARM: "denied" in US East (N. Virginia)'),
        (alarm("OK"), 'OK: "denied" in US East (N. Virginia)'),
        (
            about(finding(1), finding(2, status="silent"), kind="summary", left_out=3),
            f"Summary: 5 findings of AWS Config in {ACCOUNT} (1 blocked, 1 silent, 3 not listed)",
        ),
        (about(kind="summary"), "Summary: 0 findings (none)"),
        (
            about(finding(1), finding(2, service="x", service_name="Amazon X", account="2")),
            "AWS Config and Amazon X cannot s3:GetBucketPolicy on 2 buckets in 2 accounts since 2026-03-01 10:00:01 UTC",
        ),
        (
            about(finding(first_denied=None, account="", open_actions=["a:1", "a:2", "a:3", "a:4"])),
            "AWS Config cannot a:1, a:2, a:3 and 1 more on arn:aws:s3:::payroll-0 in an unknown account since unknown",
        ),
        (about(finding(), reason="test"), f"TEST, nothing is wrong: {title(about(finding()))}"),
    ],
)
def test_first_line(notification, expected):
    """Each kind has its sentence: who cannot do what on which resource, where and since when, or what proves that it can."""
    assert title(notification) == expected
    assert lines(notification)[0] == expected


def test_message_of_one_finding():
    """What follows, the cause with its evidence, who, how often with one event, and the mute command, in this order."""
    assert lines(about(finding()))[1:] == [
        (
            "What follows: AWS Config may not record changes of this bucket, nor notify of them. (Source: AWS Config developer guide, "
            "Managing permissions for S3 bucket recording.)"
        ),
        "Cause: The resource's own policy explicitly denies it. Verdict: fix-your-policy (by message).",
        "Who:",
        f"role AWSServiceRoleForConfig: arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        "regions: us-east-1",
        "Denials:",
        "3 denials from 2026-03-01 10:00:00 UTC to 2026-03-02 10:00:00 UTC",
        "one event: event-0-b",
        "To mute it:",
        "    rolewatch findings mute 0000000000000000 --until 2026-03-10 --reason 'why'",
    ]


def test_consequence_of_the_finding_goes_first():
    """What the finding itself says of its consequence is told, before what is documented of such findings."""
    assert "What follows: Nothing at all." in lines(about(finding(consequence="Nothing at all.")))


def test_without_a_documented_consequence_it_says_who_was_refused_what():
    """Nothing is made up where no source says what follows."""
    said = lines(about(finding(service="x.amazonaws.com", role_arn=None, role_name=None)))
    assert "What follows: x.amazonaws.com was refused s3:GetBucketPolicy on arn:aws:s3:::payroll-0." in said


@pytest.mark.parametrize("verdict", ["harmless", "service-not-enabled"])
def test_benign_findings_have_no_documented_consequence(verdict):
    """What leaves nobody blind is not told to do so."""
    assert consequences.documented(finding()) is not None
    assert consequences.documented(finding(verdict=verdict)) is None


def test_candidates_are_told_as_guesses():
    """Where the record gives no reason, what it can be is listed, each marked as a guess."""
    guess = {"policy_type": None, "kind": None, "evidence": "guess", "policy_arn": None}
    listed = [{"cause": f"cause {at}", "evidence": "guess", "why": f"why {at}"} for at in range(7)]
    said = lines(about(finding(cause=guess, candidates=listed)))
    assert "Cause: The resource's own policy explicitly denies it. Verdict: fix-your-policy (GUESS)." in said
    assert [line for line in said if "(guess)" in line] == [
        f"{at + 1}. cause {at} (guess): why {at}" for at in range(5)
    ]


def test_proven_change_is_shown_with_its_proof():
    """A change is told with its diff, its commands and what proves it."""
    said = lines(about(finding(fix=FIX)))
    assert "The change: in the bucket policy of payroll-0" in said
    assert '    +  "ArnNotLike": {"aws:PrincipalArn": "…"}' in said
    assert f"    {FIX['commands'][0]}" in said
    assert "Proof of the change: before: explicitDeny; after: allowed" in said


@pytest.mark.parametrize("proof", [None, {}, [], "", "absent"])
def test_change_without_a_proof_is_not_shown(proof):
    """Without a proof, nothing of a change is told."""
    fix = {name: value for name, value in FIX.items() if name != "proof"}
    if proof != "absent":
        fix["proof"] = proof
    assert text(about(finding(fix=fix))) == text(about(finding()))


def test_group_is_listed():
    """A group lists twenty findings with their ids and says how many more there are; equal causes are told once."""
    said = lines(about(*(finding(number) for number in range(45)), left_out=3))
    listed = [line for line in said if line.startswith("00000000000000")]
    assert listed[0] == "0000000000000000  high  arn:aws:s3:::payroll-0  since 2026-03-01 10:00:00 UTC"
    assert len(listed) == 20
    assert "and 28 more: rolewatch findings list" in said
    assert len([line for line in said if line.startswith("Cause")]) == 1
    assert "135 denials from 2026-03-01 10:00:00 UTC to 2026-03-02 10:00:00 UTC" in said
    assert said[-1] == "    rolewatch findings mute ID --until 2026-03-10 --reason 'why'"


def test_summary_tells_each_finding_s_status():
    """A summary's list says which findings are blocked and which have fallen silent, and of silence that it proves nothing."""
    silent = [finding(number, status="silent") for number in range(2)]
    said = lines(about(finding(9), *silent, kind="summary"))
    assert [line.split("  ")[2] for line in said if line.startswith("0000")] == [
        "blocked",
        "silent",
        "silent",
    ]
    assert "No attempt since: that is not proof of recovery." in lines(about(*silent, kind="summary"))


def test_summary_warns_only_of_what_is_still_there():
    """What follows and why is told of findings that somebody can act on, not of those whose resource is gone."""
    gone = finding(1, status="gone", service="x.amazonaws.com", explanation="gone for ever")
    said = text(about(finding(), gone, kind="summary"))
    assert "was refused" not in said
    assert "gone for ever" not in said
    assert title(about(finding(), gone, kind="summary")).endswith("(1 blocked, 1 gone)")


def test_recovery_names_its_proof_action_by_action():
    """What recovered is told with the event that proves it, for each action."""
    proofs = [
        {"iam_action": f"s3:{at}", "event_id": f"e{at}", "event_time": f"2026-03-03T0{at}:00:00Z"}
        for at in (7, 8)
    ]
    said = lines(about(recovered(proof=proofs), kind="recovered"))
    assert said[0].endswith("again since 2026-03-03 08:00:00 UTC, proven by event e8 and 1 more")
    assert "s3:7 was allowed at 2026-03-03 07:00:00 UTC: event e7" in said
    assert not any("mute" in line for line in said)


def test_alarm_is_told_as_cloudwatch_does():
    """State, reason, metric and threshold of an alarm are told."""
    assert lines(alarm())[1:] == [
        "Change: OK -> ALARM at 2026-03-03T08:00:00.000+0000",
        "Reason: Threshold Crossed: 1 datapoint [2.0 (03/03/26 07:59:00)] was greater than the threshold (0.0).",
        "Description: A service was refused.",
        "Metric: Local/Denied",
        "Threshold: SUM GreaterThanThreshold 0.0 for 1 periods of 60 s",
        f"Account: {ACCOUNT}",
        f"Alarm: arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:denied",
    ]


@pytest.mark.parametrize("limit", [1, 80, 400, 900, 2000, 3500])
@pytest.mark.parametrize("kind", KINDS)
def test_text_keeps_to_its_limit(kind, limit):
    """However much there is to tell, a text is not longer than asked, and its first line is what it keeps longest."""
    listed = [recovered(at, fix=FIX) if kind == "recovered" else finding(at, fix=FIX) for at in range(50)]
    notification = about(*listed, kind=kind)
    assert 0 < len(text(notification, limit=limit)) <= limit
    assert text(notification, limit=2000).startswith(title(notification))


def test_short_text_keeps_the_mute_command():
    """A list gives way before the command that mutes."""
    said = text(about(*(finding(number) for number in range(50))), limit=900)
    assert "rolewatch findings mute ID" in said
    assert "more: rolewatch findings list" in said


@pytest.mark.parametrize("kind", KINDS)
def test_what_attackers_write_is_shown_not_obeyed(kind):
    """No control character, bidi mark or lone surrogate of any field reaches a message."""
    proof = [{"iam_action": HOSTILE, "event_id": HOSTILE, "event_time": HOSTILE}]
    facts = {"proof": proof, "status": "recovered"} if kind == "recovered" else {}
    for listed in ([hostile(**facts)], [hostile(**facts), hostile(**facts)]):
        said = text(about(*listed, kind=kind, id=HOSTILE, dedup_key=HOSTILE, time=HOSTILE))
        assert said.encode("utf-8")
        assert all(terminal(line) == line for line in said.split("\n"))
        assert "\n" not in title(about(*listed, kind=kind))


def test_hostile_alarm():
    """Neither does any of an alarm's message."""
    said = text(alarm(said=dict.fromkeys(("AlarmName", "NewStateReason", "Region", "AlarmArn"), HOSTILE)))
    assert all(terminal(line) == line for line in said.split("\n"))


@pytest.mark.parametrize("size", [10_000_000])
def test_endless_names_make_a_short_message(size):
    """Names of ten million characters make a message that can be read."""
    assert len(text(about(hostile("x" * size)))) < 10_000


@given(names=st.lists(st.text(), min_size=1, max_size=3), limit=st.integers(60, 4000))
def test_any_names_fit_any_limit(names, limit):
    """Whatever names findings have, a message is made, keeps to its limit and can be encoded."""
    said = text(about(*(hostile(name) for name in names)), limit=limit)
    assert len(said) <= limit
    assert said.encode("utf-8")


def test_recovered_without_proof_is_no_message():
    """A recovery that nothing proves cannot be put into words."""
    with pytest.raises(SendError, match="nothing proves it"):
        words.told(about(kind="recovered"))


def test_log_alarm_is_told_with_its_contributor_and_lines():
    """Who rings, what was asked, and the log lines that came with it."""
    said = lines(
        alarm(
            said={
                "AlarmContributorAttributes": {"bucket": "payroll", "role": "Config"},
                "Trigger": {"QueryString": "filter errorCode = 'AccessDenied'"},
                "LogLines": ['{"eventID": "b"}', '{"eventID": "a"}'],
            }
        )
    )
    assert "Contributor: bucket=payroll, role=Config" in said
    assert "Query: filter errorCode = 'AccessDenied'" in said
    place = said.index("Log lines, the newest first:") + 1
    assert [line.strip() for line in said[place : place + 2]] == ['{"eventID": "b"}', '{"eventID": "a"}']
