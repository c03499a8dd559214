"""`rolewatch aws doctor` over several accounts of an organization, each through a role there, against the AWS of `moto_cloud.py`."""

import json
from datetime import UTC, datetime

import pytest
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures
from doctor_pipeline import GROUP, STREAM, Built, built, doctor, proxy, stands_in, wrong  # noqa: F401 - fixtures
from doctor_worlds import healthy, setup_of

from faults import Answer
from rolewatch.aws.accounts import Access, Accounts
from rolewatch.aws.doctor import Among, examine
from rolewatch.aws.doctor_collect import Chosen
from rolewatch.aws.doctor_organization import shared
from rolewatch.aws.doctor_setup import ORGANIZATION, Unseen, permissions
from rolewatch.aws.pace import Pace
from rolewatch.catalog.actions import iam_action

EMPTY = "211111111111"
REFUSED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"""


@pytest.fixture
def organization(built):
    """Make the pipeline's trail one of an organization, whose members have nothing of their own; returns the members' ids."""
    client = built.cloud.client("organizations")
    found = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    members = [
        client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"][
            "AccountId"
        ]
        for name in ("one", "two")
    ]
    built.clients["cloudtrail"].update_trail(Name="management-events", IsOrganizationTrail=True)
    streams = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:log-stream:"
    delivers = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [f"{streams}{STREAM}*", f"{streams}{found}_*"],
    }
    built.clients["iam"].create_policy_version(
        PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/deliver",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [delivers]}),
        SetAsDefault=True,
    )
    return sorted(members)


def refused(proxy, *accounts):
    """Refuse the roles of some accounts."""

    def fault(request):
        if b"Action=AssumeRole" in request.body and any(each.encode() in request.body for each in accounts):
            return Answer(403, REFUSED)
        return stands_in(request)

    proxy.fault = fault


def of(report, account, name):
    """Give what a check says of an account."""
    (found,) = [each for each in report["checks"] if (each["account"], each["id"]) == (account, name)]
    return found


def test_an_organizations_trail_counts_in_each_of_its_accounts(built, organization):
    """Members without a trail of their own are recorded by the organization's: nothing is missing, and nothing is unknown."""
    status, report, err = doctor(built.cloud, "--all-accounts", "--role-name", "Auditor")
    assert (status, err, wrong(report), report["not_seen"]) == (0, "", set(), [])
    assert (report["account"], report["accounts"]) == (ACCOUNT, [ACCOUNT, *organization])
    for each in organization:
        assert of(report, each, "account-entered")["status"] == "ok"
        assert "management-events" in of(report, each, "trail-missing")["message"]
        assert (
            f"account {ACCOUNT}, which is examined as well" in of(report, each, "trail-elsewhere")["message"]
        )
    assert {each["account"] for each in report["checks"] if each["step"] == "alarm"} == {ACCOUNT}


def test_a_member_that_is_named_is_asked_whose_it_is(built, organization):
    """Of accounts that were named, only those of the organization are recorded by its trail."""
    words = ("--account", f"{ACCOUNT},{organization[0]},{EMPTY}", "--role-name", "Auditor")
    _, report, _ = doctor(built.cloud, *words)
    assert of(report, organization[0], "trail-missing")["status"] == "ok"
    assert of(report, EMPTY, "trail-missing")["status"] == "problem"


def test_what_a_trail_leaves_out_is_told_in_each_account(built, organization):
    """A trail of the organization that is stopped is a problem of each account that relies on it."""
    built.clients["cloudtrail"].stop_logging(Name="management-events")
    status, report, _ = doctor(built.cloud, "--all-accounts", "--role-name", "Auditor", "--exit-code", "1")
    stopped = {
        each["account"]
        for each in report["checks"]
        if (each["id"], each["status"]) == ("trail-logging", "problem")
    }
    assert (status, stopped) == (1, {ACCOUNT, *organization})
    (fixed, *foreign) = [of(report, each, "trail-logging")["fix"] for each in (ACCOUNT, *organization)]
    assert set(foreign) == {f"{fixed}  # with credentials of account {ACCOUNT}"}


