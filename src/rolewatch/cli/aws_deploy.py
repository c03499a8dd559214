"""`rolewatch aws deploy`: the pipeline of CloudTrail, CloudWatch and SNS, as one stack of CloudFormation."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.aws_shared import FORMAT, PRINT_PERMISSIONS, TRAIL, put_policy
from rolewatch.cli.aws_stacks import PLAN, WHERE, clients_of, waiting
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT

if TYPE_CHECKING:
    from rolewatch.aws.deploy import Plan, Wanted
    from rolewatch.aws.pipeline import Endpoint

YES_NO: Final = ("yes", "no")
PROTOCOLS: Final = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")
DAYS: Final = (
        "1",
        "3",
        "5",
        "7",
        "14",
        "30",
        "60",
        "90",
        "120",
        "150",
        "180",
        "365",
        "400",
        "545",
        "731",
        "1096",
        "1827",
        "2192",
        "2557",
        "2922",
        "3288",
        "3653",
    )  # fmt: skip
_KEY: Final = re.compile(r"none|new|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_EMAIL: Final = re.compile(r"[^@\s,]{1,64}@[^@\s,]{1,253}")
_CODE: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(\S{1,1024})")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_NONE: Final = "none"


def key(word: str) -> str:
    """Read new, none, or the ARN of a key."""
    if not _KEY.fullmatch(word):
        raise ValueError(f"{word!r} is neither new nor none, nor the ARN of a key")
    return word


def email(word: str) -> str:
    """Read an address, or none."""
    if word != _NONE and not _EMAIL.fullmatch(word):
        raise ValueError(f"{word!r} is no e-mail address")
    return word


def subscriber(word: str) -> str:
    """Read PROTOCOL=ENDPOINT."""
    protocol, equals, endpoint = word.partition("=")
    if protocol not in PROTOCOLS or not equals or not endpoint or re.search(r"\s", endpoint):
        raise ValueError(f"{word!r} is no PROTOCOL=ENDPOINT, with a protocol of {', '.join(PROTOCOLS)}")
    return word


def code(word: str) -> str:
    """Read s3://BUCKET/KEY, or none."""
    if word != _NONE and not _CODE.fullmatch(word):
        raise ValueError(f"{word!r} is neither s3://BUCKET/KEY nor none")
    return word


def organization(word: str) -> str:
    """Read the id of an organization, or none."""
    if word != _NONE and not _ORGANIZATION.fullmatch(word):
        raise ValueError(f"{word!r} is neither an organization's id (o-…) nor none")
    return word


