"""The folder of policies: files that are whole, and how old they may be."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from rolewatch.aws.policy_kept import Kept, TooLong, file_of, roles_of
from rolewatch.base.errors import CannotDo

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path):
    """Open a folder in which an hour is too old."""
    return Kept(str(tmp_path / "a" / "policies"), max_age=timedelta(hours=1), now=lambda: NOW)


def aged(kept, name, **span):
    """Let a file be as old as a span."""
    moment = (NOW - timedelta(**span)).timestamp()
    os.utime(kept.path / name, (moment, moment))


def test_a_file_is_fresh_until_it_is_too_old(kept):
    """To the second; one that is not there is not fresh, and touching makes one fresh."""
    kept.write("x.json", {"Policy": "ü"})
    ages = []
    for span in ({"minutes": 60}, {"minutes": 60, "seconds": 1}, {"hours": -3}):
        aged(kept, "x.json", **span)
        ages.append(kept.fresh("x.json"))
    assert ages == [True, False, True]
    aged(kept, "x.json", days=9)
    kept.touch("x.json")
    assert kept.fresh("x.json")
    assert not kept.fresh("y.json")
    assert kept.read("x.json") == {"Policy": "ü"}


def test_what_is_damaged_is_read_as_nothing(kept):
    """It is collected anew."""
    (kept.path / "x.json").write_text("{")
    assert kept.read("x.json") is None


def test_a_write_in_vain_is_told_and_leaves_the_old_file(kept, monkeypatch):
    """With the reason of the system."""
    kept.write("x.json", 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(CannotDo, match="No space left"):
        kept.write("x.json", 2)
    assert (kept.read("x.json"), [path.name for path in kept.path.iterdir()]) == (1, ["x.json"])


def test_a_folder_that_is_a_file(tmp_path):
    """Is told before anything is asked."""
    (tmp_path / "x").write_text("")
    with pytest.raises(CannotDo, match="cannot write into"):
        Kept(str(tmp_path / "x"), max_age=timedelta(1), now=lambda: NOW)


def test_roles_of_all_accounts_are_joined(kept):
    """Into the list that `check --only-enabled` reads; a damaged one is left out."""
    kept.write(roles_of("111122223333"), {"Roles": [{"Arn": "a"}]})
    kept.write(roles_of("444455556666"), {"Roles": [{"Arn": "b"}]})
    (kept.path / roles_of("777788889999")).write_text("{")
    kept.join_roles()
    assert json.loads((kept.path / "roles.json").read_text()) == {"Roles": [{"Arn": "a"}, {"Arn": "b"}]}


def test_names_of_files():
    """Those that the explanation looks for; none that leads out of the folder, none longer than a name may be."""
    assert file_of("arn:aws:kms:r:1:key/k", end=".grants") == "arn%3Aaws%3Akms%3Ar%3A1%3Akey%2Fk.grants.json"
    assert "/" not in file_of("arn:aws:s3:::../../x")
    with pytest.raises(TooLong):
        file_of(f"arn:aws:x:::{'y' * 255}")
