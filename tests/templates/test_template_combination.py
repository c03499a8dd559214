"""Several templates as one."""

from template_texts import FILTER, alarm, template

from rolewatch.templates import combined, read_template
from rolewatch.templates.definitions import Template


def test_combined():
    """Everything of all templates is there; a name that is taken already is an error at the second place."""
    first = read_template(template(A=alarm(AlarmName="n"), F=FILTER), "a.yaml")
    second = read_template(template(B=alarm(), N=alarm(AlarmName="n"), X="Type: AWS::X::Y\n"), "b.yaml")
    found = combined([first, second])
    assert [each.name for each in found.alarms] == ["n", "stack-B"]
    assert [each.name for each in found.filters] == ["stack-F"]
    assert [(str(notice.place), notice.level, notice.message) for notice in found.notices] == [
        ("b.yaml:23:3", "unused", "AWS::X::Y is not used here: X"),
        ("b.yaml:12:3", "error", "the alarm n already exists, defined in a.yaml:2:3; this one is left out"),
    ]


def test_the_same_twice():
    """A template given twice defines everything twice."""
    text = template(A=alarm(), T="Type: AWS::SNS::Topic\n", F=FILTER)
    found = combined([read_template(text, "a.yaml"), read_template(text, "a.yaml")])
    assert [notice.level for notice in found.notices] == ["error"] * 3
    assert (len(found.alarms), len(found.topics), len(found.filters)) == (1, 1, 1)


def test_nothing():
    """No templates are an empty one."""
    assert combined([]) == Template()


def test_alarms_that_are_left_out():
    """Those of all templates are known, with what is wrong."""
    refused = read_template(template(A=alarm(Period=45, AlarmName="a"), Good=alarm()), "a.yaml")
    topic = "Type: AWS::SNS::Topic\nProperties: 1\n"
    nameless = read_template(template(B=alarm(AlarmName="!Ref Nowhere"), T=topic), "b.yaml")
    found = combined([refused, nameless])
    assert [(each.logical_id, each.name) for each in found.left_out] == [("A", "a"), ("B", "B")]
    assert [each.notice for each in found.left_out] == list(found.notices[:2])


def test_arns():
    """Alarms have the ARNs of the first template that tells where it is deployed."""
    unknown = read_template(b'{"metricFilters": []}', "f.json")
    here = read_template(template(A=alarm()), "a.yaml", account="111122223333", region="cn-north-1")
    assert combined([unknown, here, read_template(template(B=alarm()), "b.yaml")]).arn_prefix == (
        "arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:"
    )
