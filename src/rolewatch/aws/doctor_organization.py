"""What was found in several accounts in; the same, with the trails of an organization known in each account that they record, out.

CloudTrail shows the organization's trail to its members, but not to all at once, and not to those whom nobody lets look. Its owner
knows better.
"""

from collections.abc import Iterable, Mapping

from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_setup import ORGANIZATION, Answer, Setup, Trail, Unseen


def shared(setups: Mapping[str, Setup], askers: Mapping[str, Asker], *, whole: bool) -> dict[str, Setup]:
    """Add to each set-up the organization's trails that others of them own, and who is examined beside it.

    `whole`: all accounts are known to be of one organization; else each is asked in which it is, where that matters. Where that is
    refused, it is not known which trails there are.
    """
    trails = [trail for setup in setups.values() for trail in _owned(setup)]
    made = {}
    for account, setup in setups.items():
        added = _added(setup, trails, None if whole else askers[account])
        made[account] = setup._replace(trails=added, examined=frozenset(setups) - {account})
    return made


def _owned(setup: Setup) -> list[Trail]:
    """Give the organization's trails that an account owns."""
    known = () if isinstance(setup.trails, Unseen) else setup.trails
    return [each for each in known if each.organization and each.account == setup.account]


def _added(setup: Setup, trails: Iterable[Trail], asker: Asker | None) -> tuple[Trail, ...] | Unseen:
    own = () if isinstance(setup.trails, Unseen) else setup.trails
    arns = {each.arn for each in own}
    strange = [each for each in trails if each.arn not in arns and each.account != setup.account]
    if not strange:
        return setup.trails
    if asker is not None:
        answer = asker.ask(ORGANIZATION, None, "the organization")
        if isinstance(answer, Unseen):
            return setup.trails if own else answer
        strange = [each for each in strange if each.account == _management(answer)]
    # In the member, its role is another account's.
    added = tuple(each._replace(role=None) for each in strange)
    return (*own, *added) if added else setup.trails


def _management(answer: Answer | None) -> str:
    """Give the account that manages an organization, and owns its trails; "" for none."""
    found = (answer or {}).get("Organization", {})
    return str(found.get("ManagementAccountId") or found.get("MasterAccountId") or "")
