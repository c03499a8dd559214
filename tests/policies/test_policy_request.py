"""Who asks, and what follows from that: principals read, their context, and what they are named by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.policies.principals import Level, Principals, entry_of, is_unique_id
from rolewatch.policies.profiles import linked_request
from rolewatch.policies.request import UNKNOWN, Context, Kind, Unsure, context_of, make_request, principal_of
from rolewatch.policies.truth import Truth

ONE, TWO = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{ONE}:role/team/app"
SESSION = f"arn:aws:sts::{ONE}:assumed-role/app/run"
SLR = f"arn:aws:iam::{ONE}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


@pytest.mark.parametrize(("word", "kind", "account", "role", "session"), [
    ("*", Kind.ANONYMOUS, "", "", ""),
    (ONE, Kind.ROOT, ONE, "", ""),
    (f"arn:aws:iam::{ONE}:root", Kind.ROOT, ONE, "", ""),
    (f"arn:aws-cn:iam::{ONE}:user/a/b", Kind.USER, ONE, "", ""),
    (ROLE, Kind.ROLE, ONE, "app", ""),
    (SESSION, Kind.SESSION, ONE, "app", "run"),
    (f"arn:aws:sts::{ONE}:federated-user/bob", Kind.FEDERATED_USER, ONE, "", ""),
    (f"arn:aws:iam::{ONE}:saml-provider/x", Kind.FEDERATED, ONE, "", ""),
    (f"arn:aws:iam::{ONE}:oidc-provider/accounts.example.com", Kind.FEDERATED, ONE, "", ""),
    ("config.amazonaws.com", Kind.SERVICE, "", "", ""),
    ("ec2.amazonaws.com.cn", Kind.SERVICE, "", "", ""),
    ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", Kind.USER, "cloudfront", "", ""),
])  # fmt: skip
def test_principals_are_read(word, kind, account, role, session):
    """A principal is an ARN, an account, a service or everyone."""
    found = principal_of(word)
    assert (found.kind, found.account, found.role, found.session) == (kind, account, role, session)


@pytest.mark.parametrize("word", ["", "me", "12345", "1111111111110", f"arn:aws:iam::{ONE}:group/a", f"arn:aws:iam::{ONE}:role/", f"arn:aws:iam::{ONE}:root/x",
    f"arn:aws:sts::{ONE}:assumed-role/app", f"arn:aws:s3:::{ONE}", "arn:aws:iam::1:root", "example.com", f"{ONE}\n", "config.amazonaws.com\n"])  # fmt: skip
def test_what_is_no_principal(word):
    """Anything else is none."""
    assert principal_of(word) is None


@given(st.text(max_size=60))
def test_any_word_is_read_or_none(word):
    """Whatever is typed, it is a principal or none."""
    found = principal_of(word)
    assert found is None or found.arn in (word, f"arn:aws:iam::{word}:root")


def known(word, **more):
    """Give the context of a principal's request."""
    request = make_request(principal_of(word, **more), "s3:GetObject", "arn:aws:s3:::b", TWO, context_of({}))
    return {**request.context.partly, **{key: value[0] for key, value in request.context.known.items()}}


def test_own_context():
    """What follows from who asks is in the context; what is there with a value that is not known is there in part."""
    common = {
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
        "aws:resourceaccount": TWO,
    }
    role = {**common, "aws:principaltype": "AssumedRole", "aws:principalaccount": ONE}
    some_role = Unsure(there=True, begins=("AROA",))
    assert known(ROLE) == {**role, "aws:principalarn": ROLE, "aws:userid": some_role}
    assert known(ROLE, unique_id="AROAX")["aws:userid"] == Unsure(there=True, begins=("AROAX:",))
    assert known(SESSION) == {**role, "aws:principalarn": f"arn:aws:iam::{ONE}:role/app", "aws:userid": some_role}  # fmt: skip
    assert known(SESSION, unique_id="AROAX")["aws:userid"] == "AROAX:run"
    user = known(f"arn:aws:iam::{ONE}:user/a/bob", unique_id="AIDAX")
    assert (user["aws:username"], user["aws:userid"], user["aws:principaltype"]) == ("bob", "AIDAX", "User")
    root = known(ONE)
    assert (root["aws:userid"], root["aws:principaltype"]) == (ONE, "Account")
    federated = known(f"arn:aws:sts::{ONE}:federated-user/bob")
    assert (federated["aws:userid"], federated["aws:principaltype"]) == (f"{ONE}:bob", "FederatedUser")
    assert known("*") == {**common, "aws:principaltype": "Anonymous", "aws:userid": "anonymous"}
    assert known("config.amazonaws.com") == {**common, "aws:principalisawsservice": "true", "aws:principalservicename": "config.amazonaws.com"}  # fmt: skip


