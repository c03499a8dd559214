"""The part of `carve` that is written in C, where it could be built and the processor has AVX2."""

Buffer = bytes | bytearray
Sought = tuple[bytes | tuple[bytes, ...], ...]

def survey(
    buffer: Buffer,
    begin: int,
    end: int,
    literals: Sought,
    needed: tuple[int, ...],
    plain: int,
    minutes: dict[bytes, int] | None,
    /,
) -> tuple[int, int, list[tuple[int, int, int]], bytes]:
    """Count two literals between two places, and list the records that hold others, as (start, end, bits).

    The first literal ends one record with its first byte and begins the next with its third; the second is only counted.
    A bit is set for each further literal that the record holds, or for several of which it holds one, the lowest for the
    third; those records are left out that do not hold all bits of one of `needed`, if there are any. Literals have two
    bytes or more; ValueError for more than eight bits or 40 literals, and for one that could begin within a record's head.

    Records with the bits `plain` are boiled down instead, where possible, to a line each of what is returned last: a smaller
    record with the fields that name an access, a tab, its eventTime. Records of the same access have the same bytes then,
    whenever they happened. eventSource, eventName and the role's ARN come first, so that those of the same deed begin alike
    up to the first `"}}`. It is possible if the record is strict JSON, in ASCII and without white space, and these and
    eventTime are strings without escapes.

    Each of the second literal is counted in `minutes`, if that is given, by what follows it: `:"2026-03-01T10:05` counts for
    the minute 2026-03-01T10:05, anything else for the empty one.
    """

def log_file(
    buffer: Buffer,
    head: bytes,
    tail: bytes,
    literals: Sought,
    needed: tuple[int, ...],
    plain: int,
    minutes: dict[bytes, int] | None,
    /,
) -> tuple[int, int, list[tuple[int, int, int]], bytes] | None:
    """Survey what stands between head and tail, if the buffer begins and ends with them: (end, count, marked, boiled).

    None if it does not, if there is not one more of the second literal than of the first, and if the last record is not
    one whole value, as far as can be told here.
    """

def objects(buffer: Buffer, begin: int, end: int, /) -> int:
    """Count the objects that fill the stretch, separated by commas; 0 if it is anything else, or not strict JSON."""

def group(lines: bytes, number: int, deeds: dict[bytes, tuple[list[int], list[bytes]]], /) -> None:
    """Add a number and each line of boiled records to the lists of its deed: what stands before the first `"}}`."""
