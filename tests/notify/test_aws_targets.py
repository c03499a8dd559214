"""SNS, SES and EventBridge, against moto's server; what AWS's errors mean, against a server of our own."""

import json
from itertools import count

import pytest
from notices import ACCOUNT, HOSTILE, about, alarm, finding, hostile, recovered
from sending import refused, send

from rolewatch.notify.errors import SendError
from rolewatch.notify.eventbridge import MOST as EVENT_MOST
from rolewatch.notify.sns import MOST, attributes, message, subject
from rolewatch.notify.target import target_of
from rolewatch.notify.words import text, title

_numbers = count()


@pytest.fixture
def queue(aws):
    """Make a queue; give its URL, its ARN and a function that takes what is in it."""
    sqs = aws("sqs")

    def made(*, fifo=False):
        name = f"queue-{next(_numbers)}" + (".fifo" if fifo else "")
        url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        def taken():
            found = []
            while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):  # fmt: skip
                for each in batch:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                found += batch
            return found

        return arn, taken

    return made


@pytest.fixture
def topic(aws, queue):
    """Make a topic to which a queue is subscribed; give its ARN and a function that takes what was published."""
    sns = aws("sns")

    def made(*, fifo=False, policy=None):
        arn, taken = queue(fifo=fifo)
        name = f"topic-{next(_numbers)}" + (".fifo" if fifo else "")
        topic_arn = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})["TopicArn"]
        filtered = {"FilterPolicy": json.dumps(policy)} if policy else {}
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=filtered)
        return topic_arn, taken

    return made


@pytest.fixture
def bus(aws, queue):
    """Make an event bus of which a queue gets our events; give its name and a function that takes what came."""
    events, name = aws("events"), f"bus-{next(_numbers)}"
    arn, taken = queue()
    events.create_event_bus(Name=name)
    events.put_rule(Name="all", EventBusName=name, EventPattern=json.dumps({"source": ["rolewatch"]}))
    events.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "1", "Arn": arn}])
    return name, taken


def test_sns_finding(topic):
    """Findings arrive as JSON, with a subject and attributes to filter by."""
    arn, taken = topic()
    send(f"sns:{arn}", about(finding(), left_out=1))
    (sent,) = (json.loads(each["Body"]) for each in taken())
    assert json.loads(sent["Message"]) == about(finding(), left_out=1).body()
    assert sent["Subject"] == subject(about(finding(), left_out=1))
    assert {name: each["Value"] for name, each in sent["MessageAttributes"].items()} == {
        "kind": "blocked",
        "severity": "high",
        "account": ACCOUNT,
        "service": "config.amazonaws.com",
    }


def test_sns_alarm(topic):
    """An alarm arrives as CloudWatch publishes it: the message, and the subject."""
    arn, taken = topic()
    send(f"sns:{arn}", alarm())
    (sent,) = (json.loads(each["Body"]) for each in taken())
    assert json.loads(sent["Message"]) == alarm().alarm
    assert sent["Subject"] == 'ALARM: "denied" in US East (N. Virginia)'
    assert sent["MessageAttributes"]["state"]["Value"] == "ALARM"


@pytest.mark.parametrize(
    ("policy", "arrives"),
    [
        ({"severity": ["high", "critical"]}, True),
        ({"severity": ["low"]}, False),
        ({"account": ["2"]}, True),
        ({"account": ["3"]}, False),
    ],
)
def test_sns_filters(topic, policy, arrives):
    """A subscription's filter sees the worst severity, and each of several accounts."""
    arn, taken = topic(policy=policy)
    send(f"sns:{arn}", about(finding(severity="low"), finding(1, account="2")))
    assert bool(taken()) is arrives


def test_sns_fifo(topic):
    """In a FIFO topic an incident is a group, and what is sent twice is one message."""
    arn, taken = topic(fifo=True)
    send(
        f"sns:{arn}", about(finding()), about(finding()), about(finding(), id="n-2", dedup_key="k\x00" * 200)
    )
    groups = [each["Attributes"]["MessageGroupId"] for each in taken()]
    assert (len(groups), len(set(groups))) == (2, 2)


def test_sns_is_for_each_protocol_what_it_can_read():
    """E-mail gets the text, phones the first line, all others JSON."""
    forms = json.loads(message(about(finding())))
    assert forms["email"] == text(about(finding()))
    assert forms["sms"] == title(about(finding()), 140)
    assert json.loads(forms["default"])["id"] == "n-1"


