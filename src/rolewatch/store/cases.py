"""What many denials have in common, kept once under a number."""

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa

from rolewatch.store.schema import CASES
from rolewatch.store.state import insert, parts


def number(connection: sa.Connection, bodies: Iterable[bytes]) -> dict[bytes, int]:
    """Give the number of each case, by its body; new ones get one."""
    digests = {hashlib.sha256(body).digest()[:16]: body for body in bodies}
    found = _known(connection, list(digests))
    rows = [{"digest": digest, "body": digests[digest]} for digest in sorted(digests.keys() - found.keys())]
    if rows:
        connection.execute(insert(connection, CASES).on_conflict_do_nothing(), rows)
        found |= _known(connection, [row["digest"] for row in rows])
    return {digests[digest]: place for digest, place in found.items()}


def bodies(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, bytes]:
    """Give cases by their numbers."""
    found: dict[int, bytes] = {}
    for part in parts(sorted(set(numbers))):
        rows = connection.execute(sa.select(CASES).where(CASES.c.id.in_(part)))
        found |= {row.id: bytes(row.body) for row in rows}
    return found


def _known(connection: sa.Connection, digests: list[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for part in parts(digests):
        rows = connection.execute(sa.select(CASES.c.digest, CASES.c.id).where(CASES.c.digest.in_(part)))
        found |= {bytes(row.digest): row.id for row in rows}
    return found
