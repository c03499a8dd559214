"""What a scan looked at, and what it could therefore not have seen: a clean result from a blind scan is the worst one.

Accounts, regions and days come from the names of the deliveries where they follow the AWSLogs layout, else from the
first and the last record of a delivery; what detection decodes anyway adds to both. Sources: DESIGN "coverage",
research of peers §5 (denials that are simply not recorded), spec/cloudtrail.md §4.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from rolewatch.cloudtrail.layout import Layout
from rolewatch.cloudtrail.read import Batch
from rolewatch.denials.record import Record, Success, Unparsable, decode

# One literal search each, and only until it is found once; (category as reported, literal).
LITERALS = (
    ("Data", b'"eventCategory":"Data"'),
    ("NetworkActivity", b'"eventCategory":"NetworkActivity"'),
    ("kms", b'"eventSource":"kms.amazonaws.com"'),
)
SPACED = {literal: literal.replace(b'":"', b'": "') for _, literal in LITERALS}  # as pretty-printers write it


class _LogFile(msgspec.Struct):
    s3Object: str = ""  # noqa: N815 - CloudTrail's own field names


class Digest(msgspec.Struct):
    """A digest file, as far as it proves which log files exist (spec/cloudtrail.md §4.1)."""

    awsAccountId: str = ""  # noqa: N815
    digestStartTime: str = ""  # noqa: N815
    digestEndTime: str = ""  # noqa: N815
    logFiles: list[_LogFile] = []  # noqa: N815 - msgspec copies a mutable default


class Coverage:
    """A fold over deliveries: what was seen."""

    def __init__(self) -> None:
        self.first: str | None = None
        self.last: str | None = None
        self.last_by_account: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.regions: set[str] = set()
        self.seen: set[str] = set()  # of LITERALS, and other categories
        self.days: Counter[tuple[str, str, str]] = Counter()  # deliveries by (account, region, day)
        self.promised: Counter[tuple[str, str, str]] = Counter()  # log files that digests name, likewise
        self.digests: set[tuple[str, str, str]] = set()  # (account, region, day) that digests speak of

    def named(self, layout: Layout) -> None:
        """Take in what a delivery's name tells; its delivery time bounds the records in it from above."""
        self.accounts.add(layout.account)
        self.regions.add(layout.region)
        self.days[layout.account, layout.region, layout.day] += 1
        if layout.kind == "CloudTrail-NetworkActivity":
            self.seen.add("NetworkActivity")
        time = _spell_time(layout.delivered) if layout.delivered else f"{layout.day}T23:59:59Z"
        if time > self.last_by_account.get(layout.account, ""):
            self.last_by_account[layout.account] = time

    def ends(self, batch: Batch) -> None:
        """Take in the first and the last record of a batch."""
        for raw in batch.first_and_last():
            try:
                self.record(decode(raw))
            except Unparsable:
                continue  # detection says so, if it is a record that matters

    def record(self, record: Record | Success) -> None:
        """Take in one decoded record."""
        account, time = record.recipientAccountId, record.eventTime
        if account:
            self.accounts.add(account)
        if record.awsRegion:
            self.regions.add(record.awsRegion)
        if not time:
            return
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        if account and time > self.last_by_account.get(account, ""):
            self.last_by_account[account] = time

    def search(self, batch: Batch, *, network: bool) -> None:
        """Look for the event categories not seen yet; `network` says whether this delivery could hold its events."""
        for name, literal in LITERALS:
            if (
                name not in self.seen
                and (network or name != "NetworkActivity")
                and (batch.holds(literal) or batch.holds(SPACED[literal]))
            ):
                self.seen.add(name)

    def digest(self, content: bytes, layout: Layout | None) -> None:
        """Take in a digest file: the hours it vouches for and the log files that exist."""
        try:
            digest = msgspec.json.decode(content, type=Digest)
        except msgspec.MsgspecError:
            return
        if layout is None:
            return
        self.digests.add((layout.account, layout.region, digest.digestStartTime[:10] or layout.day))
        for file in digest.logFiles:
            day = "-".join(file.s3Object.split("/")[-4:-1])
            self.promised[layout.account, layout.region, day] += 1

    def merge(self, other: "Coverage") -> None:
        """Take in the coverage of other deliveries."""
        times = [time for time in (self.first, other.first) if time]
        self.first = min(times, default=None)
        times = [time for time in (self.last, other.last) if time]
        self.last = max(times, default=None)
        for account, time in other.last_by_account.items():
            self.last_by_account[account] = max(time, self.last_by_account.get(account, ""))
        self.accounts |= other.accounts
        self.regions |= other.regions
        self.seen |= other.seen
        self.days.update(other.days)
        self.promised.update(other.promised)
        self.digests |= other.digests

    def report(self, *, records: int, narrowed: bool) -> dict[str, Any]:
        """Give DESIGN's `coverage`; `narrowed` says that the request itself left days, accounts or regions out."""
        days = sorted({day for _, _, day in self.days})
        return {
            "first_record": self.first,
            "last_record": self.last,
            "first_day": days[0] if days else None,
            "last_day": days[-1] if days else None,
            "accounts": sorted(self.accounts),
            "regions": sorted(self.regions),
            "event_categories": ["Management", *sorted(self.seen & {"Data", "NetworkActivity"})]
            if records
            else [],
            "not_visible": list(self._not_visible(records=records, narrowed=narrowed)),
        }

    def _not_visible(self, *, records: int, narrowed: bool) -> "list[str]":
        said: list[str] = []
        if not records:
            return ["anything: no CloudTrail record was read"]
        if "Data" not in self.seen:
            said.append(
                "data events: none seen, so a denied s3:GetObject, HeadBucket or ListObjects, lambda:Invoke or DynamoDB item call would not show"
            )
        if "kms" not in self.seen:
            said.append(
                "KMS events: none seen (a trail can exclude them), so a key policy that denies a service would not show"
            )
        if "NetworkActivity" not in self.seen:
            said.append(
                "network activity events: none seen, so a denial by a VPC endpoint policy (VpceAccessDenied) may not show"
            )
        if len(self.regions) == 1:
            region = next(iter(self.regions))
            said.append(
                f"other regions: every record is from {region}"
                + (" (as asked)" if narrowed else "; a single-region trail sees no other")
            )
        said += self._missing_days()
        said.append(
            "cross-account KMS denials in the key owner's account: CloudTrail logs them only in the caller's account"
        )
        return said

    def _missing_days(self) -> list[str]:
        said: list[str] = []
        places: dict[tuple[str, str], set[str]] = {}
        for account, region, day in self.days:
            places.setdefault((account, region), set()).add(day)
        for (account, region), present in sorted(places.items()):
            missing = [day for day in _days_between(min(present), max(present)) if day not in present]
            quiet = [
                day
                for day in missing
                if (account, region, day) in self.digests and not self.promised[account, region, day]
            ]
            unknown = [day for day in missing if day not in quiet]
            if unknown:
                said.append(
                    f"{_spell(unknown)} in account {account}, {region}: no delivery although there are some before and after"
                )
        for place in sorted(self.promised):
            lacking = self.promised[place] - self.days[place]
            if lacking > 0:
                account, region, day = place
                said.append(
                    f"{lacking} log files of {day} in account {account}, {region}: digest files prove that they exist, but they are not in this input"
                )
        return said


@lru_cache(maxsize=1024)
def _spell_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")  # many deliveries share a minute


def _days_between(first: str, last: str) -> list[str]:
    try:
        day, end = (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) for text in (first, last))
    except ValueError:
        return []
    return [(day + timedelta(days=n)).strftime("%Y-%m-%d") for n in range((end - day).days + 1)]


def _spell(days: list[str]) -> str:
    return ", ".join(days) if len(days) <= 5 else f"{len(days)} days between {days[0]} and {days[-1]}"
