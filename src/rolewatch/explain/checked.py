"""What was typed after `rolewatch check` in; the policies to check out: of a file with one policy, a template, a plan, or a folder.

What a file is, its content says: a policy has a Statement, a CloudFormation template Resources, a Terraform plan planned_values.
"""

import json
from typing import Final

from rolewatch.base.errors import UsageError
from rolewatch.catalog.naming import named
from rolewatch.catalog.policy_kinds import kind, kind_of_type, kinds
from rolewatch.explain.checked_read import Read, Unread, Wanted, found_resource
from rolewatch.explain.checked_text import policy_node, policy_within
from rolewatch.explain.folder import Folder
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import NOBODY
from rolewatch.explain.lockout_parts import REGION, kind_in, names_others
from rolewatch.policies.grants import Grant, read_grants
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import policy_of
from rolewatch.templates.document import Document, read_document
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.nodes import Mapping as MappingNode
from rolewatch.templates.source import Source

_PLAN: Final = ("planned_values", "resource_changes")
_NAMELESS: Final = ("role-trust",)  # kinds that no file of a folder holds
_ENDPOINT: Final = "vpce-"
_NOBODY_NAMED: Final = "no statement has a Principal: an identity-based or service control policy, which does not restrict service-linked roles"


def read_checked(content: bytes, name: str, wanted: Wanted) -> Read:
    """Read the policies of a file; UsageError (TemplateError) for what is none, with the place of what is wrong."""
    document = read_document(content, name)
    keys = document.root.entries
    several = "Statement" not in keys and any(key in keys for key in (*_PLAN, "Resources"))
    if several and wanted.resource:
        raise UsageError(
            f"--resource is for a file with one policy; {name} holds many", remedy="leave it out"
        )
    if several and any(key in keys for key in _PLAN):
        from rolewatch.explain.checked_plan import read_plan  # noqa: PLC0415 - for plans only

        return read_plan(document, wanted.given)
    if several:
        from rolewatch.explain.checked_template import read_template_policies  # noqa: PLC0415 - for templates only

        return read_template_policies(document, wanted)
    return _plain(document, name, wanted)


def _plain(document: Document, name: str, wanted: Wanted) -> Read:
    """Read a file with one policy, or with what an API returned that holds one."""
    node, path = policy_node(document.root)
    if isinstance(node, MappingNode):
        policy = policy_of(node, document.source, name, path=path)
    else:
        policy = policy_within(node, document.source, path, name)
    if policy.statements and all(each.principals is None for each in policy.statements):
        return Read((), (), wanted.given, (Unread(str(policy.place), _NOBODY_NAMED),))
    for each in policy.statements:
        if each.principals is None:
            raise TemplateError("a statement of a resource-based policy without Principal", each.place)
    if wanted.resource:
        return Read((_named(policy, wanted.resource),), (), wanted.given)
    found = found_resource(policy, wanted.given, kind_in(policy))
    if found is None:
        raise document.source.error(
            "nothing tells what kind of resource this policy is of",
            remedy="give --resource with the ARN of the resource",
        )
    return Read((Subject(policy, *found),), (), wanted.given)


def _named(policy: Policy, resource: str) -> Subject:
    found = named(resource)
    known = kind_of_type(found.type) if found else None
    if found is None or known is None:
        names = ", ".join(each.kind for each in kinds() if each.kind not in _NAMELESS)
        raise UsageError(
            f"--resource {resource[:200]!r} is no ARN of a resource that carries a policy",
            remedy=f"these do: {names}",
        )
    other = names_others(policy, found.arn)
    if other:
        raise UsageError(
            f"{policy.place}: the policy is of {other[:200]!r}, not of --resource {resource[:200]!r}",
            remedy="AWS refuses a policy that names other resources than its own",
        )
    return Subject(policy, known, found.arn, "--resource")


def read_folder(path: str, wanted: Wanted) -> Read:
    """Read a folder of collected policies; a file of it that cannot be read is told, and the others are checked."""
    if wanted.resource:
        raise UsageError(
            f"--resource is for a file with one policy; {path} is a folder", remedy="leave it out"
        )
    folder = Folder(path)
    subjects: list[Subject] = []
    unread: list[Unread] = []
    for arn in folder.arns():
        found = named(arn)
        own = kind("endpoint") if arn.startswith(_ENDPOINT) else kind_of_type(found.type) if found else None
        if own is None or own.kind in _NAMELESS or (found and found.arn != arn):
            continue
        try:
            collected = folder.policy(arn)
            grants = _grants(folder, arn) if own.kind == "key" else ()
        except UsageError as error:
            unread.append(Unread(path, str(error), invalid=True))
            continue
        if collected:
            resource = _endpoint_arn(arn) if own.kind == "endpoint" else arn
            subjects.append(Subject(collected.policy, own, resource, "the file's name", grants=grants))
    given = wanted.given
    accounts = {found.account for arn in folder.arns() if (found := named(arn)) and found.account}
    if given.account is None and len(accounts) == 1:
        given = given._replace(account=accounts.pop(), account_from="the other resources of the folder")
    if given.organization is None and folder.organization is not None:
        given = given._replace(organization=folder.organization, organization_from="organization.json")
    return Read(tuple(subjects), tuple(unread), given)


def _grants(folder: Folder, arn: str) -> tuple[Grant, ...]:
    source = Source(f"{folder.path}: grants of {arn}", json.dumps(folder.grants(arn)))
    return tuple(read_grants(json_nodes(source), source, "Grants"))


def _endpoint_arn(arn: str) -> str:
    """Write an ARN for an endpoint that is named by its id."""
    return arn if arn.startswith("arn:") else f"arn:aws:ec2:{REGION}:{NOBODY}:vpc-endpoint/{arn}"
