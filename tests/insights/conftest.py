"""Engines, for tests that hold them against the slow evaluator."""

from functools import partial

import pytest

from rolewatch.engines import duckdb, spark

ENGINES = ("duckdb", pytest.param("spark", marks=(pytest.mark.slow, pytest.mark.spark)))


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    """Give the `rows_of` of one engine after the other."""
    if request.param == "duckdb":
        return duckdb.rows_of
    return partial(spark.rows_of, request.getfixturevalue("spark"))
