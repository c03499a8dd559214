"""Find the facts that matter in boiled records, of which nearly none does: most are passed over without naming them.

A boiled record (`cloudtrail/_native.pyi`) begins with who did what, a deed that many have in common: that decides about
nearly all. Where a resource is always named by its name, that is searched for in all records of a deed at once.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate

import stringzilla as sz

from rolewatch.cloudtrail.carve import Boiled, by_deed
from rolewatch.denials.principal import issuer_of
from rolewatch.denials.record import Unparsable, decode_success
from rolewatch.denials.rule import Rule, deed, facts

# Services in whose requests and records a resource is always named as its ARN ends; others write lower case, name the part
# of a whole, or need no name at all. What most denials are about is among them.
AS_WRITTEN = frozenset(("dynamodb", "ecr", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs"))
_NAME = re.compile(r"[A-Za-z0-9._-]{3,}\Z")

Key = tuple[str, ...]
Found = tuple[str, int]  # a time of a fact, and the number of where it was read
Deeds = Mapping[tuple[str, ...], list[Key]]  # the accesses by principal and action


def deeds_of(accesses: Iterable[Key]) -> Deeds:
    """Sort accesses (principal, action, resource) by principal and action."""
    deeds: dict[tuple[str, ...], list[Key]] = {}
    for key in accesses:
        deeds.setdefault(key[:2], []).append(key)
    return deeds


class Sieve:
    """Finds the latest of some accesses in boiled records, or the first of each that is later than `after` says.

    `found` starts with what is known, and holds what is found.
    """

    def __init__(
        self, deeds: Deeds, found: dict[Key, Found], rule: Rule, after: Mapping[Key, str] | None = None
    ) -> None:
        self.found = found
        self._rule = rule
        self._keys = deeds
        self._after = after

    def sift(self, places: Iterable[tuple[int, Boiled]]) -> None:
        """Look through records, given with the number of the place where they were read."""
        for begin, (numbers, lines) in by_deed(places).items():
            names = self._names(begin)
            self._search(numbers, lines, {key: name for key, name in names.items() if name})
            self._name(zip(lines, numbers, strict=True), {key for key, name in names.items() if not name})

    def _search(self, numbers: list[int], lines: list[bytes], names: dict[Key, bytes]) -> None:
        """Find what is named by name in records of one deed."""
        if not names:
            return
        ends = list(accumulate(map(len, lines)))
        text = b"".join(lines)
        for key, name in names.items():
            about = []
            place = sz.find(text, name)
            while place >= 0:
                which = bisect_right(ends, place)
                about.append((lines[which], numbers[which]))
                place = sz.find(text, name, ends[which])
            self._name(about, {key})

    def _name(self, rows: Iterable[tuple[bytes, int]], keys: set[Key]) -> None:
        """Find some facts by naming one record after the other, each once, until all are found."""
        if not keys:
            return
        if self._after is None:
            self._name_latest(sorted(map(_parted, rows), reverse=True), keys)
        else:
            self._name_first(sorted(map(_parted, rows)), keys, self._after)

    def _name_latest(self, rows: Iterable[tuple[bytes, bytes, int]], keys: set[Key]) -> None:
        seen: set[bytes] = set()
        for time, record, number in rows:
            if not keys:
                break
            if record not in seen:
                seen.add(record)
                told = self._told(record, time.decode(), keys)
                keys -= told
                for key in told:
                    known = self.found.get(key)
                    if known is None or time.decode() > known[0]:
                        self.found[key] = time.decode(), number

    def _name_first(
        self, rows: Iterable[tuple[bytes, bytes, int]], keys: set[Key], after: Mapping[Key, str]
    ) -> None:
        begin = min(after[key] for key in keys).encode()
        named: dict[bytes, set[Key]] = {}  # a record comes again: for some of its keys it was too early
        for time, record, number in rows:
            if not keys:
                break
            if time <= begin:
                continue
            told = named.get(record)
            if told is None:
                told = named[record] = self._told(record, time.decode(), keys)
            for key in told & keys:
                if time.decode() > after[key]:
                    keys.discard(key)
                    known = self.found.get(key, ("", 0))[0]
                    if known <= after[key] or time.decode() < known:
                        self.found[key] = time.decode(), number

    def _told(self, record: bytes, time: str, keys: set[Key]) -> set[Key]:
        """Name a record; returns which of these keys it tells."""
        success = decode_success(record)
        success.eventTime = time
        return keys.intersection(fact[:-1] for fact in facts(success, self._rule))

    def _names(self, begin: bytes) -> dict[Key, bytes | None]:
        """Give the keys that records which begin like this may tell, each with the name that one about it must hold."""
        try:
            start = decode_success(begin + b'"}}}}')
        except Unparsable:
            return {}
        role, source, name = (
            issuer_of(start.userIdentity) or "",
            start.eventSource or "",
            start.eventName or "",
        )
        done = deed(role, source, name)
        keys = self._keys.get(done[:2], ()) if done else ()
        return {key: _name_of(key[2]) for key in keys}


def _parted(row: tuple[bytes, int]) -> tuple[bytes, bytes, int]:
    """Part a line into time and record, and keep its number."""
    record, _, time = row[0].rpartition(b"\t")
    return time, record, row[1]


def _name_of(resource: str) -> bytes | None:
    """Give the name at the end of an ARN, if every record about the resource holds it as it is."""
    name = resource.rpartition("/")[2].rpartition(":")[2]
    as_written = resource.startswith("arn:") and resource.split(":", 3)[2] in AS_WRITTEN
    return name.encode() if as_written and _NAME.match(name) else None
