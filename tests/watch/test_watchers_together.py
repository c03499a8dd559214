"""Several watchers of one PostgreSQL: each denial counts once, each finding is told once."""

from datetime import timedelta

from givers import Given
from stories import Story, call

from rolewatch.store import deliveries


def test_two_watchers_of_one_database(tmp_path, postgres):
    """Watchers that get the same deliveries at once count each denial once, and tell once."""
    story = Story(postgres.database(), tmp_path)
    story.begin()
    story.now += timedelta(hours=1)
    listed = [story.delivery(call(n, f"b{n % 5}", denied=True), call(n, "x")) for n in range(60)]
    sources = [Given(listed, 3), Given(listed[::-1], 4)]
    story.together(*sources)
    assert sum(finding["denials"] for finding in story.findings.values()) == 60
    told = [name for _, *names in story.told for name in names]
    assert sorted(told) == [f"b{n}" for n in range(5)]
    assert story.state.read(deliveries.counters)["denials"] == 60
    for source in sources:
        assert len(source.acknowledged) == 60
    story.close()


def test_two_watchers_that_find_the_same_resource_first(tmp_path, postgres):
    """Copies of calls across accounts, taken by two watchers at once, add up in one finding."""
    story = Story(postgres.database(), tmp_path)
    story.begin()
    story.now += timedelta(hours=1)
    accounts = ("222233334444", "333344445555")
    parts = [
        [story.delivery(call(n, f"b{n}", denied=True, recipientAccountId=account)) for n in range(30)]
        for account in accounts
    ]
    sources = [Given(part, 1, word=account) for part, account in zip(parts, accounts, strict=True)]
    story.together(*sources)
    assert {name: finding["denials"] for name, finding in story.findings.items()} == {
        f"b{n}": 2 for n in range(30)
    }
    assert sorted(name for _, *names in story.told for name in names) == sorted(f"b{n}" for n in range(30))
    story.close()
