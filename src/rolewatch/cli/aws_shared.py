"""Options that several actions of `rolewatch aws` have: whose credentials, and where."""

import re
from typing import Final

from rolewatch.cli import words
from rolewatch.cli.options import Option

_ROLE: Final = re.compile(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)


def role_name(word: str) -> str:
    """Read the name of a role, with its path if it has one; ValueError for anything else."""
    found = word.strip().removeprefix("/")
    if not _ROLE.fullmatch(found):
        raise ValueError(f"{word!r} is no name of a role; write it without account, as in audit/PolicyReader")
    return found


_WHO: Final = "with which credentials"
PROFILE: Final = Option(
    "profile", "the profile of ~/.aws/config", "NAME", shown="that of AWS_PROFILE", group=_WHO
)
ROLE_NAME: Final = Option(
    "role-name", "in other accounts, assume the role of this name", "NAME", role_name, group=_WHO
)
EXTERNAL_ID: Final = Option("external-id", "the external id that these roles ask for", "ID", group=_WHO)
REGIONS: Final = Option(
    "region",
    "these regions",
    "NAME",
    words.region,
    default=(),
    many=True,
    shown="that of the profile or AWS_REGION",
    group="where",
)
TRAIL: Final = Option(
    "trail",
    "deploy: a trail that is there already, or new for one of the stack's own; doctor: only this trail",
    "NAME",
    shown="new; doctor: all",
    group="the trail",
)
