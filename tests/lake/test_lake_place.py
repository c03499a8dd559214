"""A lake in a folder: the manifest is replaced as a whole, by who knows the last one, and others can read it."""

import fcntl
import os
import stat
import subprocess
import sys

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.lake.bucket import Bucket
from rolewatch.lake.place import MANIFEST, OURS, Folder, place_of


@pytest.fixture
def place(tmp_path):
    """Give a folder that is not there yet."""
    return Folder(str(tmp_path / "some" / "lake"))


def replaced(place, content):
    """Replace the manifest, whatever it is."""
    with place.writing():
        return place.replace(content, place.manifest()[1])


def test_words(tmp_path, aws_environment):
    """What --lake may name: a folder, or a prefix of a bucket."""
    del aws_environment
    assert isinstance(place_of(str(tmp_path)), Folder)
    bucket = place_of("s3://b/some/prefix/")
    assert (type(bucket), bucket.name) == (Bucket, "s3://b/some/prefix")


@pytest.mark.parametrize("word", ["s3://", "s3:///x", "gs://b", "https://x/y"])
def test_words_that_name_no_lake(word, aws_environment):
    """Other words are errors that say what to write."""
    del aws_environment
    with pytest.raises(UsageError) as caught:
        place_of(word)
    assert "s3://bucket/prefix" in caught.value.remedy


def test_manifest(place):
    """It is replaced by who knows the last one, and by nobody else."""
    assert place.manifest() == (None, None)
    assert replaced(place, b"one")
    content, state = place.manifest()
    assert content == b"one"
    assert not place.replace(b"two", None)
    assert not place.replace(b"two", f"{state}0")
    assert place.replace(b"two", state)
    assert not place.replace(b"three", state)
    assert place.manifest()[0] == b"two"
    assert place.manifest()[1] != state


def test_the_same_manifest_again_is_another_one(place):
    """Two manifests of one content are told apart."""
    replaced(place, b"one")
    state = place.manifest()[1]
    replaced(place, b"one")
    assert not place.replace(b"two", state)


def test_nothing_is_left_of_a_manifest_that_cannot_be_written(place, monkeypatch):
    """The last one stays, and no file beside it."""
    replaced(place, b"one")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        replaced(place, b"two")
    assert place.manifest()[0] == b"one"
    assert sorted(path.name for path in (place.root / MANIFEST).parent.iterdir()) == [".lock", "parts.jsonl"]


def test_others_can_read_it(place):
    """Files have the permissions that the user's mask gives, as all files have."""
    mask = os.umask(0o022)
    try:
        replaced(place, b"one")
        staged = place.staging() / "x"
        staged.write_bytes(b"x")
        place.put(staged, "records/day=2026-03-01/x")
    finally:
        os.umask(mask)
    for name in (MANIFEST, "records/day=2026-03-01/x"):
        assert stat.S_IMODE((place.root / name).stat().st_mode) == 0o644
    for folder in ("manifest", "records", "records/day=2026-03-01"):
        assert stat.S_IMODE((place.root / folder).stat().st_mode) == 0o755


def test_files(place):
    """What is staged goes into the lake by its name and is listed; names with a dot or a dash below are not."""
    staged = place.staging() / "x"
    staged.write_bytes(b"12345")
    place.put(staged, "records/day=2026-03-01/part-a.parquet")
    assert not staged.exists()
    for name in ("records/day=2026-03-01/.hidden", "records/_SUCCESS", "records/.x/y", "records/_temporary/0/z", "records/README", "deliveries/done-1.bin", "other/x"):  # fmt: skip
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_bytes(b"")
    found = list(place.files())
    assert [(each.name, each.bytes) for each in found] == [("records/README", 0), ("records/day=2026-03-01/part-a.parquet", 5), ("deliveries/done-1.bin", 0)]  # fmt: skip
    assert found[0].modified == (place.root / "records/README").stat().st_mtime
    place.close()
    assert not list((place.root / ".staged").iterdir())


def test_remove(place):
    """A file goes, and the folder of its day with the last one; what is gone is no error."""
    for name in ("a", "b"):
        staged = place.staging() / name
        staged.write_bytes(b"")
        place.put(staged, f"records/day=2026-03-01/{name}")
    place.remove("records/day=2026-03-01/a")
    place.remove("records/day=2026-03-01/a")
    assert [each.name for each in place.files()] == ["records/day=2026-03-01/b"]
    place.remove("records/day=2026-03-01/b")
    assert list((place.root / "records").iterdir()) == []
    place.remove("records/day=2026-03-09/b")


def test_local(place):
    """Files are read where they lie; those that are not there are told."""
    (place.root / "records").mkdir(parents=True)
    (place.root / "records" / "a").write_bytes(b"a")
    told = []
    with place.local(["records/a", "records/b"], lambda *each: told.append(each)) as found:
        assert found == {"records/a": place.root / "records" / "a"}
    assert told == [("records/b", "the manifest lists it, and it is not there")]


def test_a_file(tmp_path):
    """A lake cannot lie in a file."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="this is a file"):
        Folder(str(path)).manifest()
    assert Folder(str(path / "below")).manifest() == (None, None)


@pytest.mark.parametrize("name", ["records/day=2026-03-01/part-0123456789abcdef.parquet", "records/day=__HIVE_DEFAULT_PARTITION__/part-0123456789abcdef.parquet"])  # fmt: skip
def test_names_that_are_ours(name):
    """Only names that rolewatch gives are its own."""
    assert OURS.fullmatch(name)
    for other in (name.replace("f.p", "g.p"), name + "x", name.replace("records/", ""), name.replace("day", "date"), name.replace("part", "x")):  # fmt: skip
        assert not OURS.fullmatch(other)


HOLD = """
import sys
from rolewatch.lake.place import Folder
with Folder(sys.argv[1]).writing():
    print("entered", flush=True)
    sys.stdin.read()
"""


def _holder(name):
    return subprocess.Popen([sys.executable, "-c", HOLD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_one_writes_at_a_time(place):
    """Who wants to replace the manifest waits for who is about to; when that one is killed, it goes on."""
    with _holder(place.name) as first:
        assert first.stdout.readline() == b"entered\n"
        with _holder(place.name) as second:
            os.set_blocking(second.stdout.fileno(), False)
            descriptor = os.open(place.root / MANIFEST.replace("parts.jsonl", ".lock"), os.O_RDWR)
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(descriptor)
            assert second.stdout.read() is None
            os.set_blocking(second.stdout.fileno(), True)
            first.kill()
            assert second.stdout.readline() == b"entered\n"
            second.stdin.close()
