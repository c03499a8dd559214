"""Access tokens: a file of names, scopes and digests; the secrets themselves are known to those who use them only."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from rolewatch.base.errors import CannotDo, UsageError

Scope = Literal["read", "write"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "write")
PREFIX: Final = "rwt_"  # so that a secret is known as one of ours wherever it turns up
_LINE: Final = re.compile(r"(?P<name>\S{1,100})\s+(?P<scope>\S+)\s+sha256:(?P<digest>[0-9a-f]{64})(?:\s+(?P<until>\S+))?")  # fmt: skip
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
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST).decode("utf-8", "replace")
    except OSError as error:
        raise CannotDo(
            f"--tokens {path}: {error.strerror or error}", remedy="name a file that can be read"
        ) from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(_token(line.strip(), f"{path}:{number}"))
    if not found:
        raise CannotDo(f"--tokens {path} holds no token", remedy="`rolewatch token NAME` makes one")
    return found


def token_of(secret: str, tokens: Iterable[Token], now: datetime) -> Token | None:
    """Find the token of a secret, if it has not ended; as long as there are tokens it takes the same time for each."""
    digest, found = _digest(secret), None
    for token in tokens:
        if hmac.compare_digest(digest, token.digest) and (token.until is None or now < token.until):
            found = token
    return found


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
