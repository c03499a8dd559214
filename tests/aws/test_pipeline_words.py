"""Parameters, slots and words of a pipeline, without AWS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.aws import pipeline
from rolewatch.aws.change_sets import Change
from rolewatch.aws.pipeline import SLOTS, Endpoint, effective, slots
from rolewatch.aws.wording import ordered, sentence, sentences
from rolewatch.base.errors import UsageError

AFTER = {
    "Subscription2": "sqs arn:q",
    "Subscription4": "https https://user:word@hooks.example.com/T0KEN?key=1",
}
ADDRESSES = st.sampled_from([f"{letter}@example.com" for letter in "abcdefghij"])


@given(
    st.lists(ADDRESSES, max_size=8, unique=True), st.lists(ADDRESSES, max_size=8, unique=True), st.randoms()
)
def test_endpoints_stay_in_their_slots(before, after, random):
    """Who was told and still is keeps the slot, so that nobody has to confirm again; all others fill the gaps."""
    texts = [f"email {each}" for each in before] + [""] * (len(SLOTS) - len(before))
    random.shuffle(texts)
    has = dict(zip(SLOTS, texts, strict=True))
    found = slots([Endpoint("email", each) for each in after], has)
    assert list(found) == list(SLOTS)
    assert sorted(text for text in found.values() if text) == sorted(f"email {each}" for each in after)
    for slot, text in has.items():
        if text and text.removeprefix("email ") in after:
            assert found[slot] == text


def test_too_many_endpoints():
    """More than there are places for is wrong usage, with another way."""
    with pytest.raises(UsageError, match="9 endpoints are more than the 8"):
        slots([Endpoint("sqs", str(number)) for number in range(9)], {})


def test_values_after_a_deployment():
    """What is given goes before what the stack has, and that before the default."""
    found = effective({"RetentionDays": "30"}, {"RetentionDays": "7", "Alarm": "log"})
    assert (found["RetentionDays"], found["Alarm"], found["Dashboard"]) == ("30", "log", "yes")
    assert found.keys() == pipeline.defaults().keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("Add", "Topic", "AWS::SNS::Topic"), "creates the topic of the notifications"),
        (Change("Modify", "LogGroup", "AWS::Logs::LogGroup", "g", "False", ("RetentionInDays",)), "changes the log group that CloudTrail delivers to (RetentionInDays)"),
        (Change("Modify", "TrailBucket", "AWS::S3::Bucket", "b", "True", ("BucketName",)), "replaces the bucket of the log files (BucketName); the old one is kept"),
        (Change("Modify", "Topic", "AWS::SNS::Topic", "t", "Conditional", ("TopicName",)), "changes or replaces the topic of the notifications (TopicName)"),
        (Change("Remove", "TrailBucket", "AWS::S3::Bucket", "logs-1"), "lets go of the bucket of the log files logs-1, which is kept"),
        (Change("Remove", "Graph", "AWS::CloudWatch::Dashboard", "d"), "removes the dashboard"),
        (Change("Dynamic", "Graph", "AWS::CloudWatch::Dashboard", "d"), "may change the dashboard"),
        (Change("Add", "Endpoint2", "AWS::SNS::Subscription"), "creates the subscription of sqs arn:q"),
        (Change("Add", "Endpoint4", "AWS::SNS::Subscription"), "creates the subscription of https hooks.example.com"),
        (Change("Remove", "Endpoint3", "AWS::SNS::Subscription", "s"), "removes the subscription Endpoint3"),
        (Change("Add", "Unheard", "AWS::Of::It"), "creates the AWS::Of::It Unheard"),
    ],
)  # fmt: skip
def test_sentences(change, said):
    """Each change is a sentence in the reader's words, with what is replaced and what is kept."""
    assert sentence(change, AFTER) == said


def test_order_of_sentences():
    """What goes comes first, alarms before the bucket; then what is made, the bucket before alarms; queries in one sentence."""
    queries = [Change("Add", f"Q{number}", "AWS::Logs::QueryDefinition") for number in range(8)]
    kinds = [("DeniedAlarm", "AWS::CloudWatch::Alarm"), ("TrailBucketPolicy", "AWS::S3::BucketPolicy")]
    changes = [Change(action, *kind) for action in ("Add", "Remove") for kind in kinds]
    assert [(each.action, each.logical_id) for each in ordered(changes)] == [
        ("Remove", "DeniedAlarm"),
        ("Remove", "TrailBucketPolicy"),
        ("Add", "TrailBucketPolicy"),
        ("Add", "DeniedAlarm"),
    ]
    assert sentences([*queries, *changes], {})[-1] == "creates 8 saved queries of Logs Insights"
