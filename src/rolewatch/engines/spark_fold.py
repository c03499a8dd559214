"""Deliveries in, one merged summary out: the fold of `scan/pool.py`, run by Spark's executors.

A part of the deliveries is stepped by a stepper of its own, whose summary is merged here. The stepper itself is kept as
Spark keeps data, in memory and on the executors' disks, so that it can be asked later; if an executor is lost, Spark
steps its parts again. A task has no effect but its result, and Spark takes one result of each: nothing is lost, and
nothing counts twice.
"""

import gc
import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, nullcontext
from heapq import heapreplace
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from isal import isal_zlib

from rolewatch.base.errors import RolewatchError
from rolewatch.engines.spark_session import failing
from rolewatch.scan.pool import Alone, Crew, Make, Tell, batches_of, told
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

LARGEST: Final = 256 * 1024 * 1024  # compressed bytes of a part
EACH: Final = 4096  # bytes that each delivery counts for in addition
SHARE: Final = 4  # parts for each core at least, so that none waits long for the last one
PIECE: Final = 64 * 1024 * 1024  # bytes that are handed to Spark at once
SUMMARY, STEPPER, ERROR = "summary", "stepper", "error"  # what a part gives
HERE: Final = -1  # the member that stands for this process
ROOM: Final = 256 * 1024 * 1024  # bytes of steppers that a process of an executor keeps at hand

R = TypeVar("R", bound=Reading)
Batches = list[list[Delivery]]
Question = tuple[str, Any]

_crews = count()


@contextmanager
def fold_on(
    spark: "SparkSession",
    deliveries: Iterable[Delivery],
    make: Make[R],
    jobs: int = 0,
    tell: Tell | None = None,
) -> Iterator[Crew[R]]:
    """Fold all deliveries in executors, as `scan.pool.fold` does here; what can be read only once is stepped here.

    Only steppers that are `lasting` can be asked there. CannotDo if Spark fails.
    """
    del jobs  # as many as there are cores
    once: list[Delivery] = []
    parts = _parts(_elsewhere(deliveries, once), spark.sparkContext.defaultParallelism)
    crew = _Executors(spark, make)
    try:
        crew.run(parts, once, tell)
        yield crew
    finally:
        crew.close()


class _Executors(Generic[R]):
    """Steppers in executors, each of a part, and one here."""

    summary: R

    def __init__(self, spark: "SparkSession", make: Make[R]) -> None:
        self._context = spark.sparkContext
        self._name = f"{self._context.applicationId} {next(_crews)}"
        self._make = make
        self._kept: RDD[Any] | None = None
        self._here = Alone(make())
        self._asked: dict[int, list[Question]] = {}

    @property
    def members(self) -> Iterable[int]:
        return self._asked

    def run(self, parts: Sequence[Batches], once: list[Delivery], tell: Tell | None) -> None:
        """Step the parts, and merge their summaries."""
        from pyspark import StorageLevel  # noqa: PLC0415 - part of an extra

        self._here.run(iter([once]))
        self._asked = {member: [] for member in (HERE, *range(len(parts)))}
        self.summary = self._here.summary
        if parts:
            given = self._context.parallelize(parts, len(parts))
            stepped = given.mapPartitionsWithIndex(_Step(self._name, self._make, Path.cwd()))
            self._kept = stepped.persist(StorageLevel.MEMORY_AND_DISK)
            with failing():
                found = self._kept.filter(_is_told).collect()
            for each in found:
                self.summary.merge(_result(each))
        told(self.summary, tell)

    def ask(self, questions: Mapping[Any, Question]) -> dict[Any, Any]:
        """Have members call a method of their stepper; what one was asked before is asked again, as it may have changed it."""
        for member, question in questions.items():
            self._asked[member].append(question)
        answers = self._here.ask({HERE: questions[HERE]}) if HERE in questions else {}
        there = {member: tuple(self._asked[member]) for member in questions if member != HERE}
        if there and self._kept is not None:
            asked = self._kept.mapPartitionsWithIndex(_Ask(self._name, there, Path.cwd()))
            with failing():
                found = self._context.runJob(asked, list, sorted(there))
            answers |= dict(zip(sorted(there), map(_result, found), strict=True))
        return answers

    def close(self) -> None:
        if self._kept is not None:
            with failing():
                self._kept.unpersist()


