"""The fast path finds exactly what a full parse of everything finds, whatever the records look like."""

import gzip
import json
import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.cloudtrail.carve import canonical
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials, facts
from rolewatch.scan.detect import Detector, latest
from rolewatch.scan.pool import Alone
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.summary import Summary
from rolewatch.sources import BytesDelivery

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
IMPOSTOR = "arn:aws:iam::111122223333:role/team/aws-service-role/config.amazonaws.com/Impostor"
BUCKETS = ("arn:aws:s3:::a", "arn:aws:s3:::b")
ACTIONS = ("s3:getbucketpolicy", "s3:getbucketacl", "s3:deletebucket")
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01"
NEEDLES = (
    '"errorCode":"AccessDenied"', "errorCode", ":role/aws-service-role/", '},{"eventVersion":"1.08"', '{"Records":[', "]}", '"eventTime"',
    "}}", "[{", "\\", '\\"', "\u2028", "\U0001f512", "ż", "plain", "}],", '"Delete', "NoSuchBucket", "AccessDenied", "\\u0041", "\\/", "",
)  # fmt: skip


def base(rng, *, linked, error):
    """One record in CloudTrail's order, as a list of pairs so that keys can repeat."""
    issuer = ROLE if linked else IMPOSTOR
    pairs = [
        ("eventVersion", "1.08"),
        ("userIdentity", [("type", "AssumedRole"), ("sessionContext", [("sessionIssuer", [("arn", issuer)])])]),
        ("eventTime", f"2026-03-01T00:00:{rng.randrange(60):02d}Z"),
        ("eventSource", "s3.amazonaws.com"),
        ("eventName", rng.choice(["GetBucketPolicy", "GetBucketAcl", "DeleteBucket"])),
        ("awsRegion", "us-east-1"),
    ]  # fmt: skip
    if error:
        codes = ["AccessDenied", "NoSuchBucketPolicy", "NoSuchBucket", "SlowDown"]
        pairs.append(("errorCode", rng.choice(codes)))
    note = rng.choice(NEEDLES) + rng.choice(NEEDLES) * rng.choice([1, 1, 1, 50])
    identifier = f"00000000-0000-0000-0000-{rng.randrange(12):012x}"  # few, so that some occur twice
    return [
        *pairs,
        ("requestParameters", [("bucketName", rng.choice(["a", "b"])), ("note", note)]),
        ("eventID", identifier),
        ("recipientAccountId", "111122223333"),
    ]


def look_alike_in_an_array(rng, pairs, at):
    """Put what looks like a record into an array, not first, so that it follows `},` as a record does."""
    behind = rng.choice([[], [[("y", 1)]], [1]])
    array = [[("x", rng.choice(NEEDLES))], base(rng, linked=True, error=True), *behind]
    pairs[at] = ("requestParameters", [("list", ("array", array))])


def look_alike_in_an_object(rng, pairs, at):
    """Put what looks like a record into an object."""
    pairs[at] = ("requestParameters", [("detail", base(rng, linked=True, error=True))])


def any_order(rng, pairs, _at):
    """Write the keys in any order."""
    rng.shuffle(pairs)


def duplicate_key(rng, pairs, _at):
    """Repeat a key anywhere behind its first place: the last one counts."""
    again = [
        ("errorCode", "AccessDenied"), ("errorCode", None), ("eventTime", "2026-03-02T00:00:00Z"), ("eventVersion", "1.09"),
        ("eventName", "DeleteBucket"), ("eventSource", "s3.amazonaws.com"), ("userIdentity", None),
    ]  # fmt: skip
    pairs.insert(rng.randrange(6, len(pairs) + 1), rng.choice(again))


def deep_nesting(rng, pairs, at):
    """Hide an error deep in the request's parameters, in objects or in arrays."""
    deep = [("errorCode", "AccessDenied")]
    for _ in range(rng.randrange(1, 60)):
        deep = [("deep", deep)] if rng.random() < 0.5 else ("array", [deep])
    pairs[at] = ("requestParameters", deep)


def wrong_type(rng, pairs, _at):
    """Give a field a value of a type that it never has."""
    name = rng.choice(["errorCode", "eventTime", "resources", "userIdentity", "eventName", "eventID"])
    pairs[rng.randrange(1, len(pairs))] = (name, rng.choice([1, None, "x", ("array", [])]))


def missing_field(rng, pairs, _at):
    """Leave a field out."""
    del pairs[rng.randrange(1, len(pairs))]


def large_number(rng, pairs, at):
    """Put a number into a record that not every decoder can represent."""
    pairs[at] = ("requestParameters", [("n", rng.choice([10**400, 1e308, -0.0]))])


TWISTS = (
    look_alike_in_an_array, look_alike_in_an_object, any_order, duplicate_key, deep_nesting, wrong_type, missing_field, large_number,
)  # fmt: skip


def write_string(rng, text, escape):
    """Write a JSON string; with needless escapes of some letters and slashes where `escape` is a chance above 0."""
    if not escape:
        return json.dumps(text, ensure_ascii=rng.random() < 0.5)
    written = []
    for char in text:
        plain = json.dumps(char, ensure_ascii=False)[1:-1]
        hidden = "\\/" if char == "/" else f"\\u{ord(char):04x}" if ord(char) < 128 else plain
        written.append(hidden if rng.random() < escape else plain)
    return f'"{"".join(written)}"'


