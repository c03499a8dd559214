"""Labelled denials on S3 buckets, and on what is in them."""

from labelled import (
    BARE,
    DENIED,
    HOME,
    OTHER,
    QUOTED,
    Case,
    add,
    allow,
    bucket,
    deny,
    policy,
    replace,
    role_arn,
)

CONFIG, MACIE, ANALYZER = (role_arn(name) for name in ("config", "macie", "access-analyzer"))
ADVISOR, GUARD = (role_arn(name) for name in ("trustedadvisor", "guardduty"))
EVERY_SLR = f"arn:aws:iam::{HOME}:role/aws-service-role/*"
ADMIN = f"arn:aws:iam::{HOME}:role/Administrator"
VPCE = "vpce-1a2b3c4d5e6f7a8b9"
BY_DENY = ("resource-based", "explicit")
TLS = deny("TlsOnly", "s3:*", bucket("ledger")[1], {"Bool": {"aws:SecureTransport": "false"}})
NEW = "/Statement/0/Condition/ArnNotEquals"


def denied(*what, **more):
    """Label a denial on a bucket by one of its policy's statements."""
    name, title, role, action, statements, sid, patch = what
    arn, _ = bucket(name)
    call = more.pop("call", action)
    collected = {arn: policy(*statements)} | more.pop("also", {})
    return Case(
        title, role, call, action, more.pop("resource", arn), more.pop("message", DENIED), collected, "fix-your-policy",
        BY_DENY, sid, patch, parameters={"bucketName": name}, **more,
    )  # fmt: skip


def _many(name):
    _, both = bucket(name)
    return [
        deny(
            f"OnlyFromVpc{number}",
            "s3:*",
            both,
            {"StringNotEquals": {"aws:SourceVpc": f"vpc-{number:017x}"}},
            Principal={"AWS": "*"},
        )
        for number in (1, 2)
    ]


def _long(name):
    """Fill a policy so that it fits set out in no way but the tightest."""
    arn, both = bucket(name)
    users = [f"arn:aws:iam::{HOME}:user/department-{number:04}/someone" for number in range(330)]
    vpc_only = deny("VpcOnly", "s3:*", both, {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})
    return [vpc_only, deny("NoDelete", "s3:DeleteBucket", arn, {"ArnLike": {"aws:PrincipalArn": users}})]


def _full(name):
    """Fill a policy so that nothing more fits."""
    first, second = _long(name)
    users = second["Condition"]["ArnLike"]["aws:PrincipalArn"]
    users += [f"arn:aws:iam::{HOME}:user/x-{number:03}" for number in range(600)]
    return [first, second]


LEDGER, LEDGER_ALL = bucket("ledger")
OBJECT = f"{LEDGER}/2026/10/05/statement.pdf"

