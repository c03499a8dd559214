"""Three values: something holds, does not hold, or hangs on what is not known. AND is `min`, OR is `max`."""

from enum import IntEnum


class Truth(IntEnum):
    """Whether something holds."""

    NO = 0
    UNKNOWN = 1
    YES = 2

    def __invert__(self) -> "Truth":
        """Say whether the opposite holds."""
        return _OPPOSITES[self]

    @classmethod
    def of(cls, holds: bool) -> "Truth":  # noqa: FBT001 - a conversion
        """Convert what is known."""
        return cls.YES if holds else cls.NO

    @property
    def known(self) -> bool | None:
        """Whether it holds; None where that is not known."""
        return _KNOWN[self]


_OPPOSITES = (Truth.YES, Truth.UNKNOWN, Truth.NO)
_KNOWN = (False, None, True)
