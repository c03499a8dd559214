"""What follows for people when a service is refused, as far as AWS documents it.

Where nothing is documented, a message says who was refused what, and no more.
"""

from collections.abc import Mapping
from typing import Any, Final

from rolewatch.catalog.consequences import Consequence, consequence_of

#: Verdicts that leave nobody blind: their own `consequence` says what there is to say.
_BENIGN: Final = frozenset(("harmless", "service-not-enabled"))


def documented(finding: Mapping[str, Any]) -> Consequence | None:
    """Look up what AWS documents to follow from a finding; None where it documents nothing, or the finding is benign."""
    if finding["verdict"] in _BENIGN:
        return None
    return consequence_of(finding["service"] or "", finding["resource_type"] or "")