BUCKETS = [
    denied(
        "vpce-only", "only from one VPC endpoint", "config", "s3:GetBucketPolicy",
        [deny("OnlyOurEndpoint", "s3:*", bucket("vpce-only")[1], {"StringNotEquals": {"aws:SourceVpce": VPCE}})],
        "OnlyOurEndpoint", [add(NEW, {"aws:PrincipalArn": CONFIG})],
        commands=("put-bucket-policy --bucket vpce-only --policy file://policy.json",),
    ),
    denied(
        "vpc-only", "only from one VPC, the endpoint in the record is AWS's own", "access-analyzer", "s3:GetBucketAcl",
        [deny("OnlyOurVpc", "s3:*", bucket("vpc-only")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}})],
        "OnlyOurVpc", [add(NEW, {"aws:PrincipalArn": ANALYZER})],
        more={"vpcEndpointId": "vpce-0ffee0ddba11cafe0", "sourceIPAddress": "10.0.4.7"},
    ),
    denied(
        "tls-if-exists", "TLS required with IfExists may be the cause of a bare refusal", "trustedadvisor", "s3:GetBucketPolicy",
        [deny("Tls", "s3:*", bucket("tls-if-exists")[1], {"BoolIfExists": {"aws:SecureTransport": "false"}})],
        "Tls", None, no_fix="the record does not tell whether Tls denies it", message=BARE, evidence="guess",
    )._replace(cause=(None, None)),
    denied(
        "tls-if-exists-said", "TLS required with IfExists, and the message says that a statement denied", "trustedadvisor", "s3:GetBucketPolicy",
        [deny("Tls", "s3:*", bucket("tls-if-exists-said")[1], {"BoolIfExists": {"aws:SecureTransport": "false"}})],
        "Tls", [add(NEW, {"aws:PrincipalArn": ADVISOR})],
    ),
    denied(
        "vpce-if-exists", "the message says that the condition with IfExists denied", "trustedadvisor", "s3:GetBucketPolicy",
        [deny("Endpoints", "s3:*", bucket("vpce-if-exists")[1], {"StringNotEqualsIfExists": {"aws:SourceVpce": [VPCE]}})],
        "Endpoints", [add(NEW, {"aws:PrincipalArn": ADVISOR})],
    ),
    denied(
        "office-only", "only from the office's addresses", "macie", "s3:GetBucketLocation",
        [deny("OfficeOnly", "s3:*", bucket("office-only")[1], {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8:1234::/48"]}})],
        "OfficeOnly", [add(NEW, {"aws:PrincipalArn": MACIE})],
    ),
    denied(
        "office-or-vpc", "addresses and VPC in one condition", "config", "s3:GetBucketAcl",
        [deny("Perimeter", ["s3:Get*", "s3:List*"], bucket("office-or-vpc")[1], {
            "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
        })],
        "Perimeter", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "org-only", "only the organisation, and the account is in another one", "config", "s3:GetBucketPolicy",
        [deny("OrgOnly", "s3:*", bucket("org-only")[1], {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})],
        "OrgOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})], also={"organization": {"Organization": {"Id": "o-z9y8x7w6v5"}}},
    ),
    denied(
        "no-org", "only the organisation, and the account is in none", "config", "s3:GetBucketPolicy",
        [deny("OrgOnly", "s3:*", bucket("no-org")[1], {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}})],
        "OrgOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})], also={"organization": {}},
    ),
    denied(
        "org-unknown", "only the organisation, which was not collected; the message says that a statement denied", "config", "s3:GetBucketPolicy",
        [deny("OrgOnly", "s3:*", bucket("org-unknown")[1], {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})],
        "OrgOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})], notes=("describe-organization",),
    ),
    denied(
        "org-own", "only the own organisation is a bystander of the VPC's statement", "config", "s3:GetBucketPolicy",
        [
            deny("OrgOnly", "s3:*", bucket("org-own")[1], {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            deny("OnlyOurVpc", "s3:*", bucket("org-own")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}),
        ],
        "OnlyOurVpc", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})],
        also={"organization": {"Organization": {"Id": "o-a1b2c3d4e5"}}},
    ),
    denied(
        "org-maybe", "the VPC's statement denies for certain, the organisation's may", "config", "s3:GetBucketPolicy",
        [
            deny("OrgOnly", "s3:*", bucket("org-maybe")[1], {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            deny("OnlyOurVpc", "s3:*", bucket("org-maybe")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}),
        ],
        "OnlyOurVpc", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})], provided=("OrgOnly",),
    ),
    denied(
        "notprincipal-root", "NotPrincipal with the account's root", "config", "s3:GetBucketPolicy",
        [deny("OnlyAdmins", "s3:*", bucket("notprincipal-root")[1], Principal=None, NotPrincipal={"AWS": [f"arn:aws:iam::{HOME}:root", ADMIN]})],
        "OnlyAdmins", [add("/Statement/0/Condition", {"ArnNotEquals": {"aws:PrincipalArn": CONFIG}})],
    ),
    denied(
        "notprincipal", "NotPrincipal without the account's root", "macie", "s3:ListAllMyBuckets",
        [deny("OnlyAdmins", "s3:*", bucket("notprincipal")[1], Principal=None, NotPrincipal={"AWS": ADMIN})],
        "OnlyAdmins", [add("/Statement/0/Condition", {"ArnNotEquals": {"aws:PrincipalArn": MACIE}})],
        call="s3:GetBucketTagging",
    )._replace(action="s3:GetBucketTagging"),
    denied(
        "notprincipal-role", "NotPrincipal that names the role, but not its account", "config", "s3:GetBucketPolicy",
        [deny("OnlyConfig", "s3:*", bucket("notprincipal-role")[1], Principal=None, NotPrincipal={"AWS": CONFIG})],
        "OnlyConfig", [add("/Statement/0/Condition", {"ArnNotEquals": {"aws:PrincipalArn": CONFIG}})],
    ),
    denied(
        "notprincipal-former-alone", "NotPrincipal that names the role's former self, but not its account", "config", "s3:GetBucketPolicy",
        [deny("OnlyConfig", "s3:*", bucket("notprincipal-former-alone")[1], Principal=None, NotPrincipal={"AWS": ["AROAXK5EXAMPLE7OLDROLE"]})],
        "OnlyConfig", [add("/Statement/0/Condition", {"ArnNotEquals": {"aws:PrincipalArn": CONFIG}})], notes=("it saves no policy that names it",),
    ),
    denied(
        "allow-list-arnnotlike", "an allow-list in ArnNotLike gets one more", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-arnnotlike")[1], {"ArnNotLike": {"aws:PrincipalArn": [ADMIN, f"arn:aws:iam::{HOME}:role/team/*"]}})],
        "AllowList", [add("/Statement/0/Condition/ArnNotLike/aws:PrincipalArn/-", CONFIG)],
    ),
    denied(
        "allow-list-stringnotlike", "an allow-list of one in StringNotLike becomes one of two", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-stringnotlike")[1], {"StringNotLike": {"aws:PrincipalArn": f"{ADMIN}*"}})],
        "AllowList", [replace("/Statement/0/Condition/StringNotLike/aws:PrincipalArn", [f"{ADMIN}*", CONFIG])],
    ),
    denied(
        "allow-list-stringnotequals", "an allow-list in StringNotEquals, its key in other letters", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-stringnotequals")[1], {"StringNotEquals": {"AWS:principalARN": [ADMIN]}})],
        "AllowList", [add("/Statement/0/Condition/StringNotEquals/AWS:principalARN/-", CONFIG)],
    ),
    denied(
        "allow-list-ifexists", "an allow-list with IfExists", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-ifexists")[1], {"ArnNotEqualsIfExists": {"aws:PrincipalArn": [ADMIN]}})],
        "AllowList", [add("/Statement/0/Condition/ArnNotEqualsIfExists/aws:PrincipalArn/-", CONFIG)],
    ),
    denied(
        "allow-list-ignorecase", "an allow-list in StringNotEqualsIgnoreCase", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-ignorecase")[1], {"StringNotEqualsIgnoreCase": {"aws:PrincipalArn": [ADMIN.upper()]}})],
        "AllowList", [add("/Statement/0/Condition/StringNotEqualsIgnoreCase/aws:PrincipalArn/-", CONFIG)],
    ),
    denied(
        "allow-list-set", "a set operator is left alone", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("allow-list-set")[1], {"ForAnyValue:StringNotLike": {"aws:PrincipalArn": [ADMIN]}})],
        "AllowList", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "allow-list-and-vpc", "an allow-list beside a VPC, in one operator", "config", "s3:GetBucketPolicy",
        [deny("Both", "s3:*", bucket("allow-list-and-vpc")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718", "aws:PrincipalArn": ADMIN}})],
        "Both", [replace("/Statement/0/Condition/StringNotEquals/aws:PrincipalArn", [ADMIN, CONFIG])],
    ),
    denied(
        "arnnotequals-other-key", "ArnNotEquals on another key gets a key more", "config", "s3:GetBucketPolicy",
        [deny("FromPipe", "s3:*", bucket("arnnotequals-other-key")[1], {"ArnNotEquals": {"aws:SourceArn": f"arn:aws:pipes:eu-west-1:{HOME}:pipe/p"}})],
        "FromPipe", [add("/Statement/0/Condition/ArnNotEquals/aws:PrincipalArn", CONFIG)],
    ),
    denied(
        "userid", "an allow-list of unique ids", "config", "s3:GetBucketPolicy",
        [deny("Ids", "s3:*", bucket("userid")[1], {"StringNotLike": {"aws:userId": ["AROA1111111111EXAMPLE:*", "AIDA2222222222EXAMPLE", HOME]}})],
        "Ids", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "userid-known", "an allow-list of unique ids, and the role's own is known", "config", "s3:GetBucketPolicy",
        [deny("Ids", "s3:*", bucket("userid-known")[1], {"StringNotLike": {"aws:userId": ["AROA1111111111EXAMPLE:*"]}})],
        "Ids", [add(NEW, {"aws:PrincipalArn": CONFIG})], also={CONFIG: {"Role": {"RoleId": "AROA9999999999EXAMPLE", "Arn": CONFIG}}},
    ),
    denied(
        "principal-account", "an allow-list of other accounts", "macie", "s3:GetBucketPublicAccessBlock",
        [deny("Accounts", "s3:*", bucket("principal-account")[1], {"StringNotEquals": {"aws:PrincipalAccount": [OTHER]}})],
        "Accounts", [add(NEW, {"aws:PrincipalArn": MACIE})],
    ),
    denied(
        "two-vpcs", "two statements deny: both are changed", "config", "s3:GetBucketPolicy", _many("two-vpcs"),
        "OnlyFromVpc1", [add(NEW, {"aws:PrincipalArn": CONFIG}), add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "single-statement", "a single statement that is no list", "config", "s3:GetBucketPolicy", [],
        "Alone", [add("/Statement/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})],
    )._replace(collected={bucket("single-statement")[0]: {
        "Version": "2012-10-17",
        "Statement": deny("Alone", "s3:*", bucket("single-statement")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}),
    }}),
    denied(
        "old-version", "a policy of the old version", "config", "s3:GetBucketPolicy", [],
        "Alone", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    )._replace(collected={bucket("old-version")[0]: {
        "Version": "2008-10-17", "Id": "Policy1",
        "Statement": [deny("Alone", "s3:*", bucket("old-version")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})],
    }}),
    denied(
        "without-condition", "a Deny without a condition", "config", "s3:GetBucketPolicy",
        [deny("Frozen", ["s3:GetBucketPolicy", "s3:PutBucketPolicy"], bucket("without-condition")[0])],
        "Frozen", [add("/Statement/0/Condition", {"ArnNotEquals": {"aws:PrincipalArn": CONFIG}})],
    ),
    denied(
        "mfa", "only with MFA", "config", "s3:GetBucketPolicy",
        [deny("MfaOnly", "s3:*", bucket("mfa")[1], {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})],
        "MfaOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "mfa-age", "only with a fresh MFA", "config", "s3:GetBucketPolicy",
        [deny("MfaOnly", "s3:*", bucket("mfa-age")[1], {"Null": {"aws:MultiFactorAuthAge": "true"}})],
        "MfaOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "ledger", "TLS only is a bystander", "config", "s3:GetBucketPolicy",
        [TLS, deny("OnlyOurVpc", "s3:*", LEDGER_ALL, {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})],
        "OnlyOurVpc", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "ledger", "encryption required is a bystander of a read", "macie", "s3:GetObject",
        [
            deny("Encrypted", "s3:PutObject", f"{LEDGER}/*", {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}),
            deny("OnlyOurVpc", "s3:*", LEDGER_ALL, {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}),
        ],
        "OnlyOurVpc", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": MACIE})], resource=OBJECT,
    ),
    denied(
        "awsconfigconforms-x", "encryption required may deny a write beside the VPC's statement", "conforms", "s3:PutObject",
        [
            deny("Encrypted", "s3:PutObject", bucket("awsconfigconforms-x")[1][1], {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}),
            deny("OnlyOurVpc", "s3:*", bucket("awsconfigconforms-x")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}),
        ],
        "OnlyOurVpc", [add("/Statement/1/Condition/ArnNotEquals", {"aws:PrincipalArn": role_arn("conforms")})], provided=("Encrypted",),
        resource="arn:aws:s3:::awsconfigconforms-x/AWSLogs/x.json",
    ),
    denied(
        "ledger", "objects below a prefix", "macie", "s3:GetObject",
        [deny("Secret", "s3:GetObject*", [f"{LEDGER}/2026/*", f"{LEDGER}/2025/*"], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})],
        "Secret", [add(NEW, {"aws:PrincipalArn": MACIE})], resource=OBJECT,
    ),
    denied(
        "not-action", "NotAction and NotResource", "config", "s3:GetBucketPolicy",
        [{"Sid": "Rest", "Effect": "Deny", "Principal": "*", "NotAction": "s3:GetObject", "NotResource": "arn:aws:s3:::not-action/public/*",
          "Condition": {"StringNotEquals": {"aws:SourceVpce": VPCE}}}],
        "Rest", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "isawsservice", "exempting services by aws:PrincipalIsAWSService does not cover such a role", "config", "s3:GetBucketPolicy",
        [deny("Perimeter", "s3:*", bucket("isawsservice")[1], {
            "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        })],
        "Perimeter", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "via", "exempting by aws:ViaAWSService and aws:CalledVia does not either", "guardduty", "s3:GetBucketPolicy",
        [deny("Perimeter", "s3:*", bucket("via")[1], {
            "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:ViaAWSService": "false"}, "Null": {"aws:CalledVia": "true"},
        })],
        "Perimeter", [add(NEW, {"aws:PrincipalArn": GUARD})],
    ),
    denied(
        "source-account", "a Deny unless SourceAccount is one's own", "trustedadvisor", "s3:GetBucketLocation",
        [deny("OwnServices", "s3:*", bucket("source-account")[1], {"StringNotEquals": {"aws:SourceAccount": HOME}})],
        "OwnServices", [add(NEW, {"aws:PrincipalArn": ADVISOR})],
    ),
    denied(
        "all-slrs", "all service-linked roles of the account", "config", "s3:GetBucketPolicy",
        [deny("OnlyOurVpc", "s3:*", bucket("all-slrs")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})],
        "OnlyOurVpc", [add("/Statement/0/Condition/ArnNotLike", {"aws:PrincipalArn": EVERY_SLR})], all_slrs=True,
    ),
    denied(
        "all-slrs-exact", "a pattern goes into no operator that takes none", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("all-slrs-exact")[1], {"StringNotEquals": {"aws:PrincipalArn": [ADMIN]}})],
        "AllowList", [add("/Statement/0/Condition/ArnNotLike", {"aws:PrincipalArn": EVERY_SLR})], all_slrs=True,
    ),
    denied(
        "all-slrs-like", "a pattern goes into an operator that takes one", "config", "s3:GetBucketPolicy",
        [deny("AllowList", "s3:*", bucket("all-slrs-like")[1], {"StringNotLike": {"aws:PrincipalArn": [ADMIN]}})],
        "AllowList", [add("/Statement/0/Condition/StringNotLike/aws:PrincipalArn/-", EVERY_SLR)], all_slrs=True,
    ),
    denied(
        "long", "a policy near the size limit is written tightly", "config", "s3:GetBucketPolicy", _long("long"),
        "VpcOnly", [add(NEW, {"aws:PrincipalArn": CONFIG})],
    ),
    denied(
        "full", "a policy at the size limit takes nothing more", "config", "s3:GetBucketPolicy", _full("full"),
        "VpcOnly", None, no_fix="and AWS takes 20,480",
    ),
    denied(
        "bare", "a bare Access Denied, and the policy tells", "config", "s3:GetBucketPolicy",
        [deny("OnlyOurVpc", "s3:*", bucket("bare")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}})],
        "OnlyOurVpc", [add(NEW, {"aws:PrincipalArn": CONFIG})], message=BARE,
    ),
    Case(
        "a bucket of another account without an Allow", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("theirs")[0],
        QUOTED + " because no resource-based policy allows the {action} action",
        {bucket("theirs")[0]: policy(allow("Own", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "s3:*", bucket("theirs")[1]))},
        "fix-your-policy", ("resource-based", "implicit"), "no statement of resource policy allows it",
        [add("/Statement/-", allow("AllowAWSServiceRoleForConfig", {"AWS": CONFIG}, "s3:GetBucketPolicy", bucket("theirs")[0]))],
        parameters={"bucketName": "theirs"}, owner=OTHER,
    ),
    Case(
        "an object of another account without an Allow", "macie", "s3:GetObject", "s3:GetObject", f"{bucket('theirs')[0]}/a/b.csv", BARE,
        {bucket("theirs")[0]: policy(allow("AllowAWSServiceRoleForAmazonMacie", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "s3:*", bucket("theirs")[1]))},
        "fix-your-policy", ("resource-based", "implicit"), "no statement of resource policy allows it",
        [add("/Statement/-", allow("AllowAWSServiceRoleForAmazonMacie2", {"AWS": MACIE}, "s3:GetObject", bucket("theirs")[1][1]))],
        parameters={"bucketName": "theirs", "key": "a/b.csv"},
        more={"resources": [{"type": "AWS::S3::Object", "ARN": f"{bucket('theirs')[0]}/a/b.csv"}, {"accountId": OTHER, "type": "AWS::S3::Bucket", "ARN": bucket("theirs")[0]}]},
    ),
    Case(
        "a bucket of another account without a policy", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("bald")[0], BARE,
        {bucket("bald")[0]: {}}, "fix-your-policy", ("resource-based", "implicit"), "no statement of resource policy allows it",
        [replace("", policy(allow("AllowAWSServiceRoleForConfig", {"AWS": CONFIG}, "s3:GetBucketPolicy", bucket("bald")[0])))],
        parameters={"bucketName": "bald"}, owner=OTHER,
    ),
    Case(
        "a bucket without a policy, and nothing that denies", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("free")[0], BARE,
        {bucket("free")[0]: ""}, "fix-your-policy", (None, None), None, None, no_fix="would change nothing",
        parameters={"bucketName": "free"}, evidence="guess", notes=("elsewhere",),
    ),
    Case(
        "the role's own policy lacks the action, and a bucket's policy can allow it", "guardduty", "s3:GetBucketTagging", "s3:GetBucketCORS",
        bucket("tagged")[0], QUOTED + " because no identity-based policy allows the {action} action",
        {bucket("tagged")[0]: policy(dict(TLS, Resource=bucket("tagged")[1]))}, "fix-your-policy", ("identity-based", "implicit"),
        "no statement of identity policies allows it",
        [add("/Statement/-", allow("AllowAWSServiceRoleForAmazonGuardDuty", {"AWS": GUARD}, "s3:GetBucketCORS", bucket("tagged")[0]))],
        parameters={"bucketName": "tagged"},
    )._replace(call="s3:GetBucketCors"),
    Case(
        "the policy as get-bucket-policy returns it, in an envelope", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("wrapped")[0], DENIED,
        {bucket("wrapped")[0]: '{"Policy": "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Sid\\":\\"OnlyOurVpc\\",\\"Effect\\":\\"Deny\\",\\"Principal\\":\\"*\\",\\"Action\\":\\"s3:*\\",'
         '\\"Resource\\":\\"arn:aws:s3:::wrapped\\",\\"Condition\\":{\\"StringNotEquals\\":{\\"aws:SourceVpc\\":\\"vpc-0a1b2c3d4e5f60718\\"}}}]}"}'},
        "fix-your-policy", BY_DENY, "OnlyOurVpc", [add(NEW, {"aws:PrincipalArn": CONFIG})], parameters={"bucketName": "wrapped"},
    ),
    Case(
        "the policy was mended after the denial", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("mended")[0], DENIED,
        {bucket("mended")[0]: policy(deny("OnlyOurVpc", "s3:*", bucket("mended")[1], {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}, "ArnNotEquals": {"aws:PrincipalArn": CONFIG}}))},
        "fix-your-policy", BY_DENY, None, None, no_fix="would change nothing", parameters={"bucketName": "mended"},
        evidence="message", notes=("has changed since",),
    ),
    Case(
        "the bucket's policy was not collected", "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", bucket("unseen")[0], DENIED,
        {bucket("ledger")[0]: policy(TLS)}, "fix-your-policy", BY_DENY, None, None, no_fix="the policies are needed", parameters={"bucketName": "unseen"},
        evidence="message", notes=("holds no policy of",),
    ),
]  # fmt: skip
