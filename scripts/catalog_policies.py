"""Build data/role_policies.json: what AWS lets the roles of data/roles.json do, from published managed policies.

The policies are those that moto has collected (`moto/iam/aws_managed_policies.py`); docs/catalog.md has its licence.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PATH = "/aws-service-role/"  # of every policy that only service-linked roles carry


def published() -> dict[str, dict[str, Any]]:
    """Read moto's collection: policy name → path, default version, dates and document."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - only this mode needs it

    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies


def role_policies(roles: Collection[list[Any]], policies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Build the content of role_policies.json; KeyError names a policy of a role that is not published.

    `roles` are rows of roles.json, `policies` is as `published` gives it. A row is name, version, date and document.
    """
    rows = []
    for name in sorted({role[2] for role in roles if role[2]}):
        policy = policies[name]
        if policy["Path"] != PATH:
            raise ValueError(
                f"{name} is at {policy['Path']}, not at {PATH}: a customer's role could carry it"
            )
        date, document = policy["UpdateDate"][:10], policy["Document"]
        rows.append([name, policy["DefaultVersionId"], date, _plain(document)])
    return {
        "made_by": "scripts/refresh_catalog.py policies",
        "made_from": {"moto": version("moto")},
        "date": max(row[2] for row in rows),
        "policies": rows,
    }


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Write a document as IAM's grammar allows and readers expect: a list of statements, values as they stand."""
    statements = document["Statement"]
    return {
        "Version": document["Version"],
        "Statement": statements if isinstance(statements, list) else [statements],
    }


def written(table: Mapping[str, Any]) -> str:
    """Write the table with one policy on a line, so that a refresh shows which policies changed."""
    head = {key: value for key, value in table.items() if key != "policies"}
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in table["policies"])
    return f'{json.dumps(head)[:-1]}, "policies": [\n{rows}\n]}}\n'