def write(rng, item, escape, space):
    """Write pairs, arrays and scalars as JSON text."""
    if isinstance(item, list):
        members = (
            f"{write_string(rng, key, escape)}:{space}{write(rng, child, escape, space)}"
            for key, child in item
        )
        return "{" + f",{space}".join(members) + "}"
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
            rng.choice(TWISTS)(rng, pairs, [key for key, _ in pairs].index("requestParameters"))
        escape = rng.choice([0.05, 0.5, 1]) if rng.random() < 0.15 else 0
        texts.append(write(rng, pairs, escape, rng.choice(["", " ", "\n  "]) if spaced else ""))
    separator = ", " if spaced else ","
    behind = rng.choice(["]}", "]}", "]}", "]}\n", "]}\r\n ", '],"x":1}', '],"x":[{}]}'])
    return ('{"Records":[' + separator.join(texts) + behind).encode()


def fully_parsed(texts, request):
    """Find everything by parsing everything, with nothing but `json`."""
    found, proofs, rule = Summary(), {}, Rule(request.principals)
    for record in (record for text in texts for record in json.loads(text)["Records"]):
        raw = json.dumps(record).encode()
        decoded = decode(raw)
        refused = denials(decoded, raw, rule)
        found.counts["records"] += 1
        for denial in refused:
            found.add(denial)
        for fact in facts(decoded, rule) if request.recovery and not refused else ():
            proofs[fact[:-1]] = max(fact[-1], proofs.get(fact[:-1], ""))
    return found, proofs


def scanned(contents, request):
    """Find everything the way a scan does, of files that stand in one folder of a trail."""
    deliveries = [
        BytesDelivery(f"{FOLDER}/{number}.json", str(number), named=True, size=len(content), remote=False, content=content)
        for number, content in enumerate(contents)
    ]  # fmt: skip
    stepper = Detector(request)
    list(stepper.step_all((delivery, None) for delivery in deliveries))
    return stepper


def of_one_writer(text):
    """Whether all records start with the same key, written plainly; else carve.py says what it may not count."""
    records = json.loads(text)["Records"]
    return b"\\u00" not in text and all(next(iter(record)) == "eventVersion" for record in records)


def assert_exact(texts, request, *, compress, in_c):
    """Hold a scan against the full parse: counts, denials, proofs of access."""
    expected, proofs = fully_parsed(texts, request)
    with pytest.MonkeyPatch.context() as patch:
        if not in_c:
            patch.setattr("rolewatch.cloudtrail.carve.native", None)
        stepper = scanned(map(gzip.compress, texts) if compress else texts, request)
    found = stepper.summary
    assert found.unreadable == []
    assert found.counts["hits"] == expected.counts["hits"]
    if all(map(of_one_writer, texts)):
        assert found.counts["records"] == expected.counts["records"]
    assert found.denials == expected.denials
    assert (found.copies, found.examples) == (expected.copies, expected.examples)
    everybody = {ROLE, IMPOSTOR, *(key[0] for key in proofs if len(key) == 3)}
    everything = {*BUCKETS, "service:s3.amazonaws.com", *(key[-1] for key in proofs)}
    asked = [*product(everybody, ACTIONS, everything), *((resource,) for resource in everything), *proofs]
    assert latest(Alone(stepper), dict.fromkeys(asked, "")) == proofs


SEEDS = st.integers(0, 2**32)
REQUESTS = st.sampled_from(
    [
        ScanRequest(),
        ScanRequest(recovery=False),
        ScanRequest(principals=frozenset(("all",))),
        ScanRequest(principals=frozenset(("all",)), recovery=False),
    ]
)


@settings(max_examples=800, deadline=None)
@given(SEEDS, REQUESTS, st.booleans(), st.booleans())
def test_fast_path_is_exact(seed, request, compress, in_c):
    """Counts, denials and proofs of access are those of a full parse."""
    assert_exact([deliver(seed)], request, compress=compress, in_c=in_c)


@settings(max_examples=400, deadline=None)
@given(st.lists(SEEDS, min_size=2, max_size=6), REQUESTS, st.booleans())
def test_files_of_a_folder_are_exact(seeds, request, in_c):
    """The same holds for small files of one folder, of which the first is looked at more closely than the others."""
    assert_exact([deliver(seed) for seed in seeds], request, compress=True, in_c=in_c)


@settings(max_examples=400, deadline=None)
@given(
    SEEDS, REQUESTS, st.tuples(st.booleans(), st.booleans()), st.integers(100, 3000), st.integers(100, 3000)
)
def test_windows_of_large_files_are_exact(seed, request, way, piece, part):
    """The same holds for large files, which are read in windows and these in parts, wherever they are cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rolewatch.cloudtrail.carve.PART", part)
        patch.setattr("rolewatch.cloudtrail.read.PIECE", piece)
        patch.setattr("rolewatch.cloudtrail.gunzip.PIECE", piece)
        patch.setattr("rolewatch.cloudtrail.gunzip.WHOLE", 100)
        assert_exact([deliver(seed)], request, compress=way[0], in_c=way[1])


def test_the_deliveries_reach_both_paths():
    """The generated deliveries exercise the fast path and the exact one, or the tests above would prove little."""
    taken = Counter(canonical(deliver(seed)) is not None for seed in range(400))
    assert min(taken[True], taken[False]) > 60
