"""A lake that Spark's executors fill is the one that this machine fills."""

import pytest
from folding import on, write

from lakes import filled, over_lake

pytestmark = [pytest.mark.slow, pytest.mark.spark]
QUERY = "stats count(*), count_distinct(eventID), min(@timestamp) by eventSource, errorCode"


def test_the_same_lake(spark, tmp_path):
    """The same records are added, the same deliveries named, and queries answer the same."""
    folder = write(tmp_path / "logs")
    local, told = filled(tmp_path / "local", folder)
    there, found = filled(tmp_path / "there", folder, elsewhere=on(spark))
    for each in (told, found):
        del each["lake"], each["totals"]["seconds"]
    assert found == told
    assert over_lake(QUERY, there).rows == over_lake(QUERY, local).rows != []


def test_again(spark, tmp_path):
    """What is in the lake is not read again, whoever put it there."""
    folder = write(tmp_path / "logs")
    _, first = filled(tmp_path / "lake", folder)
    _, second = filled(tmp_path / "lake", folder, elsewhere=on(spark))
    assert first["records_added"] > 0
    assert (second["records_added"], second["duplicates"] < first["records_added"]) == (0, True)
    assert second["totals"]["known"] > 0
