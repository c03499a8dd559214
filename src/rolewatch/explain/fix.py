"""What a role is kept out by in; the change of the policy that lets it in, proven, or the reason why none is offered, out."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.explain.admitting import Wanted, admit
from rolewatch.explain.asking import decides
from rolewatch.explain.changes import Admitted, exempt, rename
from rolewatch.explain.json_patch import Operation, patched
from rolewatch.explain.proof import Change, Proof, prove
from rolewatch.explain.recreated import Former
from rolewatch.explain.setting import Setting, provisos
from rolewatch.policies.evaluate import Decision
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import Request
from rolewatch.policies.statements import Applied
from rolewatch.policies.truth import Truth

ROUNDS: Final = 200  # changes that are made at most
_INDENTS: Final = (2, 4, 1, 3, 8, "\t")


class Fix(NamedTuple):
    """A change of a policy: the resource whose policy it is, the policy before and after as text, the operations, the proof.

    There are no operations where it is not the policy that has to change; `also` are the commands to run then, or beside.
    """

    target: str
    kind: PolicyKind
    before: str
    after: str
    document: Mapping[str, Any]
    operations: Sequence[Operation]
    proof: Proof
    also: Sequence[str] = ()

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        if not self.operations:
            return ""
        lines = difflib.unified_diff(
            self.before.split("\n") if self.before else [],
            self.after.split("\n"),
            "policy (now)",
            "policy (changed)",
            lineterm="",
        )
        return "\n".join(lines) + "\n"

    def put_command(self, file: str = "policy.json") -> str | None:
        """Write the command that sets the policy from a file; None where there is none."""
        return self.kind.put_command(self.target, file) if self.operations else None

    def file_text(self) -> str:
        """Write what the file of that command holds."""
        return self.kind.file_text(self.after, self.target)

    def to_json(self, file: str = "policy.json") -> dict[str, Any]:
        """Give it as DESIGN names its parts; `file` is where the commands expect what has to be put."""
        command = self.put_command(file)
        return {
            "target": self.target,
            "policy": self.kind.name,
            "diff": self.diff,
            "json_patch": [operation.to_json() for operation in self.operations],
            "policy_after": self.document,
            "commands": [*([command] if command else []), *self.also],
            "command_file": {"name": file, "content": self.file_text()} if command else None,
            "proof": self.proof.to_json(),
        }


class Refused(NamedTuple):
    """Why no change is offered."""

    reason: str


class Target(NamedTuple):
    """The policy that is to be changed: whose, of which kind, its text ("" where there is none) and its name in messages.

    `about` is the resource that was asked for where that is another one, and `about_kind` the kind of its own policy.
    """

    arn: str
    kind: PolicyKind
    text: str
    name: str
    about: str = ""
    about_kind: PolicyKind | None = None


class Told(NamedTuple):
    """What is known beside the policies: the message says that a statement of this one denied, or that nothing allowed."""

    denied: bool = False
    nothing_allowed: bool = False
    former: Former | None = None  # the identifier by which the policy named the role before it was made again
    also: Sequence[str] = ()  # commands that belong to the change


def propose(
    target: Target, requests: Sequence[Request], setting: Setting, who: Admitted, told: Told
) -> Fix | Refused:
    """Change a policy, statement by statement, until all requests are allowed, and prove the change."""
    mending = _Mending(target, setting, who, told)
    before = mending.policy
    for _ in range(ROUNDS):
        refused = mending.step(requests)
        if refused is None:
            break
        if refused:
            return Refused(refused)
    if mending.document is None or mending.policy is None or not (mending.operations or told.also):
        return Refused("the policies allow the request")
    text_before, text_after = _texts(target.text, mending.document)
    limit = target.kind.limit
    if limit is not None and target.kind.size(text_after) > limit and mending.operations:
        text_after = json.dumps(mending.document, separators=(",", ":"), ensure_ascii=False)
        if target.kind.size(text_after) > limit:
            return Refused(
                f"the changed policy would have {target.kind.size(text_after):,} {target.kind.unit}, and AWS takes {limit:,}: "
                f"make room in it first"
            )
    touched = [each for each in mending.policy.statements if each.number in mending.touched]
    proof = prove(Change(before, mending.policy, touched), requests, setting, who)
    if proof.wrong:
        return Refused(f"a change was found, but its proof failed: {proof.wrong}")
    return Fix(
        target.arn,
        target.kind,
        text_before,
        text_after,
        mending.document,
        mending.operations,
        proof,
        told.also,
    )


class _Mending:
    """A policy that is being changed: the document, read and as JSON's values, the operations so far, the statements they touch."""

    def __init__(self, target: Target, setting: Setting, who: Admitted, told: Told) -> None:
        self._target, self._setting, self._who, self._told = target, setting, who, told
        self.policy = read_policy(target.text, target.name) if target.text else None
        self.document: Mapping[str, Any] | None = self.policy.raw if self.policy else None
        self.operations: list[Operation] = []
        self.touched: set[int] = set()
        self._ended: set[tuple[str, str]] = set()  # requests whose denial a change has ended already
        self._let_in: set[tuple[str, str]] = set()  # requests that a statement was added for
        self._renamed = False
        self._exempted: set[int] = set()  # numbers of statements that got a condition

    def step(self, requests: Sequence[Request]) -> str | None:
        """Make one change; returns "", or why it cannot be made, or None where none is needed any more."""
        for request in requests:
            decision = self._setting.decide(request, self.policy)
            if decision.outcome != "allowed" and not self._is_done(request):
                return self._change(request, decision, requests)
        return None

    def _is_done(self, request: Request) -> bool:
        """Whether a request's denial has an end, and what is left hangs on what is not known."""
        if self.policy is None or (request.action, request.resource) not in self._ended:
            return False
        return provisos(request, self.policy, self._setting, frozenset(self.touched)) is not None

    def _change(self, request: Request, decision: Decision, requests: Sequence[Request]) -> str:
        denying = sorted(self._setting.denying(decision), key=lambda each: -each.truth)
        if decision.outcome == "explicit_deny":
            if not denying or denying[0].truth is not Truth.YES:
                return f"what keeps the role out is not this policy: {decision.decided_by.layer.replace('_', ' ')} denies it"
            self._ended.add((request.action, request.resource))
            return self._exempt(denying[0])
        if decision.outcome == "depends" and denying:
            if not self._told.denied:
                return _hanging(denying)
            return self._exempt(denying[0])
        if self._is_lacking(decision):
            return self._admit(request, requests)
        return f"whether {request.action} is allowed hangs on {', '.join(decision.missing)}, which the record does not tell"

    def _rename(self, former: Former) -> bool:
        """Name the role where its former self is named, once; whether that was done."""
        if self._renamed or not former.narrow or self.document is None:
            return False
        self._renamed = True
        self._apply(rename(self.document, former.statement.number, self._who))
        self.touched.add(former.statement.number)
        return True

    def _exempt(self, denying: Applied) -> str:
        statement = denying.statement
        if statement.number in self._exempted or self.document is None:
            return f"{statement.name} denies, and no condition more can leave the role out of it"
        self._exempted.add(statement.number)
        self._apply(exempt(self.document, statement, self._who))
        self.touched.add(statement.number)
        return ""

    def _admit(self, request: Request, requests: Sequence[Request]) -> str:
        """Let the role in, for all requests that nothing allows."""
        former = self._told.former
        if former and self._rename(former):
            return ""
        if (request.action, request.resource) in self._let_in:
            return f"a statement that allows {request.action} does not let the role in"
        if not decides(self._target.kind, request.action):
            return f"the {self._target.kind.name} does not decide on {request.action}"
        wanted = []
        for each in requests:
            found = self._setting.decide(each, self.policy)
            if self._is_lacking(found) and decides(self._target.kind, each.action):
                wanted.append(each.action)
                self._let_in.add((each.action, each.resource))
        self._ended |= self._let_in
        there = len(self.policy.statements) if self.policy else 0
        target = self._target
        lacks = Wanted(target.kind, target.about or target.arn, wanted, target.about_kind or target.kind)
        self._apply(admit(self.document, self._who, lacks))
        self.touched.update(range(there + 1, len(self.policy.statements if self.policy else ()) + 1))
        return ""

    def _is_lacking(self, decision: Decision) -> bool:
        """Whether a request is denied because nothing allows it: by the policies, or by what is known of the denial."""
        if decision.outcome == "implicit_deny":
            return True
        # It was denied. Where nothing may have denied it, and nobody but this policy can allow it, nothing allowed it.
        sole = self._target.kind.rule == "policy" or self._told.nothing_allowed
        return decision.outcome == "depends" and sole and not self._setting.denying(decision)

    def _apply(self, operations: Sequence[Operation]) -> None:
        self.document = patched(self.document, operations)
        self.policy = read_policy(json.dumps(self.document), self._target.name)
        self.operations += operations


def _hanging(maybe: Sequence[Applied]) -> str:
    named = [
        f"{each.statement.name} denies it (that hangs on {', '.join(dict.fromkeys(each.missing))})"
        for each in maybe
    ]
    return f"the record does not tell whether {' or '.join(named)}"


def _texts(text: str, document: Mapping[str, Any]) -> tuple[str, str]:
    """Write a policy before and after in the manner of its text, if it has one that is known; else both set out anew."""
    if not text:
        return "", json.dumps(document, indent=2, ensure_ascii=False)
    value = json.loads(text)
    for indent in _INDENTS:
        if json.dumps(value, indent=indent, ensure_ascii=False) == text.strip():
            return text.strip(), json.dumps(document, indent=indent, ensure_ascii=False)
    return json.dumps(value, indent=2, ensure_ascii=False), json.dumps(document, indent=2, ensure_ascii=False)
