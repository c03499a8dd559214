"""A lake: what is written becomes a part of it by one new manifest, or not at all, and every record is in it once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo
from rolewatch.base.sanitise import terminal
from rolewatch.lake import ledger
from rolewatch.lake.checks import NAMES, damaged_columns, places, stretches
from rolewatch.lake.ledger import Ledger
from rolewatch.lake.manifest import Head, Manifest, Part, damaged, decode, encode
from rolewatch.lake.parts import ACCOUNT, ID, keys, verify, without
from rolewatch.lake.place import LEDGERS, MANIFEST, OURS, Place, no_lake, random_name

ATTEMPTS: Final = 20  # to replace a manifest that others replace at the same time
ORPHAN: Final = (
    86_400.0  # seconds after which a file that no manifest lists was left behind by somebody who crashed
)

_File = tuple[Path, Part]
Tell = Callable[[str, str], None]  # of a file and what is wrong with it


class Staged(NamedTuple):
    """A file that was written and is not yet a part; without a path it lies in the lake's place already, by its own name."""

    path: Path | None
    part: Part


class Added(NamedTuple):
    """What became a part of the lake: how many records, and how many were there already."""

    records: int
    duplicates: int


class Lake:
    """A lake at a place."""

    def __init__(
        self, place: Place, tell: Tell, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.place = place
        self.tell = tell
        self.now = now

    def is_there(self) -> bool:
        """Whether there is a lake."""
        return self._read()[0] is not None

    def manifest(self) -> Manifest:
        """Read the manifest; CannotDo if there is no lake."""
        found = self._read()[0]
        if found is None:
            raise no_lake(self.place)
        return found

    def ledger(self) -> Ledger:
        """Read which deliveries are done; none are if there is no lake yet."""
        found = self._read()[0]
        if found is None:
            return Ledger()
        with self.place.local(list(found.head.ledgers), self.tell) as files:
            return Ledger(files.values())

    def commit(self, staged: Sequence[Staged], digests: Sequence[bytes]) -> Added:
        """Make files parts of the lake, without records that it has already, and note which deliveries are done."""
        there = {part.path for path, part in staged if path is None}
        with self.place.local(sorted(there), self.tell) as files:
            at_hand = [(path or files[part.path], part) for path, part in staged]
            fresh = self._commit(at_hand, digests, set(there))
        for name in there.difference(part.path for part in fresh):
            self.place.remove(name)  # it was written again without some records
        kept = sum(part.rows for part in fresh)
        return Added(kept, sum(part.rows for _, part in staged) - kept)

    def _commit(
        self, staged: Sequence[tuple[Path, Part]], digests: Sequence[bytes], there: set[str]
    ) -> list[Part]:
        """Commit files, of which some are in the lake's place by now; gives the parts that came of them."""
        parts: list[Part] = []
        names: set[str] = set()  # of an attempt
        for _ in range(ATTEMPTS):
            with self.place.writing():
                manifest, state = self._read()
                manifest = manifest or Manifest()
                if names and names <= _names(manifest):
                    return parts  # it was no failure: the answer was lost, and the same request again refused
                fresh = list(self._unique(staged, manifest.parts))
                for path, part in fresh:
                    if part.path not in there:
                        self.place.put(path, part.path)
                        there.add(part.path)
                ledgers = self._with_digests(manifest.head, digests)
                parts = [part for _, part in fresh]
                names = {*(part.path for part in parts), *set(ledgers).difference(manifest.head.ledgers)}
                if self.place.replace(
                    encode(manifest.changed(self.now(), added=parts, ledgers=ledgers)), state
                ):
                    return parts
        raise self._contended()

    def swap(self, removed: Sequence[Part], added: Sequence[_File]) -> bool:
        """Put files in the place of others; False if one of those is not listed any more."""
        put = False
        for _ in range(ATTEMPTS):
            with self.place.writing():
                manifest, state = self._read()
                if put and added and manifest and {part.path for _, part in added} <= _names(manifest):
                    return True  # as above
                if manifest is None or not set(removed) <= set(manifest.parts):
                    return False
                if not put:
                    for path, part in added:
                        self.place.put(path, part.path)
                    put = True
                after = manifest.changed(self.now(), added=(part for _, part in added), removed=removed)
                if self.place.replace(encode(after), state):
                    return True
        raise self._contended()

    def expire(self, before: date) -> list[Part]:
        """Take out the days before a day; gives what was taken out."""
        for _ in range(ATTEMPTS):
            gone = [part for part in self.manifest().parts if _lies_before(part, before)]
            if not gone or self.swap(gone, []):
                return gone
        raise self._contended()

    def tidy(self) -> int:
        """Remove files that nobody needs: retired ones, and what was left behind by a crash; gives their number."""
        removed = 0
        for _ in range(ATTEMPTS):
            with self.place.writing():
                manifest, state = self._read()
                if manifest is None:
                    return removed
                expired = manifest.expired(self.now())
                for each in expired:
                    self.place.remove(each.path)
                for name in self._orphans(manifest):
                    self.place.remove(name)
                    removed += 1
                self.place.sweep(self._oldest())
                if not expired:
                    return removed
                left = tuple(each for each in manifest.head.retired if each not in expired)
                head = manifest.head
                after = Manifest(
                    Head(revision=head.revision + 1, ledgers=head.ledgers, retired=left), manifest.parts
                )
                if self.place.replace(encode(after), state):
                    return removed + len(expired)
        raise self._contended()

    def strangers(self) -> list[str]:
        """Name the files among the records that rolewatch did not write."""
        return [
            each.name
            for each in self.place.files()
            if not OURS.fullmatch(each.name) and not each.name.startswith(LEDGERS)
        ]

    @contextmanager
    def readable(self, parts: Iterable[Part]) -> Iterator[list[tuple[Part, Path]]]:
        """Have parts at hand; those that are not as the manifest says are told and left out."""
        parts = list(parts)
        with self.place.local([part.path for part in parts], self.tell) as files:
            found = []
            for part in parts:
                path = files.get(part.path)
                wrong = verify(path, part) if path else None
                if wrong:
                    self.tell(part.path, wrong)
                elif path:
                    found.append((part, path))
            yield found

    @contextmanager
    def whole(self, parts: Iterable[Part]) -> Iterator[list[tuple[Part, Path]]]:
        """Have parts at hand of which every byte is as it was written; others are told and left out."""
        with self.readable(parts) as readable:
            yield [(part, path) for part, path in readable if self.is_sound(part, path, NAMES)]

    def is_sound(self, part: Part, path: Path, names: Iterable[str]) -> bool:
        """Whether columns of a part are as they were written; it is told if they are not."""
        found = places(part.columns, names)
        wrong = damaged_columns(path, part.sums, stretches(path, names) if found is None else found)
        if wrong:
            self.tell(part.path, wrong)
        return wrong is None

    def _read(self) -> tuple[Manifest | None, str | None]:
        content, state = self.place.manifest()
        if content is None:
            return None, state
        name = f"{self.place.name}/{MANIFEST}"
        found = decode(content, name)
        strange = next((part.path for part in found.parts if not OURS.fullmatch(part.path)), None)
        if (
            strange is not None
        ):  # whoever writes a manifest does not say which other files of a machine are read
            raise damaged(name, f"it lists {terminal(strange, 200)}, which is no file of a lake")
        return found, state

    def _unique(self, staged: Sequence[_File], parts: Sequence[Part]) -> Iterator[_File]:
        """Yield files without the records that others have already."""
        days: defaultdict[str, list[_File]] = defaultdict(list)
        for each in staged:
            days[each[1].day].append(each)
        for day, files in days.items():
            there = [
                part for part in parts if part.day == day and any(_meet(part, other) for _, other in files)
            ]
            with self.readable(there) as readable:
                yield from self._unique_of_day(files, readable)

    def _unique_of_day(self, files: Sequence[_File], there: Sequence[tuple[Part, Path]]) -> Iterator[_File]:
        import numpy as np  # noqa: PLC0415 - takes a while, and only writing needs it
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        before: list[tuple[Part, Any]] = [
            (part, None) for part, path in there if self.is_sound(part, path, (ID, ACCOUNT))
        ]
        paths = dict(there)
        for path, part in files:
            found = keys(path).combine_chunks()
            coded = found.dictionary_encode()
            again = np.zeros(len(coded), dtype=bool)
            if len(coded.dictionary) < len(coded):
                again[:] = True
                again[np.unique(coded.indices.to_numpy(), return_index=True)[1]] = False
            for place, (other, known) in enumerate(before):
                if not _meet(other, part):
                    continue
                if known is None:
                    known = keys(paths[other])  # noqa: PLW2901 - read when it is needed first
                    before[place] = other, known
                again |= pc.is_in(found, value_set=known).to_numpy(zero_copy_only=False)
            before.append((part, found))
            if not again.any():
                yield path, part
                continue
            rewritten = without(self.place.staging(), path, part.day, again)
            if rewritten:
                yield rewritten

    def _with_digests(self, head: Head, digests: Sequence[bytes]) -> list[str]:
        """Write down which deliveries are done; gives the files that tell it."""
        if not digests:
            return list(head.ledgers)
        names = list(head.ledgers)
        if len(names) >= ledger.MANY:
            with self.place.local(names, self.tell) as files:
                if len(files) == len(names):  # else what is there stays listed, to be told again
                    digests, names = [*Ledger(files.values()).digests(), *digests], []
        name = f"{LEDGERS}/done-{random_name()}.bin"
        path = self.place.staging() / Path(name).name
        ledger.write(path, digests)
        self.place.put(path, name)
        return [*names, name]

    def _orphans(self, manifest: Manifest) -> list[str]:
        known = {part.path for part in manifest.parts} | set(manifest.head.ledgers)
        known |= {each.path for each in manifest.head.retired}
        return [
            each.name
            for each in self.place.files()
            if each.name not in known
            and each.modified < self._oldest()
            and (OURS.fullmatch(each.name) or each.name.startswith(LEDGERS))
        ]

    def _oldest(self) -> float:
        return self.now().timestamp() - ORPHAN

    def _contended(self) -> CannotDo:
        return CannotDo(
            f"{self.place.name}: others keep changing this lake, {ATTEMPTS} attempts were in vain",
            remedy="try again when they are done",
        )


def _names(manifest: Manifest) -> set[str]:
    """Give the names of all files that are in a manifest, or were in it until lately; none is ever used again."""
    head = manifest.head
    return {*(part.path for part in manifest.parts), *head.ledgers, *(each.path for each in head.retired)}


def _meet(one: Part, other: Part) -> bool:
    """Whether two files of a day can hold the same record."""
    if one.untimed and other.untimed:
        return True
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return False
    return one.first <= other.last and other.first <= one.last


def _lies_before(part: Part, day: date) -> bool:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    return part.last is not None and part.last < midnight and not part.untimed