def test_paths_of_roles_that_have_one():
    """A session's role has a path if its name is one of AWS's; aws:PrincipalArn tells it for certain."""
    session = f"arn:aws:sts::{ONE}:assumed-role/AWSServiceRoleForConfig/x"
    assert known(session)["aws:principalarn"] == Unsure(there=True, begins=(f"arn:aws:iam::{ONE}:role/aws-service-role/",))  # fmt: skip
    told = context_of({"aws:PrincipalArn": [SLR]})
    request = make_request(principal_of(session), "s3:GetObject", "*", ONE, told)
    assert request.principal.service_linked
    assert request.context.of("aws:principalarn") == (SLR,)
    other = context_of({"aws:PrincipalArn": [SLR.replace("Config", "Other")]})
    assert not make_request(principal_of(session), "s3:GetObject", "*", ONE, other).principal.service_linked


def test_what_is_given_goes_before_what_follows():
    """A key that is given, or said to be absent, is not concluded."""
    given_keys = context_of({"aws:PrincipalType": ["x"]}, absent=["aws:PrincipalAccount", "aws:userid"])
    context = make_request(principal_of(ROLE), "s3:GetObject", "*", ONE, given_keys).context
    assert context.of("aws:principaltype") == ("x",)
    assert context.of("aws:principalaccount") is None
    assert context.of("aws:userid") is None


def test_states_of_a_key():
    """A key is known, absent, known in part, or unknown; others are asked for last."""
    context = Context({"a": ("1",)}, frozenset({"b", "c/*"}), complete=False, others=None)
    assert [context.of(key) for key in ("a", "b", "c/x", "d")] == [("1",), None, None, UNKNOWN]
    asked = context._replace(others=lambda key: (key,), partly={"e": Unsure(there=True)})
    assert [asked.of(key) for key in ("b", "d", "e")] == [None, ("d",), Unsure(there=True)]
    assert Context({}).of("x") is None


@pytest.mark.parametrize(("kind", "text"), [("AWS", "x"), ("AWS", "config.amazonaws.com"), ("AWS", f"arn:aws:iam::{ONE}:role/a*"), ("AWS", f"arn:aws:sts::{ONE}:assumed-role/a/*"),
    ("AWS", f"arn:aws:iam::{ONE}:saml-provider/x"), ("*", "x"), ("Nobody", "*"), ("AWS", "AROA")])  # fmt: skip
def test_what_no_policy_may_name(kind, text):
    """Principals that AWS takes in no policy are none."""
    assert entry_of(kind, text) is None


@pytest.mark.parametrize(("kind", "text", "asks", "truth", "level"), [
    ("AWS", "*", "*", True, Level.EVERYONE), ("*", "*", SESSION, True, Level.EVERYONE),
    ("AWS", ONE, SESSION, True, Level.ACCOUNT), ("AWS", ONE, ONE, True, Level.SESSION), ("AWS", TWO, SESSION, False, Level.NOBODY),
    ("AWS", ROLE, SESSION, True, Level.ROLE), ("AWS", ROLE, ROLE, True, Level.ROLE), ("AWS", ROLE, ROLE.replace("team", "x"), False, Level.NOBODY),
    ("AWS", SESSION, SESSION, True, Level.SESSION), ("AWS", SESSION, f"{SESSION}2", False, Level.NOBODY), ("AWS", SESSION, ROLE, None, Level.SESSION),
    ("Service", "config.amazonaws.com", "config.amazonaws.com", True, Level.SESSION), ("Service", "config.amazonaws.com", SLR, False, Level.NOBODY),
    ("Federated", f"arn:aws:iam::{ONE}:saml-provider/x", f"arn:aws:iam::{ONE}:saml-provider/x", True, Level.SESSION),
    ("Federated", "*", f"arn:aws:iam::{ONE}:saml-provider/x", True, Level.SESSION),
    ("CanonicalUser", "79a5", ROLE, None, Level.ACCOUNT), ("CanonicalUser", "79a5", "*", False, Level.NOBODY),
])  # fmt: skip
def test_entries_name_principals(kind, text, asks, truth, level):
    """An entry names who asks, at a level, or does not, or that is not known."""
    found = entry_of(kind, text).match(principal_of(asks))
    assert (found.truth.known, found.level) == (truth, level)
    assert bool(found.hangs_on) is (truth is None)


