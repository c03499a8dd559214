import os

import pytest

from rolewatch.base.errors import CannotDo
from rolewatch.sources import Window, deliveries
from rolewatch.sources.delivery import BytesDelivery, FileDelivery, RefusedDelivery, StdinDelivery
from rolewatch.sources.locators import KEPT, delivery_of, locator


def bytes_of(content):
    """Make a delivery of some content."""
    return BytesDelivery("n", "i", named=False, size=len(content), remote=False, content=content)


def test_a_file_is_found_from_anywhere(tmp_path, monkeypatch):
    """Its path is kept whole, its identity is the one under which it failed, its size is today's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text("old")
    (delivery,) = deliveries("x.json", Window(), problems=[])
    text = locator(delivery)
    (tmp_path / "x.json").write_text("longer")
    monkeypatch.chdir("/")
    found = delivery_of(text)
    assert (found.name, found.read(), found.size) == (str(tmp_path / "x.json"), b"longer", 6)
    assert found.identity == delivery.identity


def test_a_file_whose_name_is_no_text_is_found(tmp_path):
    """File names are bytes."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json")
    with open(path, "w") as file:  # noqa: PTH123 - its name is no text
        file.write("x")
    delivery = FileDelivery(path, "i", named=False, size=1, remote=False)
    assert delivery_of(locator(delivery)).read() == b"x"


def test_a_file_that_is_gone_says_so_when_it_is_read(tmp_path):
    """Not before."""
    delivery = FileDelivery(str(tmp_path / "x"), "i", named=False, size=1, remote=False)
    with pytest.raises(FileNotFoundError):
        delivery_of(locator(delivery)).read()


def test_an_object_is_found_again(bucket):
    """With all that a listing said about it."""
    bucket.put("x.json")
    (delivery,) = deliveries(f"s3://{bucket.name}/x.json", Window(), problems=[])
    assert delivery == delivery_of(locator(delivery))
    assert delivery_of(locator(delivery)).read() == b"content"


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"x" * KEPT])
def test_small_content_is_kept_itself(content):
    """Messages and batches of events are gone once they are acknowledged."""
    assert bytes_of(content) == delivery_of(locator(bytes_of(content)))


def test_a_message_that_was_refused_is_kept_with_its_reason():
    """A person can look at it."""
    refused = RefusedDelivery("n", "i", named=True, size=5, remote=False, reason="because", content=b"hello")
    assert refused == delivery_of(locator(refused))


@pytest.mark.parametrize(
    "delivery",
    [
        bytes_of(b"x" * (KEPT + 1)),
        FileDelivery("/dev/fd/63", "i", named=True, size=-1, remote=False),
        StdinDelivery("-", "-", named=True, size=-1, remote=False),
    ],
)
def test_what_cannot_be_found_again_has_no_locator(delivery):
    """A stream is gone, and large content would fill the state."""
    assert locator(delivery) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "x"}', '{"kind": "file"}', '{"kind": "file", "name": 7}']
)
def test_a_locator_of_another_version_is_refused(text):
    """Exit status 4, with what to do."""
    with pytest.raises(CannotDo) as caught:
        delivery_of(text)
    assert caught.value.remedy == "scan it by its name"
