import os
import pickle
from datetime import UTC, datetime

import pytest

from rolewatch.sources import FileDelivery, Window, deliveries

FILE = "111122223333_CloudTrail_us-east-1_202307{day:02}T1145Z_s7dpHbl38neqZbm2.json.gz"
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/{day:02}"


def make(root, *names):
    """Make files that hold their own names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(root, window=None, problems=None):
    """Walk and give the paths relative to the root."""
    found = deliveries(str(root), window or Window(), problems=[] if problems is None else problems)
    return [delivery.name.removeprefix(f"{root}/") for delivery in found]


def test_a_folder_is_walked_in_the_order_of_names(tmp_path):
    """Files and folders are sorted together, at each level."""
    make(tmp_path, "b/2.json", "b/1.json", "a.json", "c.json", "b/a/x.json")
    assert names(tmp_path) == ["a.json", "b/1.json", "b/2.json", "b/a/x.json", "c.json"]


def test_names_with_a_leading_dot_are_ignored(tmp_path):
    """Neither hidden files nor what is in hidden folders is read."""
    make(tmp_path, ".hidden.json", ".git/x.json", "seen.json", "deep/.y/z.json")
    assert names(tmp_path) == ["seen.json"]


def test_a_hidden_folder_that_was_named_is_walked(tmp_path):
    """The rule is for names met on the way."""
    make(tmp_path, ".logs/x.json")
    assert names(tmp_path / ".logs") == ["x.json"]


def test_a_delivery_tells_size_and_identity(tmp_path):
    """Identity is the path, size, mtime and inode."""
    make(tmp_path, "x.json")
    found = (tmp_path / "x.json").stat()
    (delivery,) = deliveries(str(tmp_path), Window(), problems=[])
    real = os.path.realpath(tmp_path / "x.json")
    expected = FileDelivery(
        name=f"{tmp_path}/x.json",
        identity=f"{real}+6+{found.st_mtime_ns}+{found.st_ino}",
        named=False,
        size=6,
        remote=False,
    )
    assert expected == delivery


def test_a_changed_file_is_a_new_delivery(tmp_path):
    """Identity changes with the content's size or time."""
    make(tmp_path, "x.json")
    (before,) = deliveries(str(tmp_path), Window(), problems=[])
    (tmp_path / "x.json").write_text("longer than before")
    (after,) = deliveries(str(tmp_path), Window(), problems=[])
    assert before.identity != after.identity


def test_a_delivery_reads_the_same_after_it_was_pickled(tmp_path):
    """Worker processes get deliveries and read them there."""
    make(tmp_path, "x.json")
    (delivery,) = deliveries(str(tmp_path), Window(), problems=[])
    copy = pickle.loads(pickle.dumps(delivery))  # noqa: S301 - our own bytes
    with copy.open() as stream:
        assert (copy.read(), stream.read()) == (b"x.json", b"x.json")


def test_a_file_that_vanished_says_so_when_it_is_read(tmp_path):
    """Reading raises OSError with the system's reason."""
    make(tmp_path, "x.json")
    (delivery,) = deliveries(str(tmp_path), Window(), problems=[])
    (tmp_path / "x.json").unlink()
    with pytest.raises(OSError, match="No such file") as caught:
        delivery.read()
    assert caught.value.strerror == "No such file or directory"


@pytest.mark.parametrize("target", [".", "..", "../sub", "../sub/x.json"])
def test_a_symbolic_link_to_what_is_walked_anyway_adds_nothing(tmp_path, target):
    """Loops end, and nothing is read twice."""
    make(tmp_path, "sub/x.json", "y.json")
    (tmp_path / "sub/loop").symlink_to(target)
    (tmp_path / "again.json").symlink_to("y.json")
    assert names(tmp_path) == ["sub/x.json", "y.json"]


def test_a_link_to_another_place_is_followed_once(tmp_path):
    """Two links to one folder, and a link to a file in it, give each file once."""
    make(tmp_path, "in/x.json", "out/y.json", "out/z.json", "other/w.json")
    (tmp_path / "in/a").symlink_to("../out")
    (tmp_path / "in/b").symlink_to("../out")
    (tmp_path / "in/y.json").symlink_to("../out/y.json")
    (tmp_path / "in/w.json").symlink_to("../other/w.json")
    assert names(tmp_path / "in") == ["a/y.json", "a/z.json", "w.json", "x.json"]


