"""Context keys that a decision hangs on in; whether that is worth telling out.

What a request asks for (the headers of an upload, tags, an encryption context) is for the service to choose, and policies that ask
for it shut nobody out. Who asks, over which way and for whom are facts of the account: these are told.
"""

from collections.abc import Iterable
from typing import Final

#: Keys of services that say who asks, or over which way.
_TOLD: Final = frozenset(
    {
        "s3:tlsversion",
        "s3:authtype",
        "s3:signatureversion",
        "s3:signatureage",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:accesspointnetworkorigin",
        "kms:viaservice",
        "kms:calleraccount",
    }
)
#: Global keys about what is asked for.
_ASKED_FOR: Final = ("aws:requesttag/", "aws:tagkeys", "aws:resourcetag/")
_GLOBAL: Final = "aws:"


def worth_telling(keys: Iterable[str]) -> bool:
    """Whether one of the keys says who asks, or is no key: an operator or a value that cannot be told."""
    return any(_is_worth(key.lower()) for key in keys)


def _is_worth(key: str) -> bool:
    prefix, colon, _ = key.partition(":")
    if not colon or " " in prefix:
        return True
    if key.startswith(_GLOBAL):
        return not key.startswith(_ASKED_FOR)
    return key in _TOLD
