"""What a deployment or a removal would do, and has done, as text and as JSON."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rolewatch.aws import deploy, destroy
    from rolewatch.aws.cost import Estimate

_LONGEST: Final = 400  # characters of a line
_RESULTS: Final[Mapping[str, str]] = {
    "created": "made",
    "updated": "changed",
    "unchanged": "left as it was, for nothing has changed",
}
_OUTPUTS: Final = ("TrailArn", "TrailBucket", "LogFileKey", "LogGroup", "Topic")


def planned(found: "deploy.Plan", region: str, values: Mapping[str, Any]) -> str:
    """Tell what a deployment would do, and what a month of it costs."""
    from rolewatch.aws.cost import estimate  # noqa: PLC0415 - not needed for --help

    cost = estimate(
        found.values,
        events=values["events-per-day"],
        data=values["data-events-per-day"],
        copies=found.copies,
    )
    said = changes(found)
    if values["format"] == "json":
        return _json(_head(found, region) | {"result": "planned", "changes": _rows(found), "attached": _attached(found), "unchecked": list(found.unchecked), "estimate": _cost_row(cost)})  # fmt: skip
    verb = "would be changed" if found.ready.value == "update" else "would be made"
    head = f"The stack {found.stack} in {region} {verb}:" if said else f"The stack {found.stack} in {region} is as it should be: nothing would be done."  # fmt: skip
    return _lines([head, *(f"  {each}" for each in said), "", *_cost_lines(cost)])


def deployed(found: "deploy.Plan", done: "deploy.Done", region: str, values: Mapping[str, Any]) -> str:
    """Tell what a deployment has done, and what comes now."""
    if values["format"] == "json":
        return _json(
            _head(found, region)
            | {
                "result": done.result,
                "changes": _rows(found),
                "attached": _attached(found),
                "outputs": dict(done.stack.outputs),
            }
        )
    lines = [f"The stack {found.stack} in {region} was {_RESULTS[done.result]}."]
    lines += [f"  {each}" for each in changes(found)]
    lines += [f"{name}: {done.stack.outputs[name]}" for name in _OUTPUTS if name in done.stack.outputs]
    if done.result != "unchanged":
        lines += _next(found)
    return _lines(lines)


def changes(found: "deploy.Plan") -> list[str]:
    """Say all that a plan changes, a sentence each."""
    from rolewatch.aws.wording import sentences  # noqa: PLC0415 - not needed for --help

    said = sentences(found.change_set.changes, found.values) if found.change_set else []
    if found.attached and found.attached.pending:
        said.append(f"tells the trail {found.attached.trail.name} to deliver to the stack's log group")
    return said


def to_be_removed(found: "destroy.Plan", asked: "destroy.Asked") -> str:
    """Tell what a removal would do, and what it would leave, a line each."""
    return _lines(_removal(found, asked, done=False))


def removed(found: "destroy.Plan", asked: "destroy.Asked", values: Mapping[str, Any], *, done: bool) -> str:
    """Tell what a removal has done (or would do), as text or JSON."""
    if values["format"] != "json":
        return _lines(_removal(found, asked, done=done))
    return _json({
        "stack": asked.stack,
        "result": "planned" if not done else "unchanged" if found.nothing else "removed",
        "removed": [{"logical_id": each.logical_id, "type": each.type, "physical_id": each.physical_id} for each in found.removed],
        "detached": [each.arn for each in found.detached],
        "trail": {"arn": found.trail.arn, "kept": found.keeps_trail, "reason": found.spared.reason} if found.trail and found.spared else None,
        "bucket": {"name": found.bucket, "kept": not found.deletes_bucket} if found.bucket else None,
    })  # fmt: skip


def _removal(found: "destroy.Plan", asked: "destroy.Asked", *, done: bool) -> list[str]:
    from rolewatch.aws.destroy import KEY_DAYS  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.wording import part  # noqa: PLC0415 - as above

    if found.nothing:
        there = (
            f"Of the stack {asked.stack}, only the trail is left"
            if found.keeps_trail
            else f"There is no stack {asked.stack}"
        )
        lines = [f"{there}: nothing {'was' if done else 'would be'} removed."]
        return [*lines, *_kept(found, asked)]
    lines = ["Removed:" if done else "Would be removed, in this order:"]
    lines += [
        f"  the delivery of the trail {each.name} to the stack's log group; the trail itself stays"
        for each in found.detached
    ]
    lines += [f"  {part(each.logical_id, each.type)}  {each.physical_id}".rstrip() for each in found.removed]
    if found.stack and not found.keeps_trail:
        lines.append(f"  the stack {found.stack.name}")
    if found.deletes_bucket:
        if found.key:
            lines.append(
                f"  the key of the log files, which can be called back for {KEY_DAYS} days  {found.key}"
            )
        lines.append(f"  the bucket of the log files, with every version of every object  {found.bucket}")
    return [*lines, *_kept(found, asked)]


def _kept(found: "destroy.Plan", asked: "destroy.Asked") -> list[str]:
    lines = []
    if found.keeps_trail and found.trail and found.spared:
        lines.append(
            f"Kept: the trail {found.trail.name} with its bucket, because {found.spared.reason}. --leave-no-trail removes it as well."
        )
    elif found.trail and found.spared and found.spared.others:
        lines.append(f"Management events are still recorded: {found.spared.reason}.")
    elif found.trail and found.spared and not found.spared.enough:
        lines.append(
            f"Nothing records management events of this account any more then: {found.spared.reason}."
        )
    if found.bucket and not found.deletes_bucket and not found.keeps_trail:
        lines.append(
            f"Kept: the bucket {found.bucket} with the log files. To delete them, too: "
            f"rolewatch aws destroy --stack-name {asked.stack} --delete-logs --yes-delete {found.bucket}"
        )
        if found.key:
            lines.append(f"Kept: the key {found.key}, without which these files cannot be read.")
    return lines


def _next(found: "deploy.Plan") -> list[str]:
    """Say what the reader has to do or know once a stack is made."""
    from rolewatch.aws.pipeline import SLOTS  # noqa: PLC0415 - not needed for --help

    mails = [found.values[slot].partition(" ")[2] for slot in SLOTS if found.values[slot].startswith("email")]
    lines = []
    if mails:
        lines.append(
            f"{', '.join(mails)}: who is new has to follow the link in an e-mail from AWS first, else nothing is sent."
        )
    if found.ready.value != "update":
        lines.append(
            "Until the first events arrive, which takes some minutes, the alarm on silence may ring: so you see that it does."
        )
    return lines


def _head(found: "deploy.Plan", region: str) -> dict[str, Any]:
    return {"stack": found.stack, "region": region, "account": found.account or None}


def _rows(found: "deploy.Plan") -> list[dict[str, Any]]:
    from rolewatch.aws.wording import ordered, sentence  # noqa: PLC0415 - not needed for --help

    if not found.change_set:
        return []
    return [
        {
            "action": each.action,
            "logical_id": each.logical_id,
            "type": each.type,
            "physical_id": each.physical_id or None,
            "replaced": each.replaced,
            "properties": list(each.properties),
            "words": sentence(each, found.values),
        }
        for each in ordered(found.change_set.changes)
    ]


def _attached(found: "deploy.Plan") -> str | None:
    return found.attached.trail.arn if found.attached and found.attached.pending else None


def _cost_row(cost: "Estimate") -> dict[str, Any]:
    return {
        "dollars_a_month": round(cost.dollars, 2),
        "lines": [
            {"what": each.what, "amount": round(each.amount, 3), "unit": each.unit, "price": each.price, "dollars": round(each.dollars, 2)}
            for each in cost.lines
        ],
        "assumptions": list(cost.assumptions),
    }  # fmt: skip


def _cost_lines(cost: "Estimate") -> list[str]:
    lines = [f"About {cost.dollars:,.2f} USD a month, as an estimate:"]
    lines += [
        f"  {each.dollars:>9,.2f}  {each.what}" for each in sorted(cost.lines, key=lambda line: -line.dollars)
    ]
    return [*lines, "It assumes:", *(f"  {each}" for each in cost.assumptions)]


def _lines(lines: Sequence[str]) -> str:
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - not needed for --help

    return "".join(f"{terminal(line, _LONGEST)}\n" for line in lines)


def _json(value: Any) -> str:
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help

    return dumps(value, indent=1) + "\n"