@pytest.mark.parametrize("char", ["x", "é", '"', "\\", "\ud800", "😀"])
def test_sns_sizes(char):
    """Whatever is told, a message fits with its attributes, and its subject is 100 characters of ASCII in one line."""
    many = [hostile(char * 100_000), *(finding(at, account=f"{at}", event_ids=["e" * 36] * 999) for at in range(500))]  # fmt: skip
    notification = about(*many)
    whole = message(notification)
    assert len(whole.encode()) + len(json.dumps(attributes(notification))) <= MOST
    assert json.loads(json.loads(whole)["default"])["left_out"] > 0
    assert len(whole) > MOST / 2
    line = subject(notification)
    assert (len(line) <= 100, line.isascii(), line.isprintable(), line == line.strip()) == (True,) * 4


def test_sns_hostile_names(topic):
    """What an attacker writes neither breaks the request nor the subject."""
    arn, taken = topic()
    send(f"sns:{arn}", about(hostile(), id=HOSTILE, dedup_key=HOSTILE))
    (sent,) = taken()
    assert "\n" not in json.loads(sent["Body"])["Subject"]


def test_sns_alarm_that_is_too_large():
    """An alarm's message is never cut: CloudWatch's readers would not understand it."""
    with pytest.raises(SendError, match="larger than SNS takes"):
        message(alarm(said={"AlarmDescription": "x" * 300_000}))


def test_ses(aws):
    """An e-mail is sent as a whole, from the sender to all recipients."""
    from moto.sesv2.models import sesv2_backends  # noqa: PLC0415 - the server runs in this process

    aws("sesv2").create_email_identity(EmailIdentity="rolewatch@example.com")
    send(
        "ses:rolewatch@example.com?to=a@example.com,b@example.com&region=us-east-1", about(finding()), alarm()
    )
    first, second = sesv2_backends["123456789012"]["us-east-1"].core_backend.sent_messages[-2:]
    assert (first.source, set(first.destinations)) == ("rolewatch@example.com", {"a@example.com", "b@example.com"})  # fmt: skip
    assert "Subject: AWS Config cannot s3:GetBucketPolicy" in first.raw_data
    assert "Content-Type: image/png" in second.raw_data


def test_eventbridge(bus):
    """A rule of the bus gets the event: source, detail-type, time, and the body as its detail."""
    name, taken = bus
    notifications = [about(finding()), about(recovered(), kind="recovered"), about(finding(), kind="reopened"), alarm(), about(finding(), kind="summary")]  # fmt: skip
    send(f"eventbridge:{name}?region=us-east-1", *notifications)
    found = [json.loads(each["Body"]) for each in taken()]
    assert sorted(each["detail-type"] for each in found) == [
        "Rolewatch Alarm State Change",
        "Rolewatch Finding Blocked",
        "Rolewatch Finding Recovered",
        "Rolewatch Finding Reopened",
        "Rolewatch Summary",
    ]
    (blocked,) = (each for each in found if each["detail-type"] == "Rolewatch Finding Blocked")
    assert (blocked["source"], blocked["time"]) == ("rolewatch", "2026-03-03T08:00:00Z")
    assert blocked["detail"] == about(finding()).body()


def test_eventbridge_sizes(bus):
    """An event that is too large lists fewer findings, and says how many are left out."""
    name, taken = bus
    send(f"eventbridge:{name}", about(*(finding(at, event_ids=["é" * 36] * 99) for at in range(400)), left_out=1))  # fmt: skip
    (event,) = (json.loads(each["Body"])["detail"] for each in taken())
    assert len(event["findings"]) + event["left_out"] == 401
    assert EVENT_MOST * 0.9 < len(json.dumps(event)) <= EVENT_MOST * 1.1


