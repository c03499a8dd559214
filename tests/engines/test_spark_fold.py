"""The fold in executors gives what the fold of this machine gives, to the letter."""

import os
import pickle
import sys
from pathlib import Path

import pytest
from folding import NOW, on, scanned, write
from pyspark.cloudpickle import register_pickle_by_value

from rolewatch.base.errors import CannotDo
from rolewatch.engines import spark_fold
from rolewatch.engines.spark_fold import fold_on
from rolewatch.findings.build import followed
from rolewatch.patterns import compile_pattern
from rolewatch.scan import origins, pool
from rolewatch.scan.boiled import BoiledProofs
from rolewatch.scan.detect import Detector
from rolewatch.scan.facts import Facts
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run
from rolewatch.sources import FileDelivery

ROOT = Path(__file__).parents[2]
#: Real deliveries that may lie beside a checkout; those of the repository are there in any case.
PLACES = [path for path in (ROOT / "examples" / "deliveries", ROOT / "tests" / "data" / "real", ROOT.parent / "shared" / "deliveries") if path.exists()]  # fmt: skip
spark_only = [pytest.mark.slow, pytest.mark.spark]


@pytest.fixture
def small_parts(monkeypatch):
    """Let every two deliveries be a part."""
    monkeypatch.setattr(pool, "BATCH", 2)
    monkeypatch.setattr(spark_fold, "SHARE", 20)


class TestInSpark:
    pytestmark = spark_only

    def test_real_deliveries(self, spark):
        """What is committed, and what lies beside it."""
        assert scanned(*PLACES, elsewhere=on(spark)) == scanned(*PLACES)

    @pytest.mark.usefixtures("small_parts")
    def test_questions(self, spark, tmp_path):
        """Successes and forged ones are told apart, wherever they were read; what cannot be read is named."""
        folder = write(tmp_path)
        expected = scanned(folder)
        assert scanned(folder, elsewhere=on(spark)) == expected
        assert '"recovered"' in expected
        assert '"last_allowed": null' in expected
        assert "broken.json.gz" in expected

    @pytest.mark.parametrize("text", ["{ $.errorCode = %Denied% }", "AccessDenied", "%Throttl.*%"])
    @pytest.mark.usefixtures("small_parts")
    def test_patterns(self, spark, tmp_path, text):
        """A pattern travels as what was parsed."""
        folder = write(tmp_path, 6)
        request = {"pattern": compile_pattern(text), "principals": frozenset(("slr", "all"))}
        assert scanned(folder, elsewhere=on(spark), **request) == scanned(folder, **request)

    def test_relative_names(self, spark, tmp_path, monkeypatch):
        """Names are relative to the folder that the command was started in."""
        write(tmp_path / "logs", 6)
        monkeypatch.chdir(tmp_path)
        assert scanned("logs", elsewhere=on(spark)) == scanned("logs")

    def test_what_can_be_read_once(self, spark, tmp_path):
        """A pipe is read here, and what it proves is asked for as well."""
        folder = write(tmp_path / "logs")
        files = sorted((folder).rglob("*Z_*.json.gz"))
        contents = [file.read_bytes() for file in files]
        expected = scanned(folder)
        for file, content in zip(files[8:10], contents[8:10], strict=True):
            file.unlink()
            reader, writer = os.pipe()
            os.write(writer, content)
            os.close(writer)
            file.symlink_to(f"/dev/fd/{reader}")
        named = [str(each) for each in files[8:10]]
        both = scanned(folder, *named, elsewhere=on(spark))
        assert _findings(both) == _findings(expected)

    def test_nothing(self, spark, tmp_path):
        """No delivery at all is an empty report."""
        assert scanned(tmp_path, elsewhere=on(spark)) == scanned(tmp_path)

    def test_progress(self, spark, tmp_path):
        """What was read is told when it is."""
        seen = []
        run([str(write(tmp_path, 4))], ScanRequest(), now=NOW, progress=seen.append, elsewhere=on(spark))
        assert (seen[-1].deliveries, seen[-1].listed) == (7, 7)

    def test_an_error_that_stops_everything(self, spark):
        """What a step raises for the user reaches the user; a fault says what it was."""
        register_pickle_by_value(sys.modules[__name__])  # executors have no tests
        with pytest.raises(CannotDo, match="no credentials"), fold_on(spark, [_file()], Refusing):
            pass
        with pytest.raises(CannotDo, match="ValueError: unheard of"), fold_on(spark, [_file()], Faulty):
            pass


def _file():
    return FileDelivery(name="x", identity="x", named=False, size=1, remote=False)


class Refusing(Detector):
    """Steps nothing, for a reason."""

    def __init__(self):
        super().__init__(ScanRequest())

    def step(self, delivery, data=None):
        """Refuse."""
        del delivery, data
        raise CannotDo("no credentials")


class Faulty(Refusing):
    """Steps nothing, for no reason that anybody knows."""

    def step(self, delivery, data=None):
        """Fail."""
        del delivery, data
        raise ValueError("unheard of")


def _findings(report):
    return report[: report.index('"totals"')]


@pytest.mark.parametrize(("largest", "number"), [(10**9, 8), (20_000, 13)])
def test_parts_are_shared_out(monkeypatch, largest, number):
    """Several parts for each core, more where they would be large, all about as heavy; every delivery is in one."""
    monkeypatch.setattr(spark_fold, "LARGEST", largest)
    monkeypatch.setattr(pool, "BATCH", 1)
    sizes = [8000, 300, 3, 9, 6000, 900, 100, 2000, *[1000] * 40]
    given = [FileDelivery(name=f"{place}", identity="", named=False, size=size, remote=False) for place, size in enumerate(sizes)]  # fmt: skip
    parts = spark_fold._parts(given, 2)
    shared = [[each.name for batch in part for each in batch] for part in parts]
    assert sorted(name for part in shared for name in part) == sorted(each.name for each in given)
    weights = [sum(spark_fold.EACH + sizes[int(name)] for name in part) for part in shared]
    assert weights == sorted(weights, reverse=True)
    assert len(parts) == number
    assert max(weights) - min(weights) < 8000


def test_few_deliveries_are_few_parts():
    """There are no empty ones."""
    assert spark_fold._parts([_file()], 8) == [[[_file()]]]
    assert spark_fold._parts([], 8) == []


def test_proofs_travel(tmp_path, monkeypatch):
    """A detector that was pickled answers the same, also about what it had written to files."""
    monkeypatch.setattr(origins, "GROUP", 3)
    folder = write(tmp_path)
    detector = Detector(ScanRequest())
    detector._proofs.state = (detector._proofs.state[0], Facts(2), BoiledProofs(300))
    files = sorted(folder.rglob("*.json.gz"))
    for file in files:
        size = file.stat().st_size
        detector.step(FileDelivery(name=str(file), identity="", named=True, size=size, remote=False))
    summary = detector.finish()
    again = pickle.loads(pickle.dumps(detector))  # noqa: S301 - it was made here
    keys = followed(summary.denials.values())
    assert again.find(keys) == detector.find(keys)
    found = detector.find(keys)
    assert again.prove(found) == detector.prove(found)
    assert again.find(keys) == detector.find(keys)
    for each in (detector, again):  # a detector is a cycle, so nobody knows when its files would be closed
        for kept in each._proofs.state:
            if getattr(kept, "_file", None):
                kept._file.close()
