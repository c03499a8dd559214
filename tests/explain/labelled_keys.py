"""Labelled denials on KMS keys."""

from labelled import (
    BARE,
    DENIES,
    HOME,
    NO_IDENTITY,
    NO_RESOURCE,
    OTHER,
    REFUSED,
    Case,
    add,
    allow,
    deny,
    policy,
    replace,
    role_arn,
)

KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"
FAR_KEY = KEY.replace(HOME, OTHER)
CONFIG, MACIE, SCALING = (role_arn(name) for name in ("config", "macie", "autoscaling"))
AGENTLESS, MALWARE, LUSTRE = (role_arn(name) for name in ("agentless", "malware", "lustre"))
ROOT = {"AWS": f"arn:aws:iam::{HOME}:root"}
ADMINS = allow(
    "Admins", {"AWS": f"arn:aws:iam::{HOME}:role/KeyAdmin"}, ["kms:Put*", "kms:CreateGrant", "kms:Get*"], "*"
)
DELEGATES = allow("EnableIam", ROOT, "kms:*", "*")
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
SCALING_SET = [
    add("/Statement/-", allow("AllowAWSServiceRoleForAutoScaling", {"AWS": SCALING}, USE, "*")),
    add("/Statement/-", allow("AllowAWSServiceRoleForAutoScalingGrants", {"AWS": SCALING}, "kms:CreateGrant", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}})),
]  # fmt: skip
FORMER = "AROAXK5EXAMPLE7OLDROLE"
KEY_IS_HIDDEN = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."
GRANT = (
    f"aws kms create-grant --key-id {FAR_KEY} --grantee-principal {SCALING} --operations Encrypt Decrypt",
)


def on_key(*what, **more):
    """Label a denial on a key."""
    title, role, action, statements, cause, decided, patch, message = (*what, NO_RESOURCE)[:8]
    key = more.pop("key", KEY)
    collected = {key: policy(*statements)} | more.pop("also", {})
    call = more.pop("call", action)
    return Case(
        title, role, call, action, key, message, collected, "fix-your-policy", cause, decided, patch,
        parameters={"keyId": key}, code="AccessDenied", **more,
    )  # fmt: skip


BY_KEY, BY_ROLE = ("resource-based", "implicit"), ("identity-based", "implicit")
ALLOW_DESCRIBE = add(
    "/Statement/-", allow("AllowAWSServiceRoleForConfig", {"AWS": CONFIG}, "kms:DescribeKey", "*")
)

