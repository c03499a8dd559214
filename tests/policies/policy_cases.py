"""Requests with policies around them that nobody wrote, as `rolewatch policy evaluate` reads them; the same ones from the same seed.

They keep to what both evaluators of the second opinion take: actions, resources and keys that exist, keys with several values only under
set operators, whole ARNs, no ${*} (which the other one knows under Like alone).
"""

import random

OWN, OTHER, THIRD = "111111111111", "222222222222", "333333333333"
ACCOUNTS = (OWN, OTHER, THIRD)
ROLES = ("reader", "team/writer", "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")
SLR = f"arn:aws:iam::{OWN}:role/{ROLES[2]}"
PRINCIPALS = (
    f"arn:aws:iam::{OWN}:user/alice",
    f"arn:aws:iam::{OWN}:user/staff/bob",
    f"arn:aws:iam::{OWN}:role/reader",
    f"arn:aws:iam::{OWN}:role/team/writer",
    f"arn:aws:sts::{OWN}:assumed-role/reader/one",
    f"arn:aws:sts::{OWN}:assumed-role/reader/two",
    f"arn:aws:sts::{OWN}:assumed-role/writer/one",
    f"arn:aws:sts::{OWN}:federated-user/alice",
    f"arn:aws:iam::{OWN}:root",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "*",
    SLR,
)
#: service → resource → actions on it
TARGETS = {
    "s3": {
        "arn:aws:s3:::logs/2026/a.gz": ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        "arn:aws:s3:::logs-archive/x?y": ("s3:GetObject", "s3:PutObjectTagging"),
        "arn:aws:s3:::logs": ("s3:ListBucket", "s3:GetBucketPolicy"),
    },
    "sqs": {"arn:aws:sqs:us-east-1:{owner}:jobs": ("sqs:SendMessage", "sqs:ReceiveMessage")},
    "sns": {"arn:aws:sns:us-east-1:{owner}:alerts": ("sns:Publish", "sns:Subscribe")},
    "kms": {"arn:aws:kms:us-east-1:{owner}:key/1234abcd-12ab-34cd-56ef-1234567890ab": ("kms:Decrypt", "kms:CreateGrant")},
    "sts": {"arn:aws:iam::{owner}:role/target": ("sts:AssumeRole", "sts:TagSession")},
    "dynamodb": {"arn:aws:dynamodb:us-east-1:{owner}:table/Thread": ("dynamodb:GetItem", "dynamodb:PutItem")},
    "secretsmanager": {"arn:aws:secretsmanager:us-east-1:{owner}:secret:db-AbCdEf": ("secretsmanager:GetSecretValue",)},
}  # fmt: skip
#: key → values that occur, in requests and in policies; then patterns, in policies alone
TEXTS = {
    "aws:PrincipalTag/team": (("red", "Red", "blue", "a*b", "${team}"), ("r*", "?ed", "*", "${aws:username}", "${aws:PrincipalTag/side, 'red'}")),
    "aws:PrincipalTag/side": (("red", "left"), ("${aws:PrincipalTag/team}", "l*t")),
    "aws:RequestedRegion": (("us-east-1", "eu-west-1"), ("us-*", "??-west-1")),
    "aws:SourceVpce": (("vpce-0a", "vpce-0b"), ("vpce-*",)),
    "aws:PrincipalOrgID": (("o-abc", "o-xyz"), ("o-*",)),
    "aws:SourceAccount": (ACCOUNTS, ("1*", "${aws:PrincipalAccount}")),
    "aws:PrincipalAccount": (ACCOUNTS, ("1*",)),
    "aws:username": (("alice", "bob"), ("a*", "${aws:PrincipalTag/team}")),
    "aws:userid": (("AROAEXAMPLEID:one", "AIDAEXAMPLEID"), ("AROAEXAMPLEID:*", "AIDA*")),
}  # fmt: skip
ARNS = {
    "aws:PrincipalArn": (
        (f"arn:aws:iam::{OWN}:role/reader", f"arn:aws:iam::{OWN}:user/alice", SLR),
        ("arn:aws:iam::*:role/*", f"arn:aws:iam::{OWN}:*", f"arn:aws:iam::{OWN}:role/aws-service-role/*", "arn:*:iam::*:user/${aws:username}"),
    ),
    "aws:SourceArn": (
        ("arn:aws:s3:::logs", f"arn:aws:sns:us-east-1:{OWN}:alerts", "arn:aws:x:us-east-2:999999999999:store/abc:111122223333:finance/d"),
        ("arn:aws:s3:::*", "arn:aws:sns:*:*:a?erts", "arn:aws:x:*:111122223333:finance/*", "arn:aws:*:*:*:*"),
    ),
}  # fmt: skip
BOOLS = ("aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:ViaAWSService")
NUMBERS = {"aws:MultiFactorAuthAge": ("0", "5", "5.0", "7.25", "100")}
TIMES = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-06-01")
DATES = ("aws:CurrentTime", "aws:TokenIssueTime")
BLOCKS = ("203.0.113.0/24", "203.0.113.7", "0.0.0.0/0", "2001:db8:1234::/48", "::/0", "10.0.0.0/8")
ADDRESSES = {"aws:SourceIp": ("203.0.113.7", "203.0.114.1", "2001:db8:1234::1", "2001:db8:9::1"), "aws:VpcSourceIp": ("10.1.2.3", "192.168.0.1")}  # fmt: skip
SETS = {"aws:TagKeys": (("team", "cost", "Team"), ("t*", "?ost", "*")), "aws:PrincipalOrgPaths": (("o-abc/r-1/ou-1/", "o-abc/r-1/ou-2/"), ("o-abc/*", "o-abc/r-1/ou-?/"))}  # fmt: skip

