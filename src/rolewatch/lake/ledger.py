"""Which deliveries are in a lake already: 16 bytes of a digest for each, in files that the manifest lists."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from rolewatch.base.errors import CannotDo

SIZE: Final = 16
MANY: Final = 16  # files of a ledger; with more they are merged


def digest(identity: str) -> bytes:
    """Give what stands for a delivery."""
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()


class Ledger:
    """The deliveries that are done."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._done: set[bytes] = set()
        for file in files:
            content = file.read_bytes()
            if len(content) % SIZE:
                raise CannotDo(
                    f"{file}: this list of deliveries was cut off",
                    remedy="restore it from a backup, or remove its name from the manifest: deliveries are looked at again then",
                )
            self._done.update(content[at : at + SIZE] for at in range(0, len(content), SIZE))

    def __len__(self) -> int:
        return len(self._done)

    def __contains__(self, identity: str) -> bool:
        return digest(identity) in self._done

    def digests(self) -> list[bytes]:
        """Give all digests, sorted."""
        return sorted(self._done)


def write(path: Path, digests: Iterable[bytes]) -> None:
    """Write a file of a ledger."""
    path.write_bytes(b"".join(digests))
