"""The part of `carve` that is written in C, where it could be built and the processor has AVX2."""

Buffer = bytes | bytearray

def survey(
    buffer: Buffer, begin: int, end: int, literals: tuple[bytes, ...], needed: tuple[int, ...], plain: int, /
) -> tuple[int, int, list[tuple[int, int, int]], list[tuple[bytes, str]]]:
    """Count two literals between two places, and list the records that hold others, as (start, end, bits).

    The first literal ends one record with its first byte and begins the next with its third; the second is only counted.
    A bit is set for each further literal that the record holds, the lowest for the third; those are left out that do
    not hold all bits of one of `needed`, if there are any. Literals have two bytes or more; ValueError for more than eight of them, and for one that could begin
    within the head of a record.

    Records with the bits `plain` are boiled down instead, where possible: to a smaller record with the fields that name an
    access, and its eventTime. Records of the same access have the same bytes then, whenever they happened. eventSource,
    eventName and the role's ARN come first, so that those of the same deed begin alike up to the first `"}}`. It is possible
    if the record is strict JSON, in ASCII and without white space, and these and eventTime are strings without escapes.
    """

def objects(buffer: Buffer, begin: int, end: int, /) -> int:
    """Count the objects that fill the stretch, separated by commas; 0 if it is anything else, or not strict JSON."""
