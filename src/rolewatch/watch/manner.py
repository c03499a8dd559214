"""How a watcher looks at deliveries, kept in the state, so that what is read again later is looked at alike."""

from datetime import timedelta
from typing import Final, Self

import msgspec

from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window
from rolewatch.watch.kept import Spans

MANNER: Final = "manner"  # the name of the note


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request decides on what is found; spans in seconds. Without a watcher before, as its options are by default."""

    principals: tuple[str, ...] = ("slr",)
    authentication: bool = False
    gunzip_limit: int = 4 * 1024**3
    gunzip_ratio: int = 200
    silent: float = 7 * 86_400.0
    settle: float = 900.0
    lake: bool = False
    blame: bool = False

    @classmethod
    def of(cls, request: ScanRequest, spans: Spans, *, lake: bool, blame: bool = False) -> Self:
        """Take it from a request; `lake` says that deliveries go into one, too, and `blame` that changes of policies are kept."""
        return cls(
            lake=lake,
            blame=blame,
            principals=tuple(sorted(request.principals)),
            authentication=request.authentication,
            gunzip_limit=request.gunzip_limit,
            gunzip_ratio=request.gunzip_ratio,
            silent=spans.silent.total_seconds(),
            settle=spans.settle.total_seconds(),
        )

    def encode(self) -> str:
        """Write it as a note."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> Self:
        """Read a note; one that is missing, or of another version of rolewatch, is as the defaults."""
        try:
            return msgspec.json.decode(text or "{}", type=cls)
        except msgspec.ValidationError:
            return cls()

    def request(self) -> ScanRequest:
        """Make the request again, for a process that works alone."""
        return ScanRequest(
            window=Window(),
            principals=frozenset(self.principals),
            authentication=self.authentication,
            gunzip_limit=self.gunzip_limit,
            gunzip_ratio=self.gunzip_ratio,
        )

    def spans(self) -> Spans:
        """Give the spans again."""
        return Spans(timedelta(seconds=self.silent), timedelta(seconds=self.settle))
