"""The options that say what runs a fold or a query, and what they open."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli.options import Option

if TYPE_CHECKING:
    from rolewatch.scan.pool import Fold

_HOW: Final = "how to work"
ENGINE: Final = Option("engine", "who reads and looks: processes of this machine (local), or executors of Spark", "ENGINE", default="local", choices=("local", "spark"), group=_HOW)  # fmt: skip
MASTER: Final = Option("master", "the master of --engine spark, as Spark writes it: local[4], spark://host:7077, yarn …", "URL", shown="local[*]", group=_HOW)  # fmt: skip


def check_master(values: Mapping[str, Any]) -> None:
    """Raise UsageError for a master of nobody."""
    if values["master"] and values["engine"] != "spark":
        raise UsageError("--master means nothing without --engine spark")


@contextmanager
def elsewhere(values: Mapping[str, Any]) -> "Iterator[Fold | None]":
    """Give what folds deliveries on other machines, while its engine runs; None where this one does it."""
    if values["engine"] == "local":
        yield None
        return
    from rolewatch.engines.spark_fold import fold_on  # noqa: PLC0415 - only where asked for
    from rolewatch.engines.spark_session import session  # noqa: PLC0415 - as above

    with session(values["master"]) as spark:
        yield partial(fold_on, spark)
