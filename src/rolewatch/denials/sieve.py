"""Find the facts that matter in boiled records, of which nearly none does: most are passed over without naming them.

A boiled record (`cloudtrail/_native.pyi`) begins with who did what, a deed that many have in common: that decides about
nearly all. Where a resource is named by name, that name is searched for in all records of a deed at once.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from operator import itemgetter

import stringzilla as sz

from rolewatch.cloudtrail.carve import Boiled
from rolewatch.denials.principal import issuer_of
from rolewatch.denials.record import Unparsable, decode_success
from rolewatch.denials.resources import named_by_name
from rolewatch.denials.rule import Rule, deed, facts

END = b'"}}'  # ends the part of a boiled record that says who did what
_NAME = re.compile(r"[A-Za-z0-9._-]{3,}\Z")

Key = tuple[str, ...]
Found = tuple[str, int]  # the latest time of a fact, and the number of where it was read
Row = tuple[str, int, bytes]  # time, number of the place, boiled record


class _Deed:
    """What a deed has to do with: keys of facts, and the name that a record about each must hold, or None."""

    __slots__ = ("keys", "rows")

    def __init__(self, keys: dict[Key, bytes | None]) -> None:
        self.keys = keys
        self.rows: list[Row] = []


class Sieve:
    """Finds the latest of some accesses (principal, action, resource) in boiled records; `found` starts with what is known."""

    def __init__(self, accesses: Iterable[Key], found: dict[Key, Found], rule: Rule) -> None:
        self.found = found
        self._rule = rule
        self._keys: dict[tuple[str, ...], list[Key]] = {}
        for key in accesses:
            self._keys.setdefault(key[:2], []).append(key)
        self._deeds: dict[bytes, _Deed | None] = {}

    def sift(self, places: Iterable[tuple[int, list[Boiled]]]) -> None:
        """Look through records, given with the number of the place where they were read."""
        deeds = self._deeds
        for number, records in places:
            for record, time in records:
                begin = record[: record.find(END)]
                try:
                    done = deeds[begin]
                except KeyError:
                    done = deeds[begin] = self._deed(begin)
                if done:
                    done.rows.append((time, number, record))
        for done in filter(None, deeds.values()):
            done.rows.sort(key=itemgetter(0), reverse=True)
            self._search(done.rows, {key: name for key, name in done.keys.items() if name})
            self._name(done.rows, {key for key, name in done.keys.items() if not name})
            done.rows = []

    def _search(self, rows: list[Row], names: dict[Key, bytes]) -> None:
        """Find what is named by name in records of one deed, of which the latest comes first."""
        ends = list(accumulate(len(record) for _, _, record in rows))
        text = b"".join(record for _, _, record in rows)
        for key, name in names.items():
            place = sz.find(text, name)
            while place >= 0:
                row = rows[bisect_right(ends, place)]
                if not self._is_later(row, key) or self._tell(row, {key}):
                    break
                place = sz.find(text, name, ends[bisect_right(ends, place)])

    def _name(self, rows: list[Row], keys: set[Key]) -> None:
        """Find what can be named in other ways, by naming one record after the other."""
        seen: set[bytes] = set()
        for row in rows:
            if not keys:
                break
            if row[2] not in seen:
                seen.add(row[2])
                keys -= self._tell(row, keys)

    def _is_later(self, row: Row, key: Key) -> bool:
        known = self.found.get(key)
        return known is None or row[0] > known[0]

    def _tell(self, row: Row, keys: set[Key]) -> set[Key]:
        """Name a record; returns which of these keys it tells."""
        time, number, record = row
        success = decode_success(record)
        success.eventTime = time
        told = keys.intersection(fact[:-1] for fact in facts(success, self._rule))
        for key in told:
            if self._is_later(row, key):
                self.found[key] = time, number
        return told

    def _deed(self, begin: bytes) -> _Deed | None:
        """Say what records that begin like this have to do with; None if it is nothing that matters."""
        try:
            start = decode_success(begin + b'"}}}}')
        except Unparsable:
            return None
        role, source, name = (
            issuer_of(start.userIdentity) or "",
            start.eventSource or "",
            start.eventName or "",
        )
        done = deed(role, source, name)
        keys = self._keys.get(done[:2]) if done else None
        if not keys:
            return None
        by_name = named_by_name(source, name)
        return _Deed({key: _name_of(key[2]) if by_name else None for key in keys})


def _name_of(resource: str) -> bytes | None:
    """Give the name at the end of an ARN, which a record that names the resource by name must hold as it is."""
    name = resource.rpartition("/")[2].rpartition(":")[2]
    return name.encode() if _NAME.match(name) and not resource.startswith("service:") else None
