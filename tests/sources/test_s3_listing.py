from datetime import UTC, date, datetime

import pytest

from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import Window, deliveries, deliveries_of, s3_listing
from rolewatch.sources.s3_listing import Listing

MINE, OTHER = "111122223333", "444455556666"
ORGANIZATION = "o-abcdef1234"


def key(day, *, account=MINE, region="us-east-1", kind="CloudTrail", before="", number=1):
    """Spell a key of the layout, for a day of July 2023."""
    name = f"{account}_{kind}_{region}_202307{day:02}T1145Z_{number:016}.json.gz"
    return f"{before}AWSLogs/{account}/{kind}/{region}/2023/07/{day:02}/{name}"


def organised(day, *, account=MINE, region="us-east-1", before=""):
    """Spell a key of an organisation's trail."""
    return key(day, account=account, region=region, before=before).replace(
        "AWSLogs/", f"AWSLogs/{ORGANIZATION}/"
    )


def window(first=None, last=None, *, accounts=(), regions=()):
    """From the first to the last of these days of July 2023, at noon."""
    since, until = (datetime(2023, 7, day, 12, tzinfo=UTC) if day else None for day in (first, last))
    return Window(since, until, frozenset(accounts), frozenset(regions))


def found(bucket, prefix, asked, problems=None):
    """List the keys below a prefix, in their order."""
    listed = deliveries(f"s3://{bucket.name}/{prefix}", asked, problems=[] if problems is None else problems)
    return [delivery.key for delivery in listed]


@pytest.fixture(scope="module")
def filled(make_bucket):
    """Fill a bucket once: five days of two accounts in two regions, with what else lies in such a bucket."""
    bucket = make_bucket("filled")
    for day in range(8, 13):
        for account in (MINE, OTHER):
            for region in ("us-east-1", "eu-west-1"):
                bucket.put(key(day, account=account, region=region))
        bucket.put(key(day, kind="CloudTrail-Digest"), key(day, kind="CloudTrail-Insight"))
    bucket.put("AWSLogs/", "AWSLogs/111122223333/CloudTrail/", body=b"")
    bucket.put(f"AWSLogs/{MINE}/Config/us-east-1/2023/7/10/ConfigHistory/x.json.gz")
    return bucket


@pytest.fixture
def trail(s3, filled):
    """Point the environment to the filled bucket."""
    del s3
    return filled


def test_without_a_filter_the_prefix_is_listed_flat(trail, listings):
    """One listing gives every object; placeholders of folders are left out."""
    keys = found(trail, "AWSLogs/", Window())
    assert (len(keys), listings) == (31, [("AWSLogs/", "")])


def test_a_delivery_tells_where_the_object_is(trail, moto_url):
    """Name, identity and size are the object's."""
    (delivery,) = deliveries(f"s3://{trail.name}/{key(8)}", Window(), problems=[])
    etag = trail.client.head_object(Bucket=trail.name, Key=key(8))["ETag"]
    assert (
        f"s3://{trail.name}/{key(8)}",
        f"{trail.name}/{key(8)}+{etag}",
        True,
        7,
        True,
        moto_url,
    ) == (delivery.name, delivery.identity, delivery.named, delivery.size, delivery.remote, delivery.endpoint)


def test_with_days_only_their_prefixes_are_listed(trail, listings):
    """Levels are found with a delimiter; flat listings are of the days from since to one day after until."""
    asked = window(9, 10, accounts=[MINE], regions=["us-east-1"])
    assert [key(9), key(10), key(11)] == found(trail, "", asked)
    days = f"AWSLogs/{MINE}/CloudTrail/us-east-1/2023/07/"
    assert [
        ("", "/"),
        ("AWSLogs/", "/"),
        (f"AWSLogs/{MINE}/", "/"),
        (f"{days}09/", ""),
        (f"{days}10/", ""),
        (f"{days}11/", ""),
    ] == listings


