"""The fast path finds exactly what a full parse of everything finds, whatever the records look like."""

import gzip
import json
import random
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rolewatch.cloudtrail.carve import canonical
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials, facts
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Stepper
from rolewatch.sources import BytesDelivery

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
NEEDLES = (
    '"errorCode":"AccessDenied"', "errorCode", ":role/aws-service-role/", '},{"eventVersion":"1.08"', '{"Records":[', "]}", '"eventTime"',
    "}}", "[{", "\\", '\\"', "\u2028", "\U0001f512", "é", "plain", "}],", '"Delete',
)  # fmt: skip


def base(rng, *, linked, error):
    """One record in CloudTrail's order, as a list of pairs so that keys can repeat."""
    issuer = (
        ROLE
        if linked
        else "arn:aws:iam::111122223333:role/team/aws-service-role/config.amazonaws.com/Impostor"
    )
    bucket = rng.choice(["a", "b"])
    pairs = [
        ("eventVersion", "1.08"),
        (
            "userIdentity",
            [("type", "AssumedRole"), ("sessionContext", [("sessionIssuer", [("arn", issuer)])])],
        ),
        ("eventTime", f"2026-03-01T00:00:{rng.randrange(60):02d}Z"),
        ("eventSource", "s3.amazonaws.com"),
        ("eventName", rng.choice(["GetBucketPolicy", "GetBucketAcl", "DeleteBucket"])),
        ("awsRegion", "us-east-1"),
    ]
    if error:
        pairs.append(
            ("errorCode", rng.choice(["AccessDenied", "NoSuchBucketPolicy", "NoSuchBucket", "SlowDown"]))
        )
    pairs += [
        ("requestParameters", [("bucketName", bucket), ("note", rng.choice(NEEDLES) + rng.choice(NEEDLES))]),
        ("eventID", f"00000000-0000-0000-0000-{rng.getrandbits(48):012x}"),
        ("recipientAccountId", "111122223333"),
    ]
    return pairs


def twist(rng, pairs):
    """Give a record one of the shapes that could mislead a search for literals."""
    kind = rng.randrange(9)
    at = next(index for index, (key, _) in enumerate(pairs) if key == "requestParameters")
    if kind == 0:  # a look-alike in an array, not first, so that it follows `},` as a record does
        pairs[at] = (
            "requestParameters",
            [
                (
                    "list",
                    ("array", [[("x", rng.choice(NEEDLES))], base(rng, linked=True, error=True), [("y", 1)]]),
                )
            ],
        )
    elif kind == 1:  # a look-alike in an object
        pairs[at] = ("requestParameters", [("detail", base(rng, linked=True, error=True))])
    elif kind == 2:  # any key order
        rng.shuffle(pairs)
    elif kind == 3:  # a duplicate key: the last one counts
        pairs.append(
            rng.choice(
                [
                    ("errorCode", "AccessDenied"),
                    ("errorCode", None),
                    ("eventTime", "2026-03-02T00:00:00Z"),
                    ("eventVersion", "1.09"),
                ]
            )
        )
    elif kind == 4:  # deep nesting
        deep = [("errorCode", "AccessDenied")]
        for _ in range(rng.randrange(1, 60)):
            deep = [("deep", deep)]
        pairs[at] = ("requestParameters", deep)
    elif kind == 5:  # a wrong type
        pairs[rng.randrange(len(pairs))] = (
            rng.choice(["errorCode", "eventTime", "resources", "userIdentity"]),
            rng.choice([1, None, "x", ("array", [])]),
        )
    elif kind == 6:  # a field is missing
        optional = [index for index, (key, _) in enumerate(pairs) if key not in ("eventVersion",)]
        del pairs[rng.choice(optional)]
    return pairs


def write_string(rng, text, escape):
    """Write a JSON string, with needless escapes if asked for."""
    if not escape:
        return json.dumps(text, ensure_ascii=rng.random() < 0.5)
    return '"' + "".join(
        rng.choice([f"\\u{ord(char):04x}", json.dumps(char)[1:-1]]) if char.isalpha() and ord(char) < 128 else "\\/" if char == "/" else json.dumps(char)[1:-1]
        for char in text
    ) + '"'  # fmt: skip


def write(rng, item, escape, space):
    """Write pairs, arrays and scalars as JSON text."""
    if isinstance(item, list):
        return (
            "{"
            + f",{space}".join(
                f"{write_string(rng, key, escape)}:{space}{write(rng, child, escape, space)}"
                for key, child in item
            )
            + "}"
        )
    if isinstance(item, tuple):
        return "[" + f",{space}".join(write(rng, child, escape, space) for child in item[1]) + "]"
    return write_string(rng, item, escape) if isinstance(item, str) else json.dumps(item)


def deliver(seed):
    """Make the text of one delivery."""
    rng = random.Random(seed)
    spaced = rng.random() < 0.15
    texts = []
    for _ in range(rng.randrange(1, 14)):
        pairs = base(rng, linked=rng.random() < 0.6, error=rng.random() < 0.5)
        if rng.random() < 0.35:
            pairs = twist(rng, pairs)
        texts.append(write(rng, pairs, rng.random() < 0.15, rng.choice(["", " ", "\n  "]) if spaced else ""))
    separator = ", " if spaced else ","
    return ('{"Records":[' + separator.join(texts) + "]}" + rng.choice(["", "\n"])).encode()


def fully_parsed(data):
    """Find everything by parsing everything, with nothing but `json`."""
    found, proofs, hits = {}, {}, 0
    records = json.loads(data)["Records"]
    for record in records:
        raw = json.dumps(record).encode()
        decoded = decode(raw)
        refused = denials(decoded, raw, Rule())
        hits += bool(refused)
        for denial in refused:
            if denial.identity not in found or denial.rank > found[denial.identity].rank:
                found[denial.identity] = denial
        for fact in [] if refused else facts(decoded, Rule()):
            key = tuple(fact[:-1])
            proofs[key] = max(fact.time, proofs.get(key, ""))
    return len(records), hits, found, proofs


def scanned(data, compress):
    """Find everything the way a scan does."""
    stepper = Stepper(ScanRequest())
    content = gzip.compress(data) if compress else data
    stepper.step(
        BytesDelivery(name="x", identity="x", named=True, size=len(content), remote=False, content=content)
    )
    return stepper


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
@example(0, False)
def test_fast_path_is_exact(seed, compress):
    """Counts, denials and proofs of access are those of a full parse."""
    data = deliver(seed)
    records, hits, found, proofs = fully_parsed(data)
    stepper = scanned(data, compress)
    assert stepper.summary.unreadable == []
    assert (records, hits) == (stepper.summary.counts["records"], stepper.summary.counts["hits"])
    assert {key: denial[2:] for key, denial in found.items()} == {
        key: denial[2:] for key, denial in stepper.summary.denials.items()
    }
    assert proofs == {key: stepper.facts.latest(key) for key in proofs}


def test_the_corpus_reaches_both_paths():
    """The generated deliveries exercise the fast path and the exact one, or the test above would prove little."""
    taken = Counter(canonical(deliver(seed)) is not None for seed in range(400))
    assert min(taken[True], taken[False]) > 60