def test_an_account_that_cannot_be_entered_is_named_and_the_others_go_on(built, organization, proxy):
    """A role that is refused is one entry with the call and the remedy; exit status 3."""
    refused(proxy, organization[0])
    status, report, err = doctor(built.cloud, "--all-accounts", "--role-name", "audit/Auditor")
    role = f"arn:aws:iam::{organization[0]}:role/audit/Auditor"
    assert status == 3
    assert wrong(report) == {("account-entered", "unknown")}
    (entry,) = report["not_seen"]
    assert (entry["account"], entry["action"], entry["about"], entry["why"]) == (
        organization[0],
        "sts:AssumeRole",
        role,
        "denied",
    )
    assert "has to exist there and to trust the caller" in entry["reason"]
    told = of(report, organization[0], "account-entered")
    assert (role in told["message"], "--print-permissions" in told["fix"]) == (True, True)
    assert f"account {organization[0]}: sts:AssumeRole on {role} is denied: AccessDenied: no" in err
    assert of(report, organization[1], "trail-missing")["status"] == "ok"
    assert [each["id"] for each in report["checks"] if each["account"] == organization[0]] == [
        "account-entered"
    ]


def test_no_account_that_can_be_entered(built, proxy):
    """Where nothing could be looked at, the exit status is 4, and the report is there."""
    refused(proxy, EMPTY)
    status, report, _ = doctor(built.cloud, "--account", EMPTY, "--role-name", "Auditor", "--exit-code", "1")
    assert (status, report["accounts"], wrong(report)) == (4, [EMPTY], {("account-entered", "unknown")})


def test_without_a_role_another_account_is_not_looked_at(built):
    """What is asked with the wrong credentials would be answered about the wrong account."""
    status, report, err = doctor(built.cloud, "--account", f"{ACCOUNT},{EMPTY}")
    assert status == 3
    assert wrong(report) == {("account-entered", "unknown")}
    assert "name a role of that account with --role-name" in err


def test_the_accounts_cannot_be_listed(built, proxy):
    """A refused list ends it, with the action and who may."""
    built.cloud.client("organizations").create_organization(FeatureSet="ALL")
    proxy.fail("ListAccounts", Answer(400, b'{"__type": "AccessDeniedException", "message": "no"}'))
    status, out, err = built.cloud.run("doctor", "--all-accounts", "--role-name", "Auditor")
    assert (status, out) == (4, "")
    assert "(organizations:ListAccounts): AccessDeniedException: no" in err
    assert "management account or of a delegated administrator" in err


def test_accounts_that_are_none_of_the_organization(built, organization):
    """With --all-accounts, --account takes only some of them."""
    _, report, _ = doctor(built.cloud, "--all-accounts", "--account", organization[1], "--role-name", "R")
    assert report["accounts"] == [organization[1]]
    assert (
        of(report, organization[1], "trail-missing")["status"] == "problem"
    )  # whose trail it is was not asked
    status, _, err = built.cloud.run("doctor", "--all-accounts", "--account", EMPTY, "--role-name", "R")
    assert (status, "none of these accounts is an active one" in err) == (4, True)


def test_the_callers_credentials_are_over(built, proxy):
    """Expired credentials end it: no other account would do better."""
    proxy.fault = lambda request: (
        Answer(403, REFUSED.replace(b"AccessDenied", b"ExpiredToken"))
        if b"Action=AssumeRole" in request.body
        else stands_in(request)
    )
    status, out, err = built.cloud.run("doctor", "--account", f"{ACCOUNT},{EMPTY}", "--role-name", "R")
    assert (status, out) == (4, "")
    assert "stopped at sts:AssumeRole" in err
    assert "sign in again" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--all-accounts"], "--all-accounts needs a role in each account"),
        (["--external-id", "x"], "--external-id is for --role-name"),
        (
            ["--role-name", "R"],
            "--role-name is for other accounts (name them with --account, or add --all-accounts)",
        ),
        (["--account", "12"], "12"),
    ],
)
def test_wrong_usage(cloud, words, said):
    """Options that make no sense together are told before anything is asked."""
    status, out, err = cloud.run("doctor", *words)
    assert (status, out) == (2, "")
    assert said in err


def test_a_trail_that_is_named_need_not_be_everywhere(built):
    """A trail that is in one account only is missing in the others, by its name; one that is nowhere ends it."""
    words = ("--account", f"{ACCOUNT},{EMPTY}", "--role-name", "R", "--trail")
    _, report, _ = doctor(built.cloud, *words, "management-events")
    assert "No trail management-events records" in of(report, EMPTY, "trail-missing")["message"]
    status, out, err = built.cloud.run("doctor", *words, "none")
    assert (status, out) == (4, "")
    assert "no trail none records us-east-1 in any of these accounts" in err


