"""What Security Hub objects to in a finding: by botocore's model of its API, and by the limits in its documentation."""

import json
import re

from botocore.validate import ParamValidator
from formatted import written

#: Of the documentation of AwsSecurityFinding and its parts; the model itself does not have them. Strings in bytes.
LONGEST = {
    "Id": 512, "ProductArn": 2048, "ProductName": 128, "CompanyName": 128, "Region": 16, "GeneratorId": 512,
    "Title": 256, "Description": 1024,
}  # fmt: skip
NAMESPACES = {
    "Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications",
}  # fmt: skip
#: "Timestamps" in the Security Hub user guide.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
KIB = 1024


def broken(shape, value, path=""):
    """Return where a value breaks a pattern or an enumeration of the model, which botocore leaves to the service."""
    if shape.type_name == "structure":
        pairs = [(shape.members[name], item, f"{path}.{name}") for name, item in value.items()]
    elif shape.type_name == "list":
        pairs = [(shape.member, item, f"{path}[]") for item in value]
    elif shape.type_name == "map":
        pairs = [(shape.value, item, f"{path}.{name}") for name, item in value.items()]
    else:
        pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
        fits = (not pattern or re.fullmatch(pattern, value)) and (not enum or value in enum)
        return [] if fits else [f"{path}: {value!r}"]
    return [fault for inner, item, where in pairs for fault in broken(inner, item, where)]


def too_long(finding):
    """Return what of a finding is beyond the documented limits."""
    limits = [(name, finding[name], most) for name, most in LONGEST.items()]
    limits.append(("Text", finding["Remediation"]["Recommendation"]["Text"], 512))
    limits += [("Resource", item["Id"], 2048) for item in finding["Resources"]]
    limits += [("Resource", item.get("Region", ""), 16) for item in finding["Resources"]]
    limits += [(f"name {name}", name, 128) for name in finding["ProductFields"]]
    limits += [(name, value, 2048) for name, value in finding["ProductFields"].items()]
    call = finding["Action"]["AwsApiCallAction"]
    limits += [(name, call[name], 128) for name in ("Api", "ServiceName")]
    limits.append(("Original", finding["Severity"]["Original"], 64))
    counts = [(finding["Types"], 50), (finding["ProductFields"], 50), (finding["Resources"], 32)]
    whole = len(json.dumps(finding).encode())
    return [
        *(name for name, text, most in limits if len(text.encode()) > most),
        *(number for items, most in counts if (number := len(items)) > most),
        *([f"{whole} bytes"] if whole > 240 * KIB else []),
    ]


def faults(shape, report):
    """Return everything Security Hub would object to."""
    findings = json.loads(written("asff", report))
    said = ParamValidator().validate({"Findings": findings}, shape).generate_report()
    member = shape.members["Findings"].member
    return [
        *([said] if said else []),
        *(fault for finding in findings for fault in (*broken(member, finding), *too_long(finding))),
        *(name for finding in findings for name in finding["Types"] if name.split("/")[0] not in NAMESPACES),
        *(
            finding[name]
            for finding in findings
            for name in ("FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt")
            if not TIME.fullmatch(finding[name])
        ),
    ]
