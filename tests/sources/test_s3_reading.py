import os
import pickle

import msgspec
import pytest

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.sources import Window, deliveries, s3
from rolewatch.sources.s3 import S3Delivery

DENIED = b"<Error><Code>AccessDenied</Code><Message>no kms:Decrypt</Message></Error>"


def listed(bucket, key=""):
    """List the deliveries of a bucket."""
    return list(deliveries(f"s3://{bucket.name}/{key}", Window(), problems=[]))


@pytest.fixture
def elsewhere(server, monkeypatch):
    """Describe an object of 11 bytes on the server under the test's control."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    return S3Delivery(
        name="s3://bucket/key",
        identity="bucket/key+e",
        named=False,
        size=11,
        remote=True,
        bucket="bucket",
        key="key",
        etag='"e"',
        region="us-east-1",
        endpoint=server.url,
    )


@pytest.fixture
def forked(monkeypatch):
    """As in a process that was forked from one that has used obstore: its threads are not here."""
    monkeypatch.setattr(s3, "_owner", {"process": os.getpid() + 1})

    def refuse(*_):
        raise AssertionError("obstore would block for ever")

    monkeypatch.setattr(s3, "_store", refuse)


KEYS = ["plain.json", "a b+c%20d&é?.json.gz", "a//b", "/lead", "a/../b", "back\\slash", "tail/"]


@pytest.mark.parametrize("key", KEYS)
def test_an_object_is_read_whatever_its_key(bucket, key):
    """Keys are any text; the content is what was stored, not that of a similar key."""
    bucket.put("a/b", "lead", "b", "tail", body=b"another")
    bucket.put(key, body=key.encode())
    contents = {delivery.key: delivery.read() for delivery in listed(bucket)}
    assert key.encode() == contents[key]


def test_a_pickled_object_is_read(bucket):
    """Worker processes get deliveries and read them there."""
    bucket.put("x.json", body=b"records")
    (delivery,) = listed(bucket)
    copy = pickle.loads(pickle.dumps(delivery))  # noqa: S301 - our own bytes
    assert (delivery, b"records") == (copy, copy.read())


def test_a_large_object_is_read_in_ranges(bucket, monkeypatch):
    """The stream gives the same bytes, whatever is asked for at a time."""
    monkeypatch.setattr(s3, "RANGE", 10)
    body = bytes(range(256))
    bucket.put("x.json", body=body)
    (delivery,) = listed(bucket)
    with delivery.open() as stream:
        pieces = [stream.read(2), stream.read(7), stream.read(100), stream.read(), stream.read(1)]
    assert ([2, 7, 100, 147, 0], body) == ([len(piece) for piece in pieces], b"".join(pieces))


def test_a_forked_process_reads_without_obstore(bucket, forked):
    """Whole objects and ranges come over boto3."""
    del forked
    bucket.put("x.json", body=b"records")
    (delivery,) = listed(bucket)
    with delivery.open() as stream:
        assert (delivery.read(), stream.read(3)) == (b"records", b"rec")


@pytest.mark.parametrize("key", ["x.json", "x//y.json"])
def test_an_object_that_vanished_says_so(bucket, key):
    """Both ways of reading give the same reason, and the same class of error."""
    bucket.put(key)
    (delivery,) = listed(bucket, "x")
    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    with pytest.raises(FileNotFoundError) as caught:
        delivery.read()
    assert caught.value.strerror == "object vanished between listing and reading"


@pytest.mark.parametrize("key", ["x.json", "x//y.json"])
def test_an_object_that_changes_while_it_is_read_says_so(bucket, monkeypatch, key):
    """Ranges of two contents must not be put together."""
    monkeypatch.setattr(s3, "RANGE", 4)
    bucket.put(key, body=b"first content")
    (delivery,) = listed(bucket, "x")
    with delivery.open() as stream:
        assert stream.read(4) == b"firs"
        bucket.put(key, body=b"other content")
        with pytest.raises(OSError, match="object was replaced while it was read"):
            stream.read()


@pytest.mark.parametrize("key", ["key", "a//key"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((403, DENIED), (PermissionError, "denied by S3: AccessDenied: no kms:Decrypt")),
        (
            (403, b"<Error><Code>ExpiredToken</Code></Error>"),
            (PermissionError, "denied by S3: ExpiredToken"),
        ),
        (
            (404, b"<Error><Code>NoSuchBucket</Code></Error>"),
            (FileNotFoundError, "bucket vanished between listing and reading"),
        ),
        (
            (403, b"<Error><Code>InvalidObjectState</Code><Message>m</Message></Error>"),
            (OSError, "archived by S3 (Glacier): restore the object first"),
        ),
        ((400, b"<Error><Code>Odd</Code><Message>m</Message></Error>"), (OSError, "S3: Odd: m")),
    ],
)
def test_a_refused_object_says_what_s3_said(elsewhere, server, key, answer, expected):
    """Both ways of reading name S3's code and message."""
    server.answer = lambda *_: answer
    delivery = msgspec.structs.replace(elsewhere, key=key)
    with pytest.raises(OSError, match=r"\S") as caught:
        delivery.read()
    assert expected == (type(caught.value), caught.value.strerror)


