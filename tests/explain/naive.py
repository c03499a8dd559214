"""A second evaluator of policies, written from the IAM guide's words alone and sharing nothing with the first; slow, and for one account.

Every context key is known or absent: a request here is one way in which a request whose circumstances are not known may have been.
"""

import ipaddress
import re


def matches(pattern, text):
    """Whether a text is of a pattern with `*` and `?`."""
    source = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(source, text, re.DOTALL) is not None


def arn_matches(pattern, text):
    """Whether an ARN is of a pattern, part by part."""
    parts, found = pattern.split(":", 5), text.split(":", 5)
    return len(parts) == len(found) == 6 and all(map(matches, parts, found))


def within(block, text):
    """Whether an address is in a block."""
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


ONE = {
    "StringEquals": lambda value, found: value == found,
    "StringEqualsIgnoreCase": lambda value, found: value.lower() == found.lower(),
    "StringLike": matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "IpAddress": within,
    "Bool": lambda value, found: value.lower() == found.lower(),
}
NOT = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
}


def listed(value):
    """Give a value as a list."""
    return value if isinstance(value, list) else [value]


def holds(operator, values, found):
    """Whether one key of a condition holds, its value being found or None."""
    if operator == "Null":
        return any((found is None) == (value == "true") for value in values)
    bare, lenient = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if found is None:
        return lenient or bare in NOT
    if bare in NOT:
        return not any(ONE[NOT[bare]](value, found) for value in values)
    return any(ONE[bare](value, found) for value in values)


def names(principals, asks):
    """Whether a Principal names who asks: itself, its account, or everybody."""
    if principals == "*":
        return True
    entries = listed(principals.get("AWS", []))
    account = asks.split(":")[4]
    return (
        "*" in entries or asks in entries or f"arn:aws:iam::{account}:root" in entries or account in entries
    )


def leaves_out(principals, asks):
    """Whether a NotPrincipal leaves out who asks: only if it names the account beside it."""
    entries = listed(principals["AWS"])
    root = f"arn:aws:iam::{asks.split(':')[4]}:root"
    return asks == root in entries or (asks in entries and root in entries)


def speaks(statement, asks, action, resource, context):
    """Whether a statement speaks of a request."""
    actions = [value.lower() for value in listed(statement.get("Action", statement.get("NotAction")))]
    if any(matches(value, action.lower()) for value in actions) is ("NotAction" in statement):
        return False
    resources = listed(statement.get("Resource", statement.get("NotResource")))
    if any(matches(value, resource) for value in resources) is ("NotResource" in statement):
        return False
    if "NotPrincipal" in statement and leaves_out(statement["NotPrincipal"], asks):
        return False
    if "Principal" in statement and not names(statement["Principal"], asks):
        return False
    lowered = {key.lower(): value for key, value in context.items()}
    lowered["aws:principalarn"], lowered["aws:principalaccount"] = asks, asks.split(":")[4]
    return all(
        holds(operator, listed(values), lowered.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def decide(policy, asks, action, resource, context):
    """Say what a resource's policy says of a request: "deny", "allow" or nothing; and which statements do."""
    speaking = [each for each in listed(policy["Statement"]) if speaks(each, asks, action, resource, context)]
    effects = {each["Effect"] for each in speaking}
    word = "deny" if "Deny" in effects else "allow" if "Allow" in effects else ""
    return word, [each.get("Sid") for each in speaking]