def test_links_between_two_folders_end(tmp_path):
    """A loop that leaves the walked folder and comes back is no trap."""
    make(tmp_path, "in/x.json", "out/y.json")
    (tmp_path / "in/out").symlink_to("../out")
    (tmp_path / "out/in").symlink_to("../in")
    assert names(tmp_path / "in") == ["out/y.json", "x.json"]


def test_a_link_that_leads_nowhere_is_a_problem(tmp_path):
    """It is named with the system's reason."""
    make(tmp_path, "x.json")
    (tmp_path / "broken.json").symlink_to("nothing")
    problems = []
    assert names(tmp_path, problems=problems) == ["x.json"]
    assert [(f"{tmp_path}/broken.json", "No such file or directory")] == problems


def test_a_link_to_itself_is_a_problem(tmp_path):
    """It cannot be followed, and that is said."""
    (tmp_path / "self").symlink_to("self")
    problems = []
    assert names(tmp_path, problems=problems) == []
    assert [f"{tmp_path}/self"] == [name for name, _ in problems]


def test_an_unreadable_folder_is_a_problem_and_the_walk_goes_on(tmp_path, monkeypatch):
    """The folder is named with its reason, the others are read."""
    make(tmp_path, "a/x.json", "locked/y.json", "z.json")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problems = []
    assert names(tmp_path, problems=problems) == ["a/x.json", "z.json"]
    assert [(f"{tmp_path}/locked", "Permission denied")] == problems


def test_what_is_neither_file_nor_folder_is_left_out(tmp_path):
    """A pipe in a folder would block the scan for ever."""
    make(tmp_path, "x.json")
    os.mkfifo(tmp_path / "pipe.json")
    assert names(tmp_path) == ["x.json"]


def test_the_first_delivery_comes_before_the_walk_ends(tmp_path, monkeypatch):
    """Only the folders on the way to the first file have been looked into."""
    make(tmp_path, *(f"{n}/x.json" for n in range(5)))
    looked = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(str(path)) or scandir(path))
    first = next(deliveries(str(tmp_path), Window(), problems=[]))
    assert (f"{tmp_path}/0/x.json", [str(tmp_path), f"{tmp_path}/0"]) == (first.name, looked)


def test_a_file_costs_one_look_at_the_file_system(tmp_path, monkeypatch):
    """One stat a file, and one a folder."""
    make(tmp_path, *(f"d/{n:02}.json" for n in range(50)))
    counted = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda *args, **more: counted.append(args) or stat(*args, **more))
    count = len(list(deliveries(str(tmp_path), Window(), problems=[])))
    asked = [args for args in counted if str(args[0]).endswith(".json")]
    assert (count, len(asked)) == (50, 50)


def test_files_of_days_outside_the_window_are_not_read(tmp_path):
    """Days run from since to one day after until; files without a layout are always read."""
    make(
        tmp_path,
        *(f"{FOLDER.format(day=day)}/{FILE.format(day=day)}" for day in (9, 10, 11, 12)),
        "notes.json",
    )
    window = Window(since=datetime(2023, 7, 10, tzinfo=UTC), until=datetime(2023, 7, 10, 12, tzinfo=UTC))
    days = (10, 11)
    expected = [f"{FOLDER.format(day=day)}/{FILE.format(day=day)}" for day in days]
    assert [*expected, "notes.json"] == names(tmp_path, window)


@pytest.mark.parametrize(
    "window", [Window(accounts=frozenset({"1" * 12})), Window(regions=frozenset({"eu-west-1"}))]
)
def test_files_of_other_accounts_and_regions_are_not_read(tmp_path, window):
    """The layout tells whose they are."""
    make(tmp_path, f"{FOLDER.format(day=9)}/{FILE.format(day=9)}")
    assert names(tmp_path, window) == []


def test_a_tree_deeper_than_python_recursion_is_walked(tmp_path):
    """The walk needs no stack of calls."""
    path = tmp_path
    depth = 600
    for _ in range(depth):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "x.json").write_text("x")
    assert ["d/" * depth + "x.json"] == names(tmp_path)