KEYS = [
    on_key(
        "a key that does not delegate to IAM", "config", "kms:DescribeKey", [ADMINS], BY_KEY, "no statement of resource policy allows it",
        [ALLOW_DESCRIBE], commands=(f"aws kms put-key-policy --key-id {KEY} --policy-name default --policy file://policy.json",),
    ),
    on_key(
        "a key that delegates, and a role whose own policy has nothing of KMS", "autoscaling", "kms:GenerateDataKeyWithoutPlaintext",
        [DELEGATES, ADMINS], BY_ROLE, "no statement of identity policies allows it", SCALING_SET, NO_IDENTITY,
    ),
    on_key(
        "a key that neither delegates nor names Auto Scaling", "autoscaling", "kms:CreateGrant", [ADMINS], None, None, SCALING_SET,
    )._replace(cause=BY_ROLE, decided="no statement of identity policies allows it"),
    on_key(
        "the message that KMS gives for three causes", "autoscaling", "kms:Decrypt", [DELEGATES], BY_ROLE, "no statement of identity policies",
        SCALING_SET, KEY_IS_HIDDEN,
    ),
    on_key(
        "an Allow through one service only, which was not the one", "agentless", "kms:Decrypt",
        [allow("ThroughEbs", {"AWS": "*"}, ["kms:Decrypt", "kms:DescribeKey"], "*", {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com", "kms:CallerAccount": HOME}})],
        BY_KEY, "ThroughEbs", [add("/Statement/-", allow("AllowAWSServiceRoleForAmazonInspector2Agentless", {"AWS": AGENTLESS}, "kms:Decrypt", "*"))],
        provided=("DenyKmsDecryptForExcludedKeys",),
    ),
    on_key(
        "a Deny unless through one service", "config", "kms:DescribeKey",
        [DELEGATES, deny("OnlyThroughS3", "kms:*", "*", {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})],
        ("resource-based", "explicit"), "OnlyThroughS3", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})], DENIES,
    ),
    on_key(
        "a Deny unless in an allow-list", "config", "kms:DescribeKey",
        [DELEGATES, deny("AllowList", ["kms:Decrypt", "kms:DescribeKey"], "*", {"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::{HOME}:role/App*"]}})],
        ("resource-based", "explicit"), "AllowList", [add("/Statement/1/Condition/ArnNotLike/aws:PrincipalArn/-", CONFIG)], DENIES,
    ),
    on_key(
        "a Deny and no Allow besides", "config", "kms:GetKeyPolicy",
        [ADMINS, deny("AllowList", "kms:*", "*", {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/KeyAdmin"}})],
        ("resource-based", "explicit"), "AllowList",
        [
            replace("/Statement/1/Condition/ArnNotEquals/aws:PrincipalArn", [f"arn:aws:iam::{HOME}:role/KeyAdmin", CONFIG]),
            add("/Statement/-", allow("AllowAWSServiceRoleForConfig", {"AWS": CONFIG}, "kms:GetKeyPolicy", "*")),
        ],
        DENIES,
    ),
    on_key(
        "CreateGrant alone, for a service without a documented set", "malware", "kms:CreateGrant", [ADMINS], BY_KEY,
        "no statement of resource policy",
        [add("/Statement/-", allow("AllowAWSServiceRoleForAmazonGuardDutyMalwareProtectionGrants", {"AWS": MALWARE}, "kms:CreateGrant", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}}))],
    ),
    on_key(
        "Macie, whose own policy has nothing of KMS, gets what was denied", "macie", "kms:Decrypt", [DELEGATES], BY_ROLE,
        "no statement of identity policies", [add("/Statement/-", allow("AllowAWSServiceRoleForAmazonMacie", {"AWS": MACIE}, "kms:Decrypt", "*"))], NO_IDENTITY,
        call="s3:GetObject", notes=("s3:GetObject was refused for the sake of this key",),
    )._replace(parameters={"bucketName": "ledger", "key": "a.csv"}),
    on_key(
        "FSx for Lustre, with the conditions that its guide writes", "lustre", "kms:GenerateDataKey", [DELEGATES], BY_ROLE,
        "no statement of identity policies",
        [add("/Statement/-", allow("AllowAWSServiceRoleForFSxS3Accessfs0123456789abcdef0", {"AWS": LUSTRE}, USE, "*",
             {"StringEquals": {"kms:CallerAccount": HOME, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}}))], NO_IDENTITY,
    ),
    on_key(
        "a key of another account: the statements, and the grant", "autoscaling", "kms:Decrypt", [allow("EnableIam", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "kms:*", "*")],
        ("resource-based", "implicit"), "no statement of", SCALING_SET, NO_RESOURCE, key=FAR_KEY,
        commands=(f"aws kms put-key-policy --key-id {FAR_KEY}", *GRANT), notes=("a grant is made by somebody",),
    )._replace(cause=BY_ROLE),
    on_key(
        "a key of another account that lets the account in: only the grant is missing", "autoscaling", "kms:CreateGrant", [allow("Them", ROOT, "kms:*", "*")],
        BY_ROLE, "no statement of identity policies allows it", [], NO_IDENTITY, key=FAR_KEY, commands=GRANT,
    ),
    on_key(
        "a key of another account, for a role that may use any", "config", "kms:DescribeKey", [allow("EnableIam", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "kms:*", "*")],
        BY_KEY, "no statement of resource policy allows it", [ALLOW_DESCRIBE], key=FAR_KEY,
    ),
    on_key(
        "a key that names the role's former self", "autoscaling", "kms:Decrypt", [ADMINS, allow("Scaling", {"AWS": FORMER}, USE, "*")],
        BY_ROLE, "no statement of identity policies", [replace("/Statement/1/Principal/AWS", SCALING)], NO_RESOURCE, reason="role-recreated",
        notes=(FORMER,),
    ),
    on_key(
        "a key that names the role's former self among others, and its new id is known", "autoscaling", "kms:GenerateDataKey",
        [ADMINS, allow("Scaling", {"AWS": [f"arn:aws:iam::{HOME}:role/App", FORMER]}, USE, "*")],
        BY_ROLE, "no statement of identity policies", [replace("/Statement/1/Principal/AWS/1", SCALING)], NO_RESOURCE, reason="role-recreated",
        also={SCALING: {"Role": {"RoleId": "AROANEWEXAMPLE1234567", "Arn": SCALING}}},
    ),
    on_key(
        "a deleted role in a statement about something else is not the cause", "config", "kms:DescribeKey",
        [allow("Former", {"AWS": "AROAGONEEXAMPLE123456"}, "kms:Decrypt", "*")],
        BY_KEY, "no statement of resource policy allows it", [ALLOW_DESCRIBE], notes=("it saves no policy that names it",),
    ),
    on_key(
        "a deleted role that was allowed everything is named, and the new role gets only what was denied", "config", "kms:DescribeKey",
        [allow("Former", {"AWS": FORMER}, "kms:*", "*")],
        BY_KEY, "no statement of resource policy allows it", [ALLOW_DESCRIBE], reason="role-recreated", notes=(FORMER, "it saves no policy that names it"),
    ),
    on_key(
        "a key with a grant for the role, as of when it was collected", "config", "kms:DescribeKey", [ADMINS], BY_KEY, None, None,
        also={f"{KEY}.grants": {"Grants": [{"GrantId": "abcd", "GranteePrincipal": CONFIG, "Operations": ["DescribeKey"]}]}},
        notes=("abcd",), no_fix="would change nothing", evidence="message",
    ),
    on_key(
        "a key with grants for other roles and for something else", "config", "kms:DescribeKey", [ADMINS], BY_KEY, "no statement of resource policy allows it",
        [ALLOW_DESCRIBE],
        also={f"{KEY}.grants": {"Grants": [
            {"GrantId": "a", "GranteePrincipal": CONFIG, "Operations": ["Decrypt"]}, {"GrantId": "b", "GranteePrincipal": MACIE, "Operations": ["DescribeKey"]},
        ]}},
    ),
    on_key(
        "a bare refusal by a key", "config", "kms:DescribeKey", [ADMINS], BY_KEY, "no statement of resource policy allows it", [ALLOW_DESCRIBE], BARE,
    ),
    on_key(
        "the role's own policy lacks the action, which no key policy decides on", "config", "kms:ListAliases", [DELEGATES], BY_ROLE, None, None,
        REFUSED + " because no identity-based policy allows the {action} action", no_fix="does not decide on kms:ListAliases",
    )._replace(action="kms:CreateCustomKeyStore", call="kms:CreateCustomKeyStore", no_fix="does not decide on kms:CreateCustomKeyStore",
               decided="no statement of identity policies allows it"),
]  # fmt: skip