class _AtHand:
    """Steppers that this process of an executor still has, by crew and member; those that were used last are kept."""

    def __init__(self) -> None:
        self._steppers: dict[tuple[str, int], tuple[Any, int, int]] = {}

    def keep(self, name: tuple[str, int], stepper: Any, answered: int, size: int) -> None:
        """Keep a stepper, of so many bytes as pickled, and how many questions it has answered."""
        self._steppers[name] = stepper, answered, size
        while sum(size for *_, size in self._steppers.values()) > ROOM:
            del self._steppers[next(iter(self._steppers))]

    def take(self, name: tuple[str, int]) -> tuple[Any, int, int]:
        """Give a stepper away, None if it is not here."""
        return self._steppers.pop(name, (None, 0, 0))


_at_hand = _AtHand()


class _Step:
    """Steps the batches of a part, in an executor: gives its summary, and the stepper in pieces."""

    def __init__(self, crew: str, make: Make[Any], folder: Path) -> None:
        self._crew = crew
        self._make = make
        self._folder = folder

    def __call__(self, member: int, parts: Iterable[Batches]) -> Iterator[tuple[str, bytes]]:
        with _working(self._folder):
            stepper = self._make()
            alone = Alone(stepper)
            try:
                alone.run(batch for batches in parts for batch in batches)
            except RolewatchError as error:
                yield ERROR, _packed(error)
                return
            yield SUMMARY, _packed(alone.summary)
            if not stepper.lasting:
                return
            state = pickle.dumps(stepper, pickle.HIGHEST_PROTOCOL)
            _at_hand.keep((self._crew, member), stepper, 0, len(state))
            kept = isal_zlib.compress(state, 1)
            for start in range(0, len(kept), PIECE):
                yield STEPPER, kept[start : start + PIECE]


class _Ask:
    """Asks the stepper of a part all its questions, in an executor, and gives the last answer."""

    def __init__(self, crew: str, questions: Mapping[int, Sequence[Question]], folder: Path) -> None:
        self._crew = crew
        self._questions = questions
        self._folder = folder

    def __call__(self, member: int, pieces: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        with _working(self._folder):
            questions, answer = self._questions[member], None
            kept = [piece for kind, piece in pieces if kind == STEPPER]  # all: else Spark ends this process
            stepper, answered, size = _at_hand.take((self._crew, member))
            if stepper is None or answered >= len(questions):  # another try of the same task has answered it
                state = isal_zlib.decompress(b"".join(kept))
                stepper, answered, size = pickle.loads(state), 0, len(state)  # noqa: S301 - it was made by `_Step`
            try:
                for name, argument in questions[answered:]:
                    answer = getattr(stepper, name)(argument)
            except RolewatchError as error:
                yield ERROR, _packed(error)
                return
            _at_hand.keep((self._crew, member), stepper, len(questions), size)
            yield SUMMARY, _packed(answer)


@contextmanager
def _working(folder: Path) -> Iterator[None]:
    """Work as a process of the pool does, in the folder that names of files are relative to, if it is there."""
    was_on = gc.isenabled()
    gc.disable()  # see `scan.run`
    try:
        with chdir(folder) if os.access(folder, os.X_OK) else nullcontext():
            yield
    finally:
        if was_on:
            gc.enable()


def _packed(value: Any) -> bytes:
    return bytes(isal_zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1))


def _is_told(result: tuple[str, bytes]) -> bool:
    return result[0] != STEPPER


def _result(result: tuple[str, bytes]) -> Any:
    """Unpack what a part gave, or raise it."""
    kind, content = result
    value = pickle.loads(isal_zlib.decompress(content))  # noqa: S301 - it comes from our own executors
    if kind == ERROR:
        raise value
    return value


def _elsewhere(deliveries: Iterable[Delivery], once: list[Delivery]) -> Iterator[Delivery]:
    """Yield deliveries that executors can read, and keep those that only this process can."""
    for delivery in deliveries:
        if delivery.size < 0:
            once.append(delivery)
        else:
            yield delivery


def _parts(deliveries: Iterable[Delivery], cores: int) -> list[Batches]:
    """Share out deliveries evenly: several parts for each core, none of them large."""
    weighed = [(sum(EACH + each.size for each in batch), batch) for batch in batches_of(deliveries)]
    total = sum(weight for weight, _ in weighed)
    number = min(max(cores * SHARE, -(-total // LARGEST)), len(weighed))
    parts: list[tuple[int, int, Batches]] = [(0, place, []) for place in range(number)]
    for weight, batch in sorted(weighed, key=itemgetter(0), reverse=True):
        held, place, part = parts[0]
        part.append(batch)
        heapreplace(parts, (held + weight, place, part))
    return [part for _, _, part in sorted(parts, key=lambda each: (-each[0], each[1]))]