STRING_OPERATORS = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike")  # fmt: skip
ARN_OPERATORS = ("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike")
ORDERED = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")


class Cases:
    """Makes cases; `random` decides everything."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        """Say yes in a share of the times."""
        return self.random.random() < share

    def some(self, values, most=2):
        """Choose one value, or a list of several."""
        number = min(self.random.choice((1, 1, 2, most)), len(values))
        chosen = self.random.sample(list(values), number)
        return chosen[0] if number == 1 and self.chance(0.5) else chosen

    def case(self):
        """Make one question, with everything that a file may hold but grants."""
        owner = self.random.choice((OWN, OWN, OTHER))
        service = self.random.choice(list(TARGETS))
        resource = self.random.choice(list(TARGETS[service]))
        action = self.random.choice(TARGETS[service][resource])
        principal = self.random.choice(PRINCIPALS)
        resource = resource.format(owner=owner)
        person = not (principal == "*" or principal.endswith(".amazonaws.com"))
        about = (service, action, resource)
        made = {
            "request": {
                "principal": principal,
                "action": action,
                "resource": resource,
                "resource_account": owner,
                "context": self.context(principal),
                "absent": ["aws:userid"],
            },
            "resource_policy": self.policy(about, "Allow", principals=True) if self.chance(0.75) or service in ("kms", "sts") else None,
            "resource_control_policies": self.levels(about, principals=True) if self.chance(0.15) else None,
            "vpc_endpoint_policies": [self.policy(about, "Allow", principals=True, anyone=True)] if self.chance(0.15) else None,
        }  # fmt: skip
        if "aws:userid" in made["request"]["context"]:
            del made["request"]["absent"]
        if self.chance(0.1):
            made["request"]["context_complete"] = False
        if principal.startswith("arn:aws:sts") and "federated-user" in principal:
            made["request"]["federated_by"] = principal.replace("sts", "iam").replace(
                "federated-user", "user"
            )
        if person:
            made |= self.of_person(about, principal)
        return made

    def of_person(self, about, principal):
        """Make the policies that only identities of an account have."""
        root = principal.endswith(":root")
        session = not root and ":user/" not in principal
        return {
            "identity_policies": [] if root else [self.policy(about, "Allow") for _ in range(self.random.choice((0, 1, 1, 2)))],
            "permission_boundaries": [self.policy(about, "Allow")] if not root and self.chance(0.2) else None,
            "session_policies": [self.policy(about, "Allow")] if "federated-user" in principal or (session and self.chance(0.2)) else None,
            "service_control_policies": self.levels(about, principals=False) if self.chance(0.2) else None,
        }  # fmt: skip

    def levels(self, about, *, principals):
        """Make the policies along a path of an organisation."""
        effect = "Deny" if principals else "Allow"
        return [
            {
                "level": name,
                "policies": [
                    self.policy(about, effect, principals=principals, anyone=True)
                    for _ in range(self.random.choice((1, 2)))
                ],
            }
            for name in ("root", "ou", "account")[: self.random.choice((1, 2, 3))]
        ]

    def policy(self, about, usual, *, principals=False, anyone=False):
        """Make a policy of several statements, most of which have the usual effect; with `anyone` for every principal."""
        number = self.random.choice((1, 2, 3))
        statements = [self.statement(about, usual, principals=principals, anyone=anyone) for _ in range(number)]  # fmt: skip
        return {"Version": "2012-10-17", "Statement": statements}

    def statement(self, about, usual, *, principals, anyone):
        """Make a statement that is likely to speak of the request."""
        service, action, resource = about
        effect = usual if self.chance(0.75) or anyone else self.random.choice(("Allow", "Deny"))
        made = {"Effect": effect}
        if principals and anyone:
            made["Principal"] = "*"
        elif principals:
            self.set_principal(made)
        actions = [action, action.upper().replace(service.upper(), service), f"{service}:*", "*", f"{action[:-2]}*", f"{service}:{'?' * len(action.partition(':')[2])}", f"{service}:Never*"]  # fmt: skip
        if anyone and effect == "Deny":
            actions.remove("*")  # an RCP names services
        word = "NotAction" if self.chance(0.1) and not (anyone and effect == "Deny") else "Action"
        made[word] = self.some(actions)
        resources = [resource, "*", f"{resource[:-2]}*", f"{resource[:-1]}?", f"{resource}-other", resource.replace(":us-east-1:", ":*:"), f"{resource}${{aws:PrincipalTag/side}}", resource.replace("logs", "${aws:PrincipalTag/none, 'logs'}")]  # fmt: skip
        if service == "sts" and principals and not anyone:
            return self.with_condition(made)  # a trust policy has no Resource
        word = "NotResource" if self.chance(0.1) and not anyone else "Resource"
        made[word] = self.some(resources)
        return self.with_condition(made)

    def set_principal(self, made):
        """Add a Principal, or where a policy may deny all but a few, a NotPrincipal."""
        named = {"AWS": self.some([each for each in PRINCIPALS if each.startswith("arn")] + [OWN, OTHER, f"arn:aws:iam::{OWN}:root"], 4)}  # fmt: skip
        if self.chance(0.2):
            named["Service"] = self.some(["config.amazonaws.com", "delivery.logs.amazonaws.com"])
        if self.chance(0.1) and made["Effect"] == "Deny":
            made["NotPrincipal"] = named
        else:
            made["Principal"] = self.random.choice(("*", {"AWS": "*"})) if self.chance(0.3) else named

    def with_condition(self, made):
        """Add none, one or two conditions."""
        condition = {}
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            operator, key, values = self.comparison()
            condition.setdefault(operator, {})[key] = values
        if condition:
            made["Condition"] = condition
        return made

    def comparison(self):
        """Make an operator, a key and values for it."""
        kind = self.random.choice(
            ("text", "text", "arn", "bool", "number", "date", "address", "set", "set", "null", "binary")
        )
        if kind == "null":
            return "Null", self.random.choice([*TEXTS, *BOOLS, *SETS]), self.random.choice(("true", "false", ["true", "false"]))  # fmt: skip
        if kind == "bool":
            return self.exists("Bool"), self.random.choice(BOOLS), self.random.choice(("true", "false", "True", ["true", "false"]))  # fmt: skip
        if kind == "number":
            key = self.random.choice(list(NUMBERS))
            return self.exists(f"Numeric{self.random.choice(ORDERED)}"), key, self.some(NUMBERS[key])
        if kind == "date":
            return self.exists(f"Date{self.random.choice(ORDERED)}"), self.random.choice(DATES), self.some(TIMES)  # fmt: skip
        if kind == "address":
            return self.exists(self.random.choice(("IpAddress", "NotIpAddress"))), self.random.choice(list(ADDRESSES)), self.some(BLOCKS)  # fmt: skip
        if kind == "binary":
            return self.exists("BinaryEquals"), "aws:PrincipalTag/binary", self.some(("QmluYXJ5", "b3RoZXI="))
        table, operators = {"text": (TEXTS, STRING_OPERATORS), "arn": (ARNS, ARN_OPERATORS), "set": (SETS, STRING_OPERATORS)}[kind]  # fmt: skip
        key = self.random.choice(list(table))
        operator = self.exists(self.random.choice(operators))
        if kind == "set":
            operator = f"{self.random.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
        values, patterns = table[key]
        return operator, key, self.some([*values, *patterns], 3)

    def exists(self, operator):
        """Add IfExists in a third of the cases."""
        return f"{operator}IfExists" if self.chance(0.33) else operator

    def context(self, principal):
        """Choose which keys a request carries."""
        made = {}
        for table in (TEXTS, {"aws:SourceArn": ARNS["aws:SourceArn"]}):
            for key, (values, _) in table.items():
                if self.chance(0.5) and key not in ("aws:PrincipalAccount", "aws:username"):
                    made[key] = self.random.choice(values)
        for key in BOOLS[:2]:
            if self.chance(0.6):
                made[key] = self.random.choice(("true", "false"))
        for table in (NUMBERS, ADDRESSES):
            for key, values in table.items():
                if self.chance(0.5):
                    made[key] = self.random.choice(values)
        if self.chance(0.4):
            made["aws:TokenIssueTime"] = self.random.choice(TIMES)
        made["aws:CurrentTime"] = self.random.choice(TIMES)
        for key, (values, _) in SETS.items():
            if self.chance(0.6):
                made[key] = self.random.sample(values, self.random.choice((1, 2)))
        if self.chance(0.4):
            made["aws:PrincipalTag/binary"] = "QmluYXJ5"
        if principal == f"arn:aws:sts::{OWN}:assumed-role/writer/one":
            made["aws:PrincipalArn"] = f"arn:aws:iam::{OWN}:role/team/writer"
        return made
