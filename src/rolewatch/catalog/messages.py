"""What AWS writes into access-denied messages: policy types, service settings, services that are switched off.

Sources: spec/cloudtrail.md §8 (IAM's "Troubleshoot access denied error messages"; real records) and
research/peers.md §3. All wordings are lower case here; compare with lowered text.
"""

from typing import NamedTuple


class Wording(NamedTuple):
    """A phrase AWS prints, what it means, and who printed it where."""

    phrase: str
    meaning: str
    source: str


POLICY_TYPES: tuple[Wording, ...] = (
    Wording("service control polic", "service-control", "spec/cloudtrail.md §8.2"),
    Wording("resource control polic", "resource-control", "spec/cloudtrail.md §8.2"),
    Wording("vpc endpoint polic", "vpc-endpoint", "spec/cloudtrail.md §8.2"),
    Wording("permissions boundar", "permissions-boundary", "spec/cloudtrail.md §8.2"),
    Wording("permission boundar", "permissions-boundary", "spelling without the s, accepted for safety"),
    Wording("session polic", "session", "spec/cloudtrail.md §8.2"),
    Wording("sessions polic", "session", "spec/cloudtrail.md §8.2, the 2022 documentation"),
    Wording("resource-based polic", "resource-based", "spec/cloudtrail.md §8.2"),
    Wording("resource policies", "resource-based", "KMS documentation, older wording"),
    Wording("role trust polic", "role-trust", "spec/cloudtrail.md §8.2"),
    Wording("identity-based polic", "identity-based", "spec/cloudtrail.md §8.2"),
)
"""What follows "with an explicit deny in a" or "because no": the start of the phrase, so that plurals match too."""

NOT_ENABLED: tuple[Wording, ...] = (
    Wording("macie is not enabled", "macie2", "research/peers.md §3; Config's GetMacieSession"),
    Wording(
        "is not subscribed to aws security hub",
        "securityhub",
        "research/peers.md §4.2, InvalidAccessException",
    ),
    Wording(
        "not enabled for securityhub",
        "securityhub",
        "Security Hub's other wording, seen in public error handlers",
    ),
    Wording("iam user access not activated", "ce", "spec/cloudtrail.md §8.3, Cost Explorer, real record"),
    Wording(
        "user not enabled for cost explorer access",
        "ce",
        "Cost Explorer before its first activation, public reports",
    ),
    Wording("cost explorer is not enabled", "ce", "Cost Explorer, public error handlers"),
    Wording(
        "premium support subscription is required",
        "support",
        "Support, Trusted Advisor and Health APIs without a plan",
    ),
)
"""A refusal that no policy can lift: the service or feature is off in this account."""