def test_eventbridge_bus_that_is_not_there(http, aws_environment, monkeypatch):
    """An entry that EventBridge refuses is an error, which passes only where EventBridge says that it failed itself."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", http.url)
    http.headers = {"Content-Type": "application/x-amz-json-1.1"}
    for code, passing in (("InternalFailure", True), ("ThrottlingException", True), ("AccessDenied", False)):
        http.body = json.dumps({"FailedEntryCount": 1, "Entries": [{"ErrorCode": code}]}).encode()
        with pytest.raises(SendError, match=code) as caught:
            send("eventbridge:bus", about(finding()))
        assert caught.value.passing is passing


URLS = [
    "sns:arn:aws:sns:us-east-1:111122223333:t",
    "ses:a@example.com?to=b@example.com&region=us-east-1",
    "eventbridge:bus?region=us-east-1",
    "securityhub:?region=us-east-1",
]


@pytest.fixture
def answering(http, aws_environment, monkeypatch):
    """Point the environment to a server that answers as it is told, in JSON and in XML."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", http.url)
    return http


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(("status", "passing"), [(500, True), (503, True), (429, True), (403, False), (400, False)])  # fmt: skip
def test_errors_of_aws(answering, url, status, passing):
    """A fault of AWS and throttling pass, a refusal does not; each is tried once, since the outbox repeats it."""
    http = answering
    http.status, http.headers = status, {"Retry-After": "9"}
    if url.startswith(("sns", "securityhub")):  # which asks STS first
        http.body = b"<ErrorResponse><Error><Code>Odd</Code><Message>no</Message></Error></ErrorResponse>"
    with pytest.raises(SendError) as caught:
        send(url, about(finding()))
    assert (caught.value.passing, caught.value.retry_after) == (passing, 9.0 if passing else None)
    assert caught.value.message.startswith(url)
    assert len(http.requests) == 1


@pytest.mark.parametrize("code", ["Throttling", "ThrottledException", "RequestLimitExceeded", "ExpiredToken"])
def test_codes_that_pass(answering, code):
    """AWS throttles with a 400, too; and credentials are renewed."""
    answering.status = 400
    answering.body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()  # fmt: skip
    with pytest.raises(SendError, match=code) as caught:
        send(URLS[0], about(finding()))
    assert caught.value.passing


@pytest.mark.parametrize("url", URLS)
def test_answers_that_are_none_of_aws(answering, url):
    """What a portal or a proxy answers in the place of AWS passes."""
    answering.status = 200 if url.startswith(("sns", "securityhub")) else 502
    answering.body = b"<html>Welcome to the hotel"
    with pytest.raises(SendError) as caught:
        send(url, about(finding()))
    assert caught.value.passing


@pytest.mark.parametrize("url", URLS)
def test_aws_that_is_not_there(aws_environment, monkeypatch, url):
    """An endpoint that nobody serves passes."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(SendError) as caught:
        send(url, about(finding()))
    assert caught.value.passing


def test_region_that_nothing_names(aws_environment, monkeypatch):
    """Without a region the error names the remedy."""
    del aws_environment
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(SendError, match="region") as caught:
        send("eventbridge:bus", about(finding()))
    assert "AWS_REGION" in caught.value.remedy


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sns:topic", "no topic by its ARN"),
        ("sns:arn:aws:sns:us-east-1:1:t", "no topic by its ARN"),
        ("sns://AKIA/s3cr3t/us-east-1/topic", "no topic by its ARN"),
        ("sns:arn:aws:sns:us-east-1:111122223333:t?region=x", "it has no options"),
        ("ses:s3cr3t?to=a@b.c", "sender: there is no e-mail address"),
        ("ses:a@b.c", "to: there is no e-mail address"),
        ("ses://a@b.c?to=a@b.c", "right behind ses:"),
        ("ses:a@b.c?to=a@b.c&region=nowhere!", "its region is none"),
        (f"ses:a@b.c?to={','.join(['a@b.c'] * 51)}", "50 addresses at most"),
        ("eventbridge:", "names no event bus"),
        ("eventbridge:a%20b", "names no event bus"),
        ("eventbridge:arn:aws:events:us-east-1:111122223333:event-bus/x?region=eu-west-1", "a region twice"),
        ("securityhub:s3cr3t", "nothing but ?region="),
        ("securityhub:?regoin=us-east-1", "its options are region"),
    ],
)
def test_urls_that_make_no_sense(url, what):
    """What is wrong is said, with an example and without what was typed."""
    refused(url, what)


def test_names():
    """These URLs hold no secrets, and are their own names."""
    urls = [*URLS, "sns:arn:aws-cn:sns:cn-north-1:111122223333:t.fifo", "eventbridge:bus", "securityhub:", "eventbridge:arn:aws:events:us-east-1:111122223333:event-bus/x/y"]  # fmt: skip
    assert [target_of(url, environ={}).name.removesuffix("?region=us-east-1") for url in urls] == [
        url.removesuffix("?region=us-east-1") for url in urls
    ]
