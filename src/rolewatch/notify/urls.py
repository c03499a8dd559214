"""The URL of a target in, its parts out; and a name of it that holds no secret.

Errors here never repeat what was typed: any part of such a URL may be a token.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_SPACE: Final = re.compile(r"[\x00-\x20\x7f-\xa0]")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_REGION: Final = re.compile(r"[a-z]{2}[a-z0-9-]{3,30}")
#: Slows down who would guess a URL from its fingerprint: as good as nothing to us, who make one a target.
_ROUNDS: Final = 50_000


class Url(NamedTuple):
    """A URL's parts as they were written; `user`, `password` and the values of `options` are decoded.

    `path` is what stands between the authority and the question mark; without an authority (`//…`), all of it.
    """

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    path: str
    options: Mapping[str, str]


def scheme_of(url: str) -> str:
    """Give the scheme of a URL in lower case, "" if it has none."""
    found = _SCHEME.fullmatch(url.strip())
    return found[1].lower() if found else ""


def parsed(url: str, example: str) -> Url:
    """Take a URL apart; UsageError with the example for one that makes no sense."""
    found = _SCHEME.fullmatch(url.strip())
    if not found or _SPACE.search(found[2]):
        raise nonsense(scheme_of(url), "it holds a blank or a sign that no URL has", example)
    scheme, rest = found[1].lower(), found[2].partition("#")[0]
    before, _, query = rest.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=100)
    except ValueError:
        raise nonsense(scheme, "what stands behind the question mark is no list of NAME=VALUE", example) from None  # fmt: skip
    options = dict(pairs)
    if len(options) < len(pairs):
        raise nonsense(scheme, "an option stands there twice", example)
    if not before.startswith("//"):
        return Url(scheme, None, None, "", None, before, options)
    authority, slash, path = before[2:].partition("/")
    login, at, place = authority.rpartition("@")
    user, colon, password = login.partition(":")
    host, port = _place(place, scheme, example)
    return Url(
        scheme, unquote(user) if at else None, unquote(password) if colon else None, host, port, slash + path, options
    )  # fmt: skip


def _place(place: str, scheme: str, example: str) -> tuple[str, int | None]:
    """Split host and port."""
    if place.startswith("["):
        host, _, port = place.partition("]")
        host, port = f"{host}]", port.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise nonsense(scheme, "its port is no number from 1 to 65535", example)
    if not _HOST.fullmatch(host):
        raise nonsense(scheme, "its host is missing, or is none", example)
    return host, int(port) if port else None


def nonsense(scheme: str, why: str, example: str) -> UsageError:
    """Say what is wrong with a URL, without repeating any part of it that may be a secret."""
    return UsageError(f"the {terminal(scheme, 40) or 'notification'} URL makes no sense: {why}", remedy=f"write it as in {example}")  # fmt: skip


def known(url: Url, names: Collection[str], example: str) -> Mapping[str, str]:
    """Give the options of a URL; UsageError for one that there is not."""
    strange = [name for name in url.options if name not in names]
    if strange:
        there_are = f"its options are {', '.join(sorted(names))}" if names else "it has no options"
        raise nonsense(url.scheme, f"it has an option that means nothing here; {there_are}", example)
    return url.options


def switch(url: Url, name: str, default: str, example: str) -> bool:
    """Give the value of an option that is yes or no."""
    word = url.options.get(name, default).lower()
    if word not in ("yes", "no"):
        raise nonsense(url.scheme, f"{name} is yes or no", example)
    return word == "yes"


def region(url: Url, example: str) -> str | None:
    """Give the region that a URL names, None if it leaves that to the environment."""
    name = url.options.get("region")
    if name is not None and not _REGION.fullmatch(name):
        raise nonsense(url.scheme, "its region is none", example)
    return name


def variable(url: Url, name: str, example: str) -> str | None:
    """Give the name of the environment variable that an option names."""
    word = url.options.get(name)
    if word is not None and not _NAME.fullmatch(word):
        raise nonsense(url.scheme, f"{name} is the name of an environment variable", example)
    return word


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever the network says."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def fingerprint(url: str) -> str:
    """Give eight hex digits that tell one URL from another, and nothing else about it."""
    made = hashlib.pbkdf2_hmac("sha256", url.strip().encode("utf-8", "surrogatepass"), b"rolewatch target", _ROUNDS)  # fmt: skip
    return made[:4].hex()
