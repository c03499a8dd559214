import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from faults import Broken
from following import names, until
from rolewatch.base.errors import CannotDo, SourceError, UsageError
from rolewatch.sources import Window
from rolewatch.sources.live_places import live_sources


@pytest.fixture
def sources(faults, memory, told):
    """Give a function that makes sources for some words, and close them."""
    del faults
    made = []

    def make(*words, **more):
        new = live_sources(words, memory, told, **more)
        made.extend(new)
        return new

    yield make
    for source in made:
        source.close()


@pytest.fixture
def places(straight, tmp_path, monkeypatch):
    """Make one place of each kind; gives the words for them."""
    name = uuid.uuid4().hex[:12]
    straight("s3").create_bucket(Bucket=f"b-{name}")
    straight("sqs").create_queue(QueueName=name)
    straight("logs").create_log_group(logGroupName=name)
    (tmp_path / "logs").mkdir()
    (tmp_path / "x.json").write_text("x")
    monkeypatch.chdir(tmp_path)
    return ["logs", "x.json", "*.json", f"s3://b-{name}/AWSLogs/", f"sqs://{name}", f"logs://{name}"]


def test_each_word_has_its_source(sources, places):
    """Their words are those typed, but for what they are remembered by."""
    assert places == [source.word for source in sources(*places)]


def test_the_same_place_is_followed_once(sources, places):
    """However it is spelled."""
    logs, file, _, bucket, queue, group = places
    assert len(sources(logs, f"{logs}/", f"./{logs}", file, f"./{file}")) == 2
    assert len(sources(bucket, bucket, queue, queue, group, group)) == 3
    whole = bucket.removesuffix("/AWSLogs/")
    (source,) = sources(whole, f"{whole}/")
    assert source.word == f"{whole}/"


def test_lookups_are_one_for_each_region(sources, faults):
    """Of the word, else of the window, else of the settings."""
    faults.fault = lambda _: Broken(served=False)  # moto has no event history
    for words, window, expected in [
        (["lookup://eu-west-1,us-east-1"], Window(), ["eu-west-1", "us-east-1"]),
        (
            ["lookup://"],
            Window(regions=frozenset({"eu-west-1", "ca-central-1"})),
            ["ca-central-1", "eu-west-1"],
        ),
        (["lookup://", "lookup://"], Window(), ["us-east-1"]),
    ]:
        assert [f"lookup://{region}" for region in expected] == [
            source.word for source in sources(*words, window=window)
        ]


@pytest.mark.parametrize(
    "word", ["nothing", "s3://", "sqs://a b", "logs://a b", "lookup://Nowhere!", "gs://x", ""]
)
def test_a_word_that_means_nothing_is_refused_before_anything_is_asked(sources, places, faults, word):
    """Also as the last of several."""
    faults.requests.clear()
    with pytest.raises(SourceError):
        sources(*places, word)
    assert faults.requests == []


def test_nothing_to_watch_is_an_error(sources):
    """Exit status 2."""
    with pytest.raises(UsageError):
        sources()


def test_what_was_made_is_closed_if_another_cannot_be(sources, places, monkeypatch):
    """No thread and no message is left behind."""
    with Path("x.json").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(SourceError):
            sources(*places, "-", "s3://there-is-no-such-bucket")
    assert [each for each in threading.enumerate() if each.name.startswith("rolewatch")] == []


def test_credentials_that_are_missing_are_said_at_once(sources, places, monkeypatch):
    """Exit status 4, for each of the AWS sources."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    for word in [*places[3:], "lookup://"]:
        with pytest.raises(CannotDo, match="credentials"):
            sources(word)


def test_sources_work_side_by_side(sources, places, straight, faults):
    """One that has trouble does not keep another from giving what it has."""
    folder, queue = sources(places[0], places[4])
    faults.fault = lambda _: Broken(served=False)
    straight("sqs").send_message(QueueUrl=queue._url, MessageBody="hello")
    results = {}

    def follow(source):
        results[source.word] = names(until(source, lambda found: found))

    threads = [threading.Thread(target=follow, args=(source,)) for source in (folder, queue)]
    for thread in threads:
        thread.start()
    Path("logs/a.json").write_text("x")
    threads[0].join(20)
    assert results == {places[0]: ["logs/a.json"]}
    faults.fault = lambda _: None
    threads[1].join(60)
    assert len(results[places[4]]) == 1


def test_following_a_folder_imports_no_aws_library():
    """Only what is asked for is imported."""
    program = (
        "import sys\n"
        "from rolewatch.sources.live_places import live_sources\n"
        "class Memory:\n"
        "    def known(self, marks): return ()\n"
        "    def note(self, source): return None\n"
        "(source,) = live_sources(['.'], Memory(), print)\n"
        "source.arrivals(0); source.close()\n"
        "print([m for m in ('boto3', 'botocore', 'obstore') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
