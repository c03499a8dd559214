"""A session of Spark: on this machine, on the cluster of a master, or the one that this program was submitted to."""

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from rolewatch.base.errors import CannotDo

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOCAL: Final = re.compile(r"local(\[|-cluster\[|$)")
_SUBMITTED: Final = "PYSPARK_GATEWAY_PORT"  # by which `spark-submit` tells a program where its Java is
_SHUFFLED: Final = 2  # parts for each core, where all cores are this machine's
_QUIET: Final = {"spark.app.name": "rolewatch", "spark.ui.showConsoleProgress": "false"}
#: Nobody else has to reach what runs on this machine.
_ON_THIS_MACHINE: Final = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
#: Times are of UTC, and what is total needs no mode in which expressions fail.
_OURS: Final = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "false"}
_RAISED: Final = re.compile(r"Traceback \(most recent call last\):\n(?:\s.*\n|\n)*(\S.*)")
_REASON: Final = re.compile(r"Reason: (.+)")
_THROWN: Final = re.compile(r"[\w.$]+(?:Exception|Error): (.+)")
_CHATTER: Final = re.compile(r"WARNING|Using Spark|Setting default|To adjust")
_SHOWN: Final = 300  # characters of what Spark said


@contextmanager
def session(master: str | None, options: Mapping[str, str] | None = None) -> "Iterator[SparkSession]":
    """Open a session with a master, or with the Spark that runs in this process; CannotDo if there is no Spark.

    Without a master it is the one that this program was submitted to, else this machine.

    `options` are Spark's own. What Spark logs is shown only if it does not start.
    """
    try:
        with _unwarned():
            from pyspark import SparkContext  # noqa: PLC0415 - part of an extra
            from pyspark.sql import SparkSession  # noqa: PLC0415 - as above
    except ImportError:
        raise CannotDo("Spark is not installed", remedy="pip install 'rolewatch[spark]'") from None
    context: Any = SparkContext._active_spark_context  # noqa: SLF001 - nothing public tells
    if context is not None:
        yield _ours(SparkSession(context).newSession())
        return
    with tempfile.TemporaryFile(prefix="rolewatch-spark-") as log:
        with _unwarned():
            opened = _started(master, {**_QUIET, **(options or {})}, log)
        try:
            yield opened
        finally:
            _stop(opened.sparkContext)


@contextmanager
def _unwarned() -> Iterator[None]:
    """Say nothing about versions of packages that are not used here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_local(master: str) -> bool:
    """Whether a master's executors run on this machine."""
    return _LOCAL.match(master) is not None


@contextmanager
def failing() -> Iterator[None]:
    """Say what Spark could not do in a line."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped] # noqa: PLC0415 - part of an extra
    from pyspark.errors import PySparkException  # noqa: PLC0415 - as above

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise CannotDo(f"Spark failed: {_line(str(error))}", remedy="its log says more") from error


def _started(master: str | None, options: Mapping[str, str], log: IO[bytes]) -> "SparkSession":
    """Start Java, and Spark in it."""
    import pyspark  # noqa: PLC0415 - part of an extra
    from pyspark import java_gateway  # noqa: PLC0415 - as above
    from pyspark.sql import SparkSession  # noqa: PLC0415 - as above

    launch: Any = java_gateway.launch_gateway
    chosen = master or ("" if _SUBMITTED in os.environ else "local[*]")
    local = is_local(chosen)
    named = {"spark.master": chosen} if chosen else {}
    settings = {**named, **(_ON_THIS_MACHINE if local else {}), **options}
    conf = pyspark.SparkConf(loadDefaults=False).setAll(list(settings.items()))
    context: Any = None
    # Programs of this machine's executors are this Python's; `local-cluster` also has to know where Spark is.
    here = {"PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(Path(pyspark.__file__).parent)}
    with _environment(here if local else {}):
        try:
            context = pyspark.SparkContext(conf=conf, gateway=launch(conf, {"stdout": log, "stderr": log}))
            context.setLogLevel("ERROR")
            return _ours(SparkSession(context))
        except Exception as error:
            log.seek(0)
            said = f"{log.read().decode(errors='replace')}\n{error}"
            if context is not None:
                _stop(context)
            raise CannotDo(
                f"Spark does not start: {_line(said)}",
                remedy="it needs Java 17 (JAVA_HOME), and a master that can be reached",
            ) from error


def _ours(spark: "SparkSession") -> "SparkSession":
    for name, value in _OURS.items():
        spark.conf.set(name, value)
    if is_local(str(spark.sparkContext.master)):
        spark.conf.set("spark.sql.shuffle.partitions", _SHUFFLED * spark.sparkContext.defaultParallelism)
    return spark


def _stop(context: Any) -> None:
    """End Spark, and the Java it runs in."""
    gateway = context._gateway  # noqa: SLF001 - nothing public ends it
    context.stop()
    process = getattr(gateway, "proc", None)
    if process is None:
        return  # it was there before
    with suppress(Exception):
        gateway.shutdown()
    process.stdin.close()
    process.wait()
    type(context)._gateway = type(context)._jvm = None  # noqa: SLF001 - so that another one can be started


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that have no value, for a while."""
    missing = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _line(text: str) -> str:
    """Give the line that says most: what Python raised in an executor, else what Java raised first, else the first line."""
    for pattern in (_RAISED, _REASON, _THROWN):
        if found := pattern.search(text):
            return found[1].strip()[:_SHOWN]
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not _CHATTER.match(line)), "")[:_SHOWN]