def test_a_log_group_that_is_named_need_not_be_everywhere(built):
    """Accounts without it have nothing said of it; one that is nowhere ends it."""
    words = ("--account", f"{ACCOUNT},{EMPTY}", "--role-name", "R", "--log-group")
    _, report, _ = doctor(built.cloud, *words, GROUP)
    assert {each["account"] for each in report["checks"] if each["step"] == "log group"} == {ACCOUNT}
    assert wrong(report) == {("trail-missing", "problem")}
    status, out, err = built.cloud.run("doctor", *words, "none")
    assert (status, out) == (4, "")
    assert "there is no log group none in us-east-1 in any of these accounts" in err


def test_each_account_is_simulated_by_itself(built, organization):
    """The trials say whose pipeline they were tried on."""
    _, report, _ = doctor(built.cloud, "--all-accounts", "--role-name", "R", "--simulate")
    assert {(each["account"], each["would_ring"]) for each in report["simulation"]} == {(ACCOUNT, True)}
    assert organization


def test_the_table_has_a_part_for_each_account(built, organization, proxy):
    """Accounts one after the other, each with its own sum, and one for all at the end."""
    refused(proxy, organization[1])
    _, out, _ = built.cloud.run("doctor", "--all-accounts", "--role-name", "R")
    assert [line for line in out.splitlines() if line.startswith("Account ") and " " not in line[8:]] == [
        f"Account {each}" for each in (ACCOUNT, *organization)
    ]
    assert f"account {organization[0]}, {REGION}: nothing found that would go unseen." in out
    assert out.splitlines()[-1] == f"3 accounts, {REGION}: 1 unknown."


def test_only_calls_are_made_that_the_printed_policy_allows(organization):
    """What is asked in all accounts is in the policy that --print-permissions gives for it, and so is the role."""
    made = []

    def prepare(client):
        client.meta.events.register("before-call", lambda model, **_: made.append(model))

    accounts = Accounts(Access(None, "Auditor"), Pace(10_000), prepare=prepare)
    examine(accounts, Chosen((REGION,)), datetime.now(UTC), among=Among((ACCOUNT, *organization)))
    examine(accounts, Chosen((REGION,)), datetime.now(UTC), among=Among(whole=True))
    found = permissions(simulate=False, role_name="Auditor", all_accounts=True)
    allowed = {
        action
        for each in found["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    needed = {
        iam_action(f"{model.service_model.signing_name}.amazonaws.com", model.name)[0]
        for model in made
        if model.name != "GetCallerIdentity"
    }
    assert {"sts:AssumeRole", "organizations:ListAccounts", "organizations:DescribeOrganization"} <= needed
    assert needed <= allowed | {each.replace("cloudwatch:", "monitoring:") for each in allowed}
    assert found["Statement"][2]["Resource"] == "arn:aws:iam::*:role/Auditor"


@pytest.mark.parametrize("words", [["doctor"], ["policies", "--resources"]], ids=["doctor", "policies"])
def test_permissions_of_another_partition(cloud, words):
    """The role's ARN is that of the Region's partition."""
    status, out, _ = cloud.run(*words, "--role-name", "R", "--region", "cn-north-1", "--print-permissions")
    assert status == 0
    assert json.loads(out)["Statement"][1]["Resource"] == "arn:aws-cn:iam::*:role/R"


class Refusing:
    """An asker that is told nothing."""

    def __init__(self):
        self.asked = []

    def ask(self, call, *_):
        """Refuse."""
        self.asked.append(call)
        return Unseen(call.action, "the organization", "denied", "no")


def test_whose_member_an_account_is_may_be_refused():
    """Where nobody says so, it is not known whether an account without a trail of its own is recorded."""
    owner, member = setup_of(healthy()), setup_of(healthy())
    (trail,) = owner.trails
    owner = owner._replace(
        trails=(trail._replace(described={**trail.described, "IsOrganizationTrail": True}),)
    )
    member = member._replace(account=EMPTY, trails=())
    asker = Refusing()
    found = shared({owner.account: owner, EMPTY: member}, {owner.account: asker, EMPTY: asker}, whole=False)
    assert isinstance(found[EMPTY].trails, Unseen)
    assert found[owner.account].trails == owner.trails
    assert asker.asked == [ORGANIZATION]


def test_clients_of_an_account_are_closed_when_it_was_looked_at(built):
    """A thousand accounts do not keep their clients; the role is assumed anew if need be."""
    del built
    accounts = Accounts(Access(None, "R"), Pace(10_000))
    first = accounts.client("logs", EMPTY, REGION)
    assert accounts.client("logs", EMPTY, REGION) is first
    accounts.leave(EMPTY)
    assert accounts.client("logs", EMPTY, REGION) is not first
