"""Who changed a policy last before a denial began, and what that added."""

import json

import pytest

from rolewatch.explain.blame import History, PolicyChange, changes_in, history_of, plan_of_changes
from rolewatch.plan import Where

BUCKET = "arn:aws:s3:::payroll"
DENY = {"Sid": "VpcOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"{BUCKET}/*"}
TLS = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"{BUCKET}/*"}


def call(name, parameters, *, source="s3", time="2026-03-01T10:00:00Z", event="e1", **more):
    """Make the record of a call by a person."""
    return json.dumps(
        {
            "eventTime": time,
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/admin/ann",
            },
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2",
            "eventID": event,
            "requestParameters": parameters,
            **more,
        }
    )


def put(*statements, **more):
    """Make the record of a bucket's new policy."""
    return call(
        "PutBucketPolicy",
        {"bucketName": "payroll", "bucketPolicy": {"Version": "2012-10-17", "Statement": list(statements)}},
        **more,
    )


def history(*messages):
    """Make a history of records."""
    return History(change for message in messages for change in changes_in(message))


def test_what_only_adds_access_is_not_to_blame():
    """Grants and permissions that came after the policy was changed shut nobody out; what was added cannot be told behind one."""
    key = "arn:aws:kms:us-east-1:111122223333:key/k"

    def made(name, time, policy=None):
        return PolicyChange(
            time, key, name, "ann", None, None, f"e-{time}", None if policy is None else policy
        )

    deny = {"Statement": [DENY]}
    grants = [made("CreateGrant", f"2026-03-02T10:00:{second:02d}Z") for second in range(30)]
    found = History([made("PutKeyPolicy", "2026-03-01T10:00:00Z", deny), *grants]).blame(
        key, "2026-03-03T00:00:00Z"
    )
    assert found is not None
    assert found.change.event_name == "PutKeyPolicy"
    assert History(grants).blame(key, "2026-03-03T00:00:00Z") is None
    behind = History([*grants, made("PutKeyPolicy", "2026-03-02T11:00:00Z", deny)]).blame(
        key, "2026-03-03T00:00:00Z"
    )
    assert behind is not None
    assert not behind.compared
    revoked = History([*grants, made("RevokeGrant", "2026-03-02T11:00:00Z")]).blame(
        key, "2026-03-03T00:00:00Z"
    )
    assert revoked is not None
    assert revoked.change.event_name == "RevokeGrant"


def test_the_last_change_before_the_first_denial_is_named():
    """Neither an earlier change nor one that came after the denial began is to blame."""
    found = history(
        put(TLS, time="2026-03-01T10:00:00Z", event="first"),
        put(TLS, DENY, time="2026-03-02T10:00:00Z", event="second"),
        put(TLS, time="2026-03-04T10:00:00Z", event="third"),
    ).blame(BUCKET, "2026-03-03T00:00:00Z")
    assert found is not None
    assert found.to_json() == {
        "time": "2026-03-02T10:00:00Z",
        "event_name": "PutBucketPolicy",
        "principal": "arn:aws:sts::111122223333:assumed-role/admin/ann",
        "source_ip": "203.0.113.7",
        "user_agent": "aws-cli/2",
        "event_id": "second",
        "added": [DENY],
        "removed": [],
        "compared_with_earlier_policy": True,
    }


def test_without_an_earlier_change_all_of_the_policy_counts_as_added():
    """It is said that nothing was there to compare with."""
    found = history(put(TLS, DENY)).blame(BUCKET, "2026-03-03T00:00:00Z")
    assert found is not None
    assert (found.added, found.compared) == ([TLS, DENY], False)


def test_what_was_taken_out_is_named():
    """An Allow that is gone keeps a role out as well as a Deny that came."""
    found = history(put(TLS, DENY, event="a"), put(TLS, time="2026-03-02T10:00:00Z", event="b")).blame(
        BUCKET, None
    )
    assert found is not None
    assert (found.added, found.removed) == ([], [DENY])


def test_a_policy_that_was_deleted():
    """All of its statements are gone then."""
    deleted = call("DeleteBucketPolicy", {"bucketName": "payroll"}, time="2026-03-02T10:00:00Z", event="b")
    found = history(put(TLS, event="a"), deleted).blame(BUCKET, "2026-03-03T00:00:00Z")
    assert found is not None
    assert (found.change.event_name, found.removed) == ("DeleteBucketPolicy", [TLS])


def test_a_change_after_the_denial_began_is_none():
    """Who repaired a policy did not break it."""
    assert history(put(TLS, time="2026-03-04T10:00:00Z")).blame(BUCKET, "2026-03-03T00:00:00Z") is None


def test_another_resource_has_its_own_history():
    """Changes of other buckets are not told."""
    assert history(put(DENY)).blame("arn:aws:s3:::other", None) is None


def test_an_event_that_was_delivered_twice_is_one_change():
    """A copy is not the change before."""
    found = history(put(DENY), put(DENY)).blame(BUCKET, None)
    assert found is not None
    assert found.compared is False


@pytest.mark.parametrize("order", [1, -1])
def test_a_call_across_accounts_is_one_change(order):
    """Each account has a record of it; the one counts that names who called, in whatever order they come."""
    earlier = put(TLS, time="2026-02-28T10:00:00Z", event="a")
    caller = put(TLS, DENY, event="c", sharedEventID="s")
    owner = put(
        TLS, DENY, event="b", sharedEventID="s", userIdentity={"type": "AWSAccount", "accountId": "1"}
    )
    found = history(*[earlier, caller, owner][::order]).blame(BUCKET, None)
    assert found is not None
    assert (found.change.event_id, found.added) == ("c", [DENY])


@pytest.mark.parametrize("order", [1, -1])
def test_changes_of_one_second(order):
    """Are taken in the order of their ids, so that it does not matter how they were delivered."""
    found = history(*[put(TLS, event="a"), put(TLS, DENY, event="b")][::order]).blame(BUCKET, None)
    assert found is not None
    assert (found.change.event_id, found.added) == ("b", [DENY])


OTHERS = [
    ("kms", "PutKeyPolicy", {"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "policy": '{"Statement": []}'}, "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("sqs", "SetQueueAttributes", {"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q", "attributes": {"Policy": "{}"}}, "arn:aws:sqs:us-east-1:111122223333:q"),
    ("sns", "SetTopicAttributes", {"topicArn": "arn:aws:sns:us-east-1:111122223333:t", "attributeName": "Policy", "attributeValue": "{}"}, "arn:aws:sns:us-east-1:111122223333:t"),
    ("secretsmanager", "PutResourcePolicy", {"secretId": "arn:aws:secretsmanager:us-east-1:111122223333:secret:s-AbCdEf", "resourcePolicy": "{}"}, "arn:aws:secretsmanager:us-east-1:111122223333:secret:s-AbCdEf"),
    ("lambda", "AddPermission20150331v2", {"functionName": "f", "statementId": "s"}, "arn:aws:lambda:us-east-1:111122223333:function:f"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "name", "parameters", "resource"), OTHERS, ids=[case[1] for case in OTHERS]
)
def test_changes_of_other_policies(source, name, parameters, resource):
    """Each kind of policy has calls that change it, and a resource that these name."""
    assert [change.resource for change in changes_in(call(name, parameters, source=source))] == [resource]


NONE = [
    put(DENY, errorCode="AccessDenied"),
    call("SetQueueAttributes", {"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/q", "attributes": {"DelaySeconds": "5"}}, source="sqs"),
    call("GetBucketPolicy", {"bucketName": "payroll"}),
    "no JSON",
    "[]",
    "[" * 100_000,
    None,
]  # fmt: skip


@pytest.mark.parametrize(
    "message", NONE, ids=["refused", "another attribute", "a look", "text", "a list", "too deep", "nothing"]
)
def test_what_changes_no_policy(message):
    """A call that was refused, or that is about something else, changes nothing."""
    assert list(changes_in(message)) == []


@pytest.mark.parametrize("policy", ["{", "[]", 7, None, {"Statement": 7}, {"Statement": DENY}], ids=repr)
def test_a_policy_that_is_none(policy):
    """What a caller wrote instead of a policy breaks nothing."""
    message = call("PutBucketPolicy", {"bucketName": "payroll", "bucketPolicy": policy})
    found = history(message).blame(BUCKET, None)
    assert found is not None
    assert found.added == ([DENY] if policy == {"Statement": DENY} else [])


def test_the_query_asks_for_the_records_of_changes_only():
    """So that a search for their names is all that most deliveries cost."""
    plan = plan_of_changes()
    assert isinstance(plan.steps[0], Where)
    asked = []
    history_of(lambda found, most: asked.append((found, most)) or [(put(DENY),)])
    assert [found for found, _ in asked] == [plan]


def test_changes_come_in_the_order_of_time():
    """However they were delivered."""
    changes = [
        PolicyChange(
            f"2026-03-0{day}T00:00:00Z", BUCKET, "PutBucketPolicy", "ann", None, None, f"e{day}", None
        )
        for day in (3, 1, 2)
    ]
    found = History(changes).blame(BUCKET, "2026-03-02T12:00:00Z")
    assert found is not None
    assert found.change.event_id == "e2"