@pytest.mark.parametrize(("status", "reason"), [(403, "denied by S3: "), (404, "object vanished")])
def test_a_refusal_without_a_body_says_what_its_status_means(elsewhere, server, status, reason):
    """Some stores and proxies answer with a status alone."""
    server.answer = lambda *_: (status, b"")
    with pytest.raises(OSError, match=r"\S") as caught:
        elsewhere.read()
    assert caught.value.strerror.startswith(reason)


def test_a_failing_store_is_asked_again(elsewhere, server):
    """A passing fault costs a pause, not the object."""
    answers = iter([(503, b"<Error><Code>SlowDown</Code></Error>"), (500, b""), (200, b"the content")])
    server.answer = lambda *_: next(answers)
    assert (elsewhere.read(), len(server.requests)) == (b"the content", 3)


def test_a_short_answer_is_no_content(elsewhere, server):
    """A range that is not what was asked for is an error, not a shorter object."""
    server.answer = lambda *_: (200, b"half")
    with elsewhere.open() as stream, pytest.raises(OSError, match="S3"):
        stream.read()


def test_reading_without_credentials_says_so(elsewhere, monkeypatch):
    """The reason is the session's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(PermissionError) as caught:
        elsewhere.read()
    assert caught.value.strerror == "no AWS credentials found"


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("boto3", lambda _: list(deliveries("s3://bucket", Window(), problems=[]))),
        ("boto3", lambda _: list(deliveries("lookup://", Window(), problems=[]))),
        ("obstore", lambda server: s3._store("bucket", "us-east-1", f"{server.url}/new")),
    ],
)
def test_without_the_extra_it_is_named(monkeypatch, server, package, call):
    """What is missing, and the command that installs it."""
    for module in (package, "obstore.store"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(CannotDo) as caught:
        call(server)
    assert caught.value.message == f"AWS sources need {package}, which is not installed"
    assert "pip install 'rolewatch[aws]'" in caught.value.remedy


def test_a_profile_that_does_not_exist_says_so(aws_environment, monkeypatch):
    """Exit status 4, with what to do."""
    del aws_environment
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CannotDo, match=r"cannot use s3: .*nobody") as caught:
        aws.client("s3")
    assert caught.value.remedy == "name a profile of ~/.aws/config in AWS_PROFILE"


@pytest.fixture(params=["with obstore", "in a forked process"])
def versions(request, bucket):
    """Store an object twice in a bucket that keeps versions; gives the delivery of the first one."""
    if request.param == "in a forked process":
        request.getfixturevalue("forked")
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    first = bucket.client.put_object(Bucket=bucket.name, Key="k", Body=b"first")
    (delivery,) = listed(bucket)
    return msgspec.structs.replace(delivery, version=first["VersionId"])


def test_a_version_is_read_although_the_object_was_replaced_or_deleted(bucket, versions):
    """A notice of it may be late."""
    assert versions.read() == b"first"
    bucket.put("k", body=b"second")
    assert (versions.read(), versions.open().read()) == (b"first", b"first")
    bucket.client.delete_object(Bucket=bucket.name, Key="k")
    assert (versions.read(), versions.open().read()) == (b"first", b"first")


def test_a_version_is_asked_for_only_where_it_is_needed(elsewhere, server):
    """It takes a permission of its own."""
    answers = iter(
        [(200, b"hello world"), (404, DENIED.replace(b"AccessDenied", b"NoSuchKey")), (403, DENIED)]
    )
    server.answer = lambda *_: next(answers)
    delivery = msgspec.structs.replace(elsewhere, version="v1")
    assert delivery.read() == b"hello world"
    assert "versionId" not in server.requests[0][1]
    with pytest.raises(PermissionError, match="denied by S3"):
        delivery.read()
    assert "versionId=v1" in server.requests[2][1]


def test_an_object_of_unknown_size_can_be_read(bucket):
    """Whole, or as a stream."""
    bucket.put("k")
    (delivery,) = listed(bucket)
    delivery = msgspec.structs.replace(delivery, size=-1, etag="")
    assert (delivery.read(), delivery.open().read()) == (b"content", b"content")