@pytest.mark.parametrize(
    ("prefix", "requests"),
    [
        ("AWS", 6),
        ("AWSLogs", 6),
        ("AWSLogs/", 5),
        (f"AWSLogs/{MINE}/", 4),
        (f"AWSLogs/{MINE}/CloudTrail/", 3),
        (f"AWSLogs/{MINE}/CloudTrail/us-", 3),
        (f"AWSLogs/{MINE}/CloudTrail/us-east-1/", 3),
        (f"AWSLogs/{MINE}/CloudTrail/us-east-1/2023/", 3),
        (f"AWSLogs/{MINE}/CloudTrail/us-east-1/2023/07", 3),
        (f"AWSLogs/{MINE}/CloudTrail/us-east-1/2023/07/", 3),
    ],
)
def test_the_search_starts_from_the_prefix_that_was_given(trail, listings, prefix, requests):
    """What the prefix says is not asked again; it may end anywhere."""
    asked = window(9, 10, accounts=[MINE], regions=["us-east-1"])
    assert ([key(9), key(10), key(11)], requests) == (found(trail, prefix, asked), len(listings))


def test_a_prefix_that_ends_in_the_middle_of_days_narrows_them(trail, listings):
    """Of the window's days only those with the prefix are listed."""
    asked = window(9, 12)
    prefix = f"AWSLogs/{MINE}/CloudTrail/us-east-1/2023/07/1"
    assert [key(10), key(11), key(12)] == found(trail, prefix, asked)
    assert [(f"{prefix}{digit}/", "") for digit in range(4)] == listings


def test_regions_are_discovered_if_none_is_asked_for(trail):
    """Each region of each account gives its days."""
    expected = [
        key(day, account=account, region=region)
        for account in (MINE, OTHER)
        for region in ("eu-west-1", "us-east-1")
        for day in (11, 12)
    ]
    assert expected == found(trail, "", window(11, 11))


def test_an_account_alone_is_listed_by_kind(trail, listings):
    """Without days, nothing below the kind of file needs to be known; digests and Insights are left out."""
    keys = found(trail, "AWSLogs/", window(accounts=[OTHER]))
    assert (10, {OTHER}) == (len(keys), {found_key.split("/")[1] for found_key in keys})
    assert [("AWSLogs/", "/"), (f"AWSLogs/{OTHER}/", "/"), (f"AWSLogs/{OTHER}/CloudTrail/", "")] == listings


def test_a_region_alone_is_listed_by_region(trail, listings):
    """One flat listing per account."""
    keys = found(trail, "AWSLogs/", window(regions=["eu-west-1"]))
    flat = [prefix for prefix, delimiter in listings if not delimiter]
    assert len(keys) == 10
    assert [f"AWSLogs/{account}/CloudTrail/eu-west-1/" for account in (MINE, OTHER)] == flat


def test_network_activity_is_listed_too(bucket):
    """Its files hold API calls that endpoint policies refused."""
    expected = key(10, kind="CloudTrail-NetworkActivity")
    bucket.put(expected, key(10, kind="CloudTrail-Aggregated"))
    assert [expected] == found(bucket, "", window(10, 10))


def test_an_open_start_lists_the_years_that_are_there(trail, listings):
    """No year before the trail is asked for."""
    asked = window(None, 8, accounts=[MINE], regions=["us-east-1"])
    assert [key(8), key(9)] == found(trail, f"AWSLogs/{MINE}/CloudTrail/", asked)
    place = f"AWSLogs/{MINE}/CloudTrail/us-east-1/"
    months = [f"{place}2023/{month:02}/" for month in range(1, 7)]
    expected = [(place, "/"), *((month, "") for month in months), (f"{place}2023/07/0", "")]
    assert expected == listings


def test_an_open_end_is_one_day_after_today(trail, listings):
    """Days that cannot be there yet are not asked for."""
    place = f"AWSLogs/{MINE}/CloudTrail/us-east-1/"
    listing = Listing(trail.name, place, window(10), [], today=date(2023, 7, 11))
    assert [key(10), key(11), key(12)] == [delivery.key for delivery in listing.deliveries()]
    assert [f"{place}2023/07/{day}/" for day in (10, 11, 12)] == [prefix for prefix, _ in listings]


