"""Records, and every shape in which they are delivered, for the tests of the exact reader."""

import base64
import gzip
import json

from rolewatch.cloudtrail.split import Damaged, Skipped, split


def record(number, **more):
    """Make a small record with what misleads readers: nested arrays, quotes, backslashes, wide characters."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "AWSService", "invokedBy": "config.amazonaws.com"},
        "eventTime": "2026-03-01T00:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketAcl",
        "requestParameters": {"list": [{"a": 'é "quoted" \\ }]}'}, {"b": "\U0001f512"}]},
        "eventID": f"00000000-0000-0000-0000-{number:012d}",
        **more,
    }


def dumps(value):
    """Write JSON as CloudTrail does: without white space."""
    return json.dumps(value, separators=(",", ":"))


def compact(value):
    """Write JSON without white space, as bytes."""
    return dumps(value).encode()


def lines(values, end=b"\n"):
    """Write one value a line."""
    return b"".join(compact(value) + end for value in values)


def base64_gzip(content):
    """Pack content the way CloudWatch Logs sends it to Kinesis and Lambda."""
    return base64.b64encode(gzip.compress(content)).decode()


def log_events(records):
    """Write a CloudWatch Logs subscription payload."""
    events = [
        {"id": str(number), "timestamp": 1432826855000, "message": dumps(item)}
        for number, item in enumerate(records)
    ]
    head = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "trail", "logStream": "s"}
    return {**head, "subscriptionFilters": ["all"], "logEvents": events}


def event(item):
    """Write an EventBridge event."""
    head = {"version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}
    return {**head, "account": "1", "time": "t", "region": "r", "resources": [], "detail": item}


def notification(message):
    """Write an SNS notification."""
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": message, "Timestamp": "t"}


def filtered(records):
    """Write the answer of FilterLogEvents."""
    return {"events": [{"logStreamName": "s", "message": dumps(item)} for item in records]}


# fmt: off
SHAPES = {
    "log file": lambda records: compact({"Records": records}),
    "log file, gzip": lambda records: gzip.compress(compact({"Records": records})),
    "log file, members": lambda records: b"".join(gzip.compress(compact({"Records": [item]})) for item in records),
    "pretty": lambda records: json.dumps({"Records": records}, indent=2).encode(),
    "pretty, tabs and CRLF": lambda records: json.dumps({"Records": records}, indent="\t").replace("\n", "\r\n").encode(),
    "pretty, no indentation": lambda records: json.dumps({"Records": records}, indent=0).encode(),
    "other keys first": lambda records: compact({"note": [1, {"a": "]}"}], "Records": records, "more": {}}),
    "escaped": lambda records: compact({"Records": records}).replace(b"/", b"\\/").replace(b"Acl", b"\\u0041cl"),
    "JSON lines": lines,
    "JSON lines, CRLF": lambda records: lines(records, b"\r\n"),
    "JSON lines, blank ones": lambda records: lines(records, b"\n\n  \n"),
    "JSON lines, commas": lambda records: lines(records, b",\n"),
    "concatenated": lambda records: lines(records, b""),
    "pretty values": lambda records: b"\n".join(json.dumps(item, indent=1).encode() for item in records),
    "log files, a line each": lambda records: lines({"Records": [item]} for item in records),
    "log files, concatenated": lambda records: lines(({"Records": [item]} for item in records), b""),
    "array": compact,
    "array, pretty": lambda records: json.dumps(records, indent=4).encode(),
    "EventBridge": lambda records: lines(map(event, records)),
    "EventBridge, array": lambda records: compact([event(item) for item in records]),
    "CloudWatch Logs": lambda records: compact(log_events(records)),
    "CloudWatch Logs, Firehose": lambda records: b"".join(gzip.compress(compact(log_events([item]))) for item in records),
    "CloudWatch Logs, Lambda": lambda records: compact({"awslogs": {"data": base64_gzip(compact(log_events(records)))}}),
    "CloudWatch Logs, Kinesis": lambda records: compact({"Records": [{"kinesis": {"data": base64_gzip(compact(log_events([item])))}, "eventSource": "aws:kinesis", "eventID": "1", "eventVersion": "1.0"} for item in records]}),
    "CloudWatch Logs, GetRecords": lambda records: compact({"Records": [{"Data": base64_gzip(compact(log_events(records))), "PartitionKey": "1"}], "NextShardIterator": "i"}),
    "Firehose transformation": lambda records: compact({"invocationId": "1", "records": [{"recordId": "1", "data": base64_gzip(compact(log_events([item])))} for item in records]}),
    "FilterLogEvents": lambda records: compact(filtered(records)),
    "FilterLogEvents, streams first": lambda records: compact({"searchedLogStreams": [{"a": 1}], **filtered(records)}),
    "aws logs tail": lambda records: b"".join(b"2026-03-01T00:00:00.123000+00:00 1_CloudTrail_us-east-1 " + compact(item) + b"\n" for item in records),
    "LookupEvents": lambda records: compact({"Events": [{"EventId": "1", "ReadOnly": "true", "CloudTrailEvent": dumps(item)} for item in records]}),
    "SNS": lambda records: compact(notification(dumps({"Records": records}))),
    "SNS, Lambda": lambda records: compact({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(dumps(item))} for item in records]}),
    "SQS": lambda records: compact({"Messages": [{"MessageId": "1", "ReceiptHandle": "h", "Body": dumps(item)} for item in records]}),
    "SQS, SNS, EventBridge": lambda records: compact({"Messages": [{"MessageId": "1", "Body": dumps(notification(dumps(event(item))))} for item in records]}),
    "SQS, Lambda, SNS": lambda records: compact({"Records": [{"messageId": "1", "body": dumps(notification(dumps({"Records": [item]}))), "eventSource": "aws:sqs"} for item in records]}),
    "strings": lambda records: lines(map(dumps, records)),
    "byte order mark": lambda records: b"\xef\xbb\xbf" + compact({"Records": records}),
    "byte order marks between": lambda records: lines(records, b"\n\xef\xbb\xbf"),
    "UTF-16": lambda records: json.dumps({"Records": records}, ensure_ascii=False).encode("utf-16"),
    "UTF-16, big-endian, no mark": lambda records: json.dumps({"Records": records}, ensure_ascii=False).encode("utf-16-be"),
    "UTF-32": lambda records: json.dumps({"Records": records}, ensure_ascii=False).encode("utf-32"),
    "UTF-8 letters": lambda records: json.dumps({"Records": records}, ensure_ascii=False).encode(),
}
# fmt: on


def pieces(content, size):
    """Cut content into pieces, as a stream gives it."""
    return (content[start : start + size] for start in range(0, len(content), size))


def read(content, size=1 << 23, limits=None):
    """Split content, or pieces of it; return its raw records, and what was wrong or None."""
    found = []
    try:
        for batch in split(pieces(content, size) if isinstance(content, bytes) else content, limits):
            found += batch
    except (Damaged, Skipped, OSError) as verdict:
        return found, verdict
    return found, None


def parsed(content, size=1 << 23, limits=None):
    """Split content; return its records as values, and what was wrong or None."""
    found, verdict = read(content, size, limits)
    return [json.loads(item) for item in found], verdict