def not_principal(*texts):
    """Make a NotPrincipal element."""
    return Principals(tuple(entry_of("AWS", text) for text in texts), negated=True)


@pytest.mark.parametrize(("texts", "asks", "truth"), [
    ((), ROLE, True), (("*",), ROLE, False), ((TWO,), ROLE, True), ((ONE,), ROLE, True), ((ROLE,), ROLE, True), ((ROLE, ONE), ROLE, None),
    ((ROLE, ONE, SESSION), ROLE, None), ((ROLE, ONE, SESSION), SESSION, False), ((ONE, SESSION), SESSION, True), ((ROLE, SESSION), SESSION, True),
    ((ONE,), ONE, False), ((f"arn:aws:iam::{ONE}:user/a", ONE), f"arn:aws:iam::{ONE}:user/a", False), ((f"arn:aws:iam::{ONE}:user/a",), f"arn:aws:iam::{ONE}:user/a", True),
    ((ONE,), "config.amazonaws.com", True), ((ONE,), "*", True),
])  # fmt: skip
def test_not_principal_leaves_out_who_is_named_at_each_level(texts, asks, truth):
    """A NotPrincipal leaves out whom it names with account, role and session; in part is not enough, or not certain."""
    element, principal = not_principal(*texts), principal_of(asks)
    found = element.names(principal)
    assert found.truth.known is truth
    assert bool(found.hangs_on) is (truth is None)
    assert element.names(principal, bounded=True).truth is Truth.YES


def test_unique_ids():
    """An identifier stands for a role or user that was deleted; it is its own one's alone."""
    assert is_unique_id("AROAEXAMPLEID1234567")
    assert not is_unique_id("AROA-EXAMPLE-ID-1234")
    entry = entry_of("AWS", "AIDAEXAMPLEID1234567")
    user = principal_of(f"arn:aws:iam::{ONE}:user/a", "AIDAEXAMPLEID1234567")
    assert entry.match(user)[:2] == (Truth.YES, Level.SESSION)
    assert entry.match(user._replace(unique_id="AIDAOTHER")).truth is Truth.NO


def test_truth():
    """Three values: AND is the least, OR the greatest, and the opposite of what is not known is not known."""
    no, unknown, yes = Truth
    assert (~no, ~unknown, ~yes) == (yes, unknown, no)
    assert (no.known, unknown.known, yes.known) == (False, None, True)
    assert (min(yes, unknown), max(no, unknown)) == (unknown, unknown)
    assert (Truth.of(holds=True), Truth.of(holds=False)) == (yes, no)


def test_the_request_of_a_service_linked_role():
    """The profile of such roles says what is known of each key: known, absent, known in part, or not at all."""
    request = linked_request(SLR, "s3:GetBucketPolicy", "arn:aws:s3:::b", organization="o-abc", role_id="AROAEXAMPLEID", known={"s3:prefix": ["x"]})  # fmt: skip
    of = request.context.of
    assert request.principal.service_linked
    assert request.resource_account == ONE
    assert of("aws:principalarn") == (SLR,)
    assert of("aws:principalisawsservice") == of("aws:viaawsservice") == ("false",)
    assert of("aws:sourceaccount") is None
    assert of("aws:calledviafirst") is None
    assert of("aws:principalorgid") == ("o-abc",)
    assert of("aws:userid") == Unsure(there=True, begins=("AROAEXAMPLEID:",))
    assert of("s3:prefix") == ("x",)
    assert isinstance(of("aws:sourcevpce"), Unsure)
    assert of("aws:sourcevpce").may_be("vpce-*")
    assert not of("aws:sourcevpce").may_be("vpce-0123456789abcdef0")
    assert of("aws:nobody-knows") == UNKNOWN
    assert linked_request(SLR, "s3:GetBucketPolicy", "*", organization="").context.of("aws:principalorgid") is None  # fmt: skip
    assert linked_request(SLR, "s3:X", "*").context.of("aws:principalorgid") == UNKNOWN
    assert linked_request(SLR, "s3:X", "*", resource_account=TWO).resource_account == TWO


def test_what_is_no_service_linked_role_has_no_profile():
    """Another ARN is refused."""
    for arn in (ROLE, "x", SESSION):
        with pytest.raises(ValueError, match="not the ARN of a service-linked role"):
            linked_request(arn, "s3:GetObject", "*")