@pytest.mark.parametrize("before", ["", "team/", "deep/er/and/deeper/"])
def test_an_organisation_trail_below_any_prefix_is_found(bucket, listings, before):
    """The organisation's folder lies between AWSLogs and the accounts."""
    bucket.put(
        *(organised(day, account=account, before=before) for day in (9, 10, 11) for account in (MINE, OTHER))
    )
    bucket.put(key(10, account=OTHER, before=before))
    asked = window(10, 10, accounts=[OTHER], regions=["us-east-1"])
    expected = [key(10, account=OTHER, before=before)]
    expected += [organised(day, account=OTHER, before=before) for day in (10, 11)]
    assert sorted(expected) == sorted(found(bucket, "", asked))
    assert all("/2023/07/1" in prefix for prefix, delimiter in listings if not delimiter)


def test_accounts_of_an_organisation_are_not_listed_if_they_are_named(bucket, listings):
    """A thousand other accounts cost nothing."""
    bucket.put(*(organised(10, account=f"{n:012}") for n in range(20)))
    keys = found(bucket, f"AWSLogs/{ORGANIZATION}/", window(10, 10, accounts=["000000000007"]))
    assert [organised(10, account="000000000007")] == keys
    assert f"AWSLogs/{ORGANIZATION}/" not in [prefix for prefix, _ in listings]


def test_folders_outside_of_the_layout_are_read_whole(bucket):
    """Nothing tells their days: all objects are given, those of the layout only if they match."""
    bucket.put("firehose/2023/07/10/11/a.gz", "firehose/2023/07/10/12/b.gz", "top.json", key(3), key(10))
    bucket.put(key(3).rpartition("/")[2], f"flat/{key(10).rpartition('/')[2]}")
    asked = window(10, 10)
    expected = ["top.json", key(10), "firehose/2023/07/10/11/a.gz", "firehose/2023/07/10/12/b.gz"]
    assert sorted([*expected, f"flat/{key(10).rpartition('/')[2]}"]) == sorted(found(bucket, "", asked))


def test_looking_for_the_layout_ends_where_it_costs_too_much(bucket, listings, monkeypatch):
    """Beyond a number of probes folders are listed flat, and the answer is the same."""
    monkeypatch.setattr(s3_listing, "PROBES", 3)
    keys = [f"data/{n:02}/x.json" for n in range(10)]
    bucket.put("data/top.json", *keys, key(10), key(3))
    assert sorted([*keys, "data/top.json", key(10)]) == sorted(found(bucket, "", window(10, 10)))
    assert [listed for listed in listings if not listed[1] and listed[0].startswith("data/")] == [
        ("data/", "")
    ]


def test_an_object_that_was_named_is_given_whatever_the_window(trail):
    """It is never skipped silently."""
    (delivery,) = deliveries(f"s3://{trail.name}/{key(8)}", window(12, 12), problems=[])
    assert (key(8), True) == (delivery.key, delivery.named)


def test_prefixes_that_overlap_give_each_object_once(trail):
    """The longer prefix lists its own, so that a named object is named."""
    root = f"s3://{trail.name}"
    sources = [
        f"{root}/AWSLogs/{MINE}/CloudTrail/",
        f"{root}/AWSLogs/{MINE}/",
        f"{root}/{key(8)}",
        root,
        f"{root}/",
    ]
    listed = list(deliveries_of(sources, Window(), []))
    assert (len(listed), len({delivery.identity for delivery in listed})) == (31, 31)
    assert [key(8)] == [delivery.key for delivery in listed if delivery.named]


@pytest.mark.parametrize(
    "asked", [Window(), window(10, 10), window(10, 10, accounts=[MINE], regions=["us-east-1"])]
)
@pytest.mark.parametrize("prefix", ["nothing/", f"AWSLogs/{MINE}/CloudTrail/us-west-2/2023/07/10/"])
def test_a_prefix_that_no_object_has_is_a_source_that_does_not_exist(trail, prefix, asked):
    """A mistyped prefix must not look like a clean result."""
    with pytest.raises(SourceError) as caught:
        found(trail, prefix, asked)
    assert f"s3://{trail.name}/{prefix}: no object has this prefix" == caught.value.message


def test_a_window_without_objects_is_no_error(trail):
    """The prefix is there, the days are not."""
    assert found(trail, f"AWSLogs/{MINE}/CloudTrail/us-east-1/", window(20, 21)) == []


