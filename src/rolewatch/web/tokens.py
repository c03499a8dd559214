"""Access tokens: a file of names, scopes and digests; the secrets themselves are known to those who use them only."""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from rolewatch.base.errors import CannotDo, UsageError

Scope = Literal["read", "write"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "write")
PREFIX: Final = "rwt_"  # so that a secret is known as one of ours wherever it turns up
_LINE: Final = re.compile(r"(?P<name>\S{1,100})\s+(?P<scope>\S+)\s+sha256:(?P<digest>[0-9a-f]{64})(?:\s+(?P<until>\S+))?")  # fmt: skip
LOOKS: Final = 1.0  # seconds for which a file of tokens is taken to be as it was
_MOST: Final = 1024 * 1024  # bytes of a file of tokens


class Token(NamedTuple):
    """Who may do what, until when; `digest` is the SHA-256 of the secret. `write` includes `read`."""

    name: str
    scope: Scope
    digest: bytes
    until: datetime | None = None


def new_token(name: str, scope: Scope, until: datetime | None = None) -> tuple[str, Token]:
    """Make a token; returns its secret, which is kept nowhere, and what is kept. UsageError for a name with blanks."""
    if not re.fullmatch(r"\S{1,100}", name) or name.startswith("#"):
        raise UsageError(
            f"{name!r} cannot be the name of a token",
            remedy="a name has no blanks, and does not begin with #",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, Token(name, scope, _digest(secret), until)


def line_of(token: Token) -> str:
    """Write a token as a line of the file that `--tokens` names."""
    until = f" {token.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if token.until else ""
    return f"{token.name} {token.scope} sha256:{token.digest.hex()}{until}"


def tokens_in(path: str) -> list[Token]:
    """Read a file of tokens, one a line; `#` begins a comment. UsageError names the line that is wrong.

    CannotDo for a file that cannot be read, or that holds no token.
    """
    found = [_token(line, place) for line, place in _lines(path)]
    if not found:
        raise CannotDo(f"--tokens {path} holds no token", remedy="`rolewatch token NAME` makes one")
    return found


class TokenFile:
    """The tokens of a file as it is now; to be asked from any thread.

    It is read again when it has changed, looked for once in LOOKS seconds. A line that is wrong by then is no token, and
    with a file that is gone there is none: `complain` is told, once for each change.
    """

    def __init__(
        self, path: str, complain: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Read it for the first time; UsageError and CannotDo as `tokens_in`."""
        self._path, self._complain, self._monotonic = path, complain, monotonic
        self._lock = threading.Lock()
        self._mark = _mark(path)
        self._tokens: Sequence[Token] = tokens_in(path)
        self._looked = monotonic()

    def __call__(self) -> Sequence[Token]:
        """Give the tokens that there are."""
        with self._lock:
            if self._monotonic() - self._looked >= LOOKS:
                self._look()
            return self._tokens

    def _look(self) -> None:
        self._looked = self._monotonic()
        mark = _mark(self._path)
        if mark == self._mark:
            return
        self._mark, found = mark, []
        try:
            for line, place in _lines(self._path):
                try:
                    found.append(_token(line, place))
                except UsageError as error:
                    self._complain(str(error))
        except CannotDo as error:
            self._complain(str(error))
        if not found:
            self._complain(f"--tokens {self._path} holds no token any more: nobody gets in")
        self._tokens = found


def token_of(secret: str, tokens: Iterable[Token], now: datetime) -> Token | None:
    """Find the token of a secret, if it has not ended; as long as there are tokens it takes the same time for each."""
    digest, found = _digest(secret), None
    for token in tokens:
        if hmac.compare_digest(digest, token.digest) and (token.until is None or now < token.until):
            found = token
    return found


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file that are to be tokens, with their places; CannotDo if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST).decode("utf-8", "replace")
    except OSError as error:
        raise CannotDo(
            f"--tokens {path}: {error.strerror or error}", remedy="name a file that can be read"
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip(), f"{path}:{number}"


def _mark(path: str) -> tuple[int, ...] | None:
    """Tell one content of a file from another; None where there is no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _token(line: str, place: str) -> Token:
    match = _LINE.fullmatch(line)
    remedy = "write NAME read|write sha256:DIGEST [END], as `rolewatch token NAME` prints it"
    if not match or match["scope"] not in SCOPES:
        raise UsageError(f"{place}: no token", remedy=remedy)
    until = None
    if match["until"]:
        try:
            until = datetime.fromisoformat(match["until"])
        except ValueError:
            raise UsageError(f"{place}: {match['until']!r} is no time", remedy=remedy) from None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
    scope: Scope = "write" if match["scope"] == "write" else "read"
    return Token(match["name"], scope, bytes.fromhex(match["digest"]), until)