EXAMPLES = (
    ("rolewatch aws deploy --email security@example.com --plan", "what it would make, and what that costs"),
    ("rolewatch aws deploy --email security@example.com --region eu-west-1", "the article's pipeline, right"),
    ("rolewatch aws deploy --trail management-events --attach-logs --email security@example.com", "with a trail that is there already"),
    ("rolewatch aws deploy --organization o-exampleorgid --alarm log", "for a whole organization, with an e-mail for each role and bucket"),
    ("rolewatch aws deploy --data-events service-linked --plan", "also what only data events show, such as GetObject, and what that costs"),
    ("rolewatch aws deploy --print cloudformation --output pipeline.yaml", "only the template, for tools of your own"),
)  # fmt: skip
_TRAIL, _LOGS, _WHO, _FUNCTION, _HOW = (
    "the trail",
    "the log group",
    "who is told, and of what",
    "rolewatch as a function",
    "how to do it",
)
OPTIONS = (
    *WHERE,
    TRAIL,
    Option("attach-logs", "tell the existing trail to deliver to the stack's log group, if it delivers to none", flag=True, default=False, group=_TRAIL),
    Option("multi-region", "whether the new trail records all Regions", "ANSWER", choices=YES_NO, shown="yes", group=_TRAIL),
    Option("organization", "make it the trail of this organization; none: of this account", "ID", organization, shown="none", group=_TRAIL),
    Option("management-account", "the organization's management account, where a delegated administrator deploys", "ID", words.account, group=_TRAIL),
    Option("log-file-validation", "whether digests are signed, which show that log files were changed", "ANSWER", choices=YES_NO, shown="yes", group=_TRAIL),
    Option("data-events", "data events of the new trail, which are charged for: those of this account's service-linked roles, or of all calls to objects in S3", "WHICH", choices=("none", "service-linked", "objects"), shown="none", group=_TRAIL),
    Option("trail-key", "the KMS key of the log files: new, none, or its ARN", "KEY", key, shown="none", group=_TRAIL),
    Option("bucket", "the name of the new bucket for log files", "NAME", shown="CloudFormation makes one up", group=_TRAIL),
    Option("retention", "days that the log group keeps events", "DAYS", choices=DAYS, shown="90", group=_LOGS),
    Option("key", "the KMS key of topic and log group: new, none, or the ARN of one that lets CloudWatch use it", "KEY", key, shown="new", group=_LOGS),
    Option("email", "who gets an e-mail; those named are all that there are then, none is nobody", "ADDRESS", email, default=(), many=True, group=_WHO),
    Option("subscribe", "who else is told: sqs=ARN, lambda=ARN, https=URL, sms=NUMBER …", "PROTOCOL=ENDPOINT", subscriber, default=(), many=True, whole=True, group=_WHO),
    Option("alarm", "what rings: any denial; more than usual, where a denial that lasts becomes usual; or a log alarm by role and bucket, with log lines", "KIND", choices=("metric", "anomaly", "log"), shown="metric", group=_WHO),
    Option("dashboard", "whether there is a dashboard", "ANSWER", choices=YES_NO, shown="yes", group=_WHO),
    Option("function-code", "the function's zip file, which you have made, as s3://BUCKET/KEY; none: no function", "URL", code, shown="none", group=_FUNCTION),
    Option("function-image", "instead, its container image in ECR; none: no function", "URI", shown="none", group=_FUNCTION),
    Option("function-architecture", "for which it was built", "NAME", choices=("x86_64", "arm64"), shown="x86_64", group=_FUNCTION),
    Option("function-state", "where it keeps findings: the URL of a PostgreSQL, which may be {{resolve:secretsmanager:NAME}}", "URL", group=_FUNCTION),
    Option("function-access-point", "instead, an access point of EFS", "ARN", group=_FUNCTION),
    Option("function-file-system", "that access point's file system", "ARN", group=_FUNCTION),
    Option("function-subnets", "the subnets in which it runs", "ID", default=(), many=True, group=_FUNCTION),
    Option("function-security-groups", "its security groups there", "ID", default=(), many=True, group=_FUNCTION),
    Option("tag", "a tag of the stack and all that is in it; those named are all that there are then", "KEY=VALUE", words.assignment, default=(), many=True, whole=True, group=_HOW),
    PLAN,
    Option("events-per-day", "management events in a day, for the estimate of what it costs", "N", words.positive, default=100_000, group=_HOW),
    Option("data-events-per-day", "data events in a day, for the same", "N", words.positive, default=10_000, group=_HOW),
    Option("print", "write the template, or the parameters, instead of deploying", "WHAT", choices=("cloudformation", "parameters"), group="what to print"),
    PRINT_PERMISSIONS,
    FORMAT,
    OUTPUT,
)  # fmt: skip
#: Option → parameter of the template; `none` is an empty one, but where the template knows it.
PARAMETERS: Final[Mapping[str, str]] = {
    "multi-region": "MultiRegion",
    "organization": "OrganizationId",
    "management-account": "ManagementAccount",
    "log-file-validation": "LogFileValidation",
    "data-events": "DataEvents",
    "trail-key": "TrailKey",
    "bucket": "BucketName",
    "retention": "RetentionDays",
    "key": "Key",
    "alarm": "Alarm",
    "dashboard": "Dashboard",
    "function-image": "FunctionImage",
    "function-architecture": "FunctionArchitecture",
    "function-state": "FunctionState",
    "function-access-point": "FunctionAccessPoint",
    "function-file-system": "FunctionFileSystem",
}
_NAMED_NONE: Final = ("trail-key", "key", "data-events")


def run(called: Called) -> int:
    """Deploy, plan or print, and return the exit status."""
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed for --help

    from rolewatch.aws import deploy  # noqa: PLC0415 - as above
    from rolewatch.cli.aws_told import deployed, planned  # noqa: PLC0415 - as above

    values = called.values
    wanted = wanted_of(values)
    if values["print-permissions"]:
        return _print_permissions(values, wanted)
    with Output(values["output"]) as out:
        if values["print"] == "cloudformation":
            return _print_template(out)
        clients = None if values["print"] and not wanted.trail else clients_of(values)
        if values["print"]:
            return _print_parameters(out, wanted, clients)
        assert clients is not None  # noqa: S101 - made unless parameters are printed
        now = datetime.now(UTC)
        with waiting() as manner:
            found = deploy.plan(clients, wanted, now=now, manner=manner, only_look=values["plan"])
        for warning in warnings(found, wanted):
            complain(warning)
        if values["plan"]:
            deploy.throw_away(clients, found)
            out.write(lambda stream: stream.write(planned(found, clients.region, values)))
            return 0
        with waiting(len(found.change_set.changes) if found.change_set else 0) as manner:
            done = deploy.execute(clients, found, manner=manner)
        out.write(lambda stream: stream.write(deployed(found, done, clients.region, values)))
    return 0