def test_an_empty_bucket_has_nothing_to_read(bucket):
    """It exists, so it is no mistake."""
    assert found(bucket, "", Window()) == []


@pytest.mark.parametrize("asked", [Window(), window(10, 10)])
def test_a_bucket_that_does_not_exist_is_a_source_that_does_not_exist(bucket, asked):
    """Exit status 2, with the bucket's name."""
    del bucket
    with pytest.raises(SourceError) as caught:
        list(deliveries("s3://no-such-bucket/x", asked, problems=[]))
    assert (caught.value.message, caught.value.exit_code) == ("s3://no-such-bucket: no such bucket", 2)


def test_a_name_that_no_bucket_can_have_is_refused(bucket):
    """boto3 refuses to ask for it."""
    del bucket
    with pytest.raises(SourceError, match="s3://Not A Bucket: not a name that a bucket can have"):
        list(deliveries("s3://Not A Bucket/x", Window(), problems=[]))


def test_without_credentials_nothing_can_be_listed(bucket, monkeypatch):
    """Exit status 4, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CannotDo, match=r"cannot list s3://.*credentials") as caught:
        found(bucket, "", Window())
    assert "AWS_PROFILE" in caught.value.remedy


def refusal(code):
    """Spell an answer of S3 that refuses."""
    return f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode()


def page(*keys, more=False):
    """Spell an answer of S3 with these keys."""
    contents = "".join(f"<Contents><Key>{name}</Key><Size>1</Size><ETag>e</ETag></Contents>" for name in keys)
    following = (
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" if more else ""
    )
    return f"<ListBucketResult>{contents}{following}</ListBucketResult>".encode()


def test_a_refused_listing_says_what_s3_said(server, monkeypatch):
    """Exit status 4: it is a question of credentials."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    server.answer = lambda *_: (403, refusal("AccessDenied"))
    with pytest.raises(CannotDo) as caught:
        list(deliveries("s3://bucket/x", Window(), problems=[]))
    assert (
        caught.value.message,
        caught.value.exit_code,
    ) == ("cannot list s3://bucket/x: AccessDenied: because", 4)


def test_work_starts_while_the_listing_runs(server, monkeypatch):
    """The first page's objects come before the second page is asked for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    answers = iter([(200, page("a.json", more=True)), (200, page("b.json"))])
    server.answer = lambda *_: next(answers)
    listed = deliveries("s3://bucket", Window(), problems=[])
    assert (next(listed).key, len(server.requests)) == ("a.json", 1)
    assert (next(listed).key, len(server.requests)) == ("b.json", 2)
    assert "continuation-token=t" in server.requests[1][1]


def test_a_listing_that_breaks_off_is_a_problem(server, monkeypatch):
    """What was listed before is read all the same."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    answers = iter([(200, page("a.json", more=True)), (403, refusal("ExpiredToken"))])
    server.answer = lambda *_: next(answers)
    problems = []
    assert [delivery.key for delivery in deliveries("s3://bucket", Window(), problems=problems)] == ["a.json"]
    assert problems == [("s3://bucket/", "listing stopped: ExpiredToken: because")]


def test_a_prefix_that_is_denied_does_not_hide_the_others(server, monkeypatch):
    """A bucket policy may open one account's folder only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    kind = "AWSLogs/111122223333/CloudTrail/"

    def answer(_method, path, _body):
        if "us-east-1" in path and "delimiter" not in path:
            return 403, refusal("AccessDenied")
        return 200, page(f"{kind}eu-west-1/2023/07/10/x.json.gz") if "eu-west-1" in path else page()

    server.answer = answer
    problems = []
    asked = window(10, 10, regions=["us-east-1", "eu-west-1"])
    keys = [delivery.key for delivery in deliveries(f"s3://bucket/{kind}", asked, problems=problems)]
    assert {f"{kind}eu-west-1/2023/07/10/x.json.gz"} == set(keys)
    assert [
        (f"s3://bucket/{kind}us-east-1/2023/07/{day}/", "listing stopped: AccessDenied: because")
        for day in (10, 11)
    ] == problems
