"""How long to wait before the state is tried again."""

from typing import Final

#: Seconds; the last for as long as it takes.
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