def wanted_of(values: Mapping[str, Any]) -> "Wanted":
    """Read what the options ask for; what is not said stays as it is, or as the template has it."""
    from rolewatch.aws.deploy import Wanted  # noqa: PLC0415 - not needed for --help

    given = {
        name: "" if values[option] == _NONE and option not in _NAMED_NONE else str(values[option])
        for option, name in PARAMETERS.items()
        if values[option] is not None
    }
    if values["function-code"] is not None:
        found = _CODE.fullmatch(values["function-code"])
        given |= dict(
            zip(("FunctionBucket", "FunctionCode"), found.groups() if found else ("", ""), strict=True)
        )
    for option, name in (("function-subnets", "FunctionSubnets"), ("function-security-groups", "FunctionSecurityGroups")):  # fmt: skip
        if values[option]:
            given[name] = ",".join(values[option])
    tags = dict(values["tag"]) if values["tag"] else None
    return Wanted(values["stack-name"], given, endpoints_of(values), tags, values["trail"], values["attach-logs"])  # fmt: skip


def endpoints_of(values: Mapping[str, Any]) -> "tuple[Endpoint, ...] | None":
    """Read who is told; None where nobody is named, so that all who are told stay."""
    from rolewatch.aws.pipeline import Endpoint  # noqa: PLC0415 - not needed for --help

    if not values["email"] and not values["subscribe"]:
        return None
    if _NONE in values["email"] and len(values["email"]) > 1:
        raise UsageError("--email none is nobody, and there are addresses beside it")
    mails = [Endpoint("email", address) for address in values["email"] if address != _NONE]
    return (*mails, *(Endpoint(*word.split("=", 1)) for word in values["subscribe"]))


def warnings(found: "Plan", wanted: "Wanted") -> list[str]:
    """Say what the reader may not expect of a plan."""
    from rolewatch.aws.pipeline import SLOTS  # noqa: PLC0415 - not needed for --help

    said = []
    if found.values["Alarm"] == "anomaly" and wanted.given.get("Alarm"):
        said.append(
            "an anomaly alarm learns: a denial that lasts becomes usual within days, and then nobody is told of it"
        )
    if found.before and found.before.parameters.get("Key") == "new" and found.values["Key"] != "new":
        said.append(
            "the stack's key goes: what the log group holds now was encrypted with it, and cannot be read any more; the bucket has it all"
        )
    if not any(found.values[slot] for slot in SLOTS):
        said.append("nobody is told: name who is with --email or --subscribe")
    if found.values["DataEvents"] == "objects" and wanted.given.get("DataEvents"):
        said.append(
            "every call to every object in S3 is charged for now, and goes into the log group, too: see the estimate of --plan"
        )
    said += [f"{each}; if there is, CloudFormation takes everything back" for each in found.unchecked]
    if found.values["Trail"] == "new" and found.values["MultiRegion"] == "no":
        said.append("the trail records one Region: what services are refused elsewhere, nobody sees")
    return said


def _print_permissions(values: Mapping[str, Any], wanted: "Wanted") -> int:
    """Print the IAM policy that deploying a new stack with these options needs, without asking AWS anything."""
    from rolewatch.aws import pipeline  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.calls import partition_of  # noqa: PLC0415 - as above
    from rolewatch.aws.stack_permissions import of_deploy  # noqa: PLC0415 - as above

    trail = {"Trail": "existing"} if wanted.trail not in (None, "new") else {}
    given = {**wanted.given, **trail, **pipeline.slots(wanted.endpoints or (), {})}
    found = of_deploy(
        wanted.stack,
        pipeline.effective(given, {}),
        attach=wanted.attach,
        partition=partition_of(values["region"]),
    )
    return put_policy(found, values["output"])


def _print_template(out: Output) -> int:
    from rolewatch.aws.pipeline import template  # noqa: PLC0415 - not needed for --help

    out.write(lambda stream: stream.write(template()))
    return 0


def _print_parameters(out: Output, wanted: "Wanted", clients: Any) -> int:
    """Write parameters as `aws cloudformation create-stack --parameters file://…` takes them; secrets are left out."""
    from rolewatch.aws.deploy import parameters_of  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.pipeline import SECRET  # noqa: PLC0415 - as above
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - as above

    given = parameters_of(clients, wanted)
    hidden = sorted(SECRET & given.keys())
    if hidden:
        complain(f"{', '.join(hidden)} is left out: a secret does not belong into a file")
    rows = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in given.items() if name not in SECRET
    ]
    out.write(lambda stream: stream.write(dumps(rows, indent=1) + "\n"))
    return 0
