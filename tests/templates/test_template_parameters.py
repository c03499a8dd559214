"""Parameters: defaults, given values, and the rules that they have to keep."""

import pytest
from template_texts import alarm, read, resolved, template, told

from rolewatch.templates import TemplateError


def head(rules):
    """Write a template with one parameter."""
    return f"Parameters:\n  P:\n    {rules}\n"


VALUES = [
    ("{Type: String, Default: a}", {}, "a"),
    ("{Type: String, Default: a}", {"P": "b"}, "b"),
    ("{Type: String}", {"P": "b"}, "b"),
    ("{Type: Number, Default: 5}", {}, "5"),
    ("{Type: Number, MinValue: 1, MaxValue: 10}", {"P": "10"}, "10"),
    ("{Type: String, AllowedValues: [a, b]}", {"P": "b"}, "b"),
    ("{Type: String, AllowedValues: [true, 1]}", {"P": "1"}, "1"),
    ("{Type: String, AllowedPattern: '[a-z]+', MinLength: 2, MaxLength: 3}", {"P": "abc"}, "abc"),
    ("{Type: AWS::SSM::Parameter::Value<String>, Default: /name}", {"P": "value"}, "value"),
    ("{Type: AWS::EC2::VPC::Id}", {"P": "vpc-1"}, "vpc-1"),
]


@pytest.mark.parametrize(("rules", "given", "value"), VALUES)
def test_values(rules, given, value):
    """A given value goes before the default."""
    assert resolved("!Ref P", head(rules), parameters=given) == value


@pytest.mark.parametrize(
    "type_",
    ["CommaDelimitedList", "List<Number>", "List<AWS::EC2::Subnet::Id>", "AWS::SSM::Parameter::Value<List<String>>"],
)  # fmt: skip
def test_lists(type_):
    """A list is cut at its commas."""
    value = resolved("!Join ['+', !Ref P]", head(f"{{Type: '{type_}'}}"), parameters={"P": "1, 2,3"})
    assert value == "1+2+3"


WRONG = [
    ("{Type: Number, Default: abc}", {}, "Parameter 'P' must be a number", 3, 29),
    ("{Type: Number, MinValue: 5}", {"P": "4"}, "Parameter 'P' must be a number not less than 5", 2, 3),
    ("{Type: Number, MaxValue: 5}", {"P": "6"}, "Parameter 'P' must be a number not greater than 5", 2, 3),
    ("{Type: List<Number>}", {"P": "1,x"}, "Parameter 'P' must be a number", 2, 3),
    ("{Type: String, AllowedValues: [a, b]}", {"P": "c"}, "Parameter 'P' must be one of AllowedValues: a, b", 2, 3),
    ("{Type: String, Default: c, AllowedValues: [a, b]}", {}, "Parameter 'P' must be one of AllowedValues: a, b", 3, 29),
    ("{Type: String, MinLength: 2}", {"P": "a"}, "Parameter 'P' must contain at least 2 characters", 2, 3),
    ("{Type: String, MaxLength: 2}", {"P": "abc"}, "Parameter 'P' must contain at most 2 characters", 2, 3),
    ("{Type: String, AllowedPattern: '[a-z]+'}", {"P": "a1"}, "Parameter 'P' must match pattern [a-z]+", 2, 3),
    ("{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: letters only}", {"P": "1"}, "Parameter P failed to satisfy constraint: letters only", 2, 3),
    ("{Type: String, Default: [a]}", {}, "every Default member must be a string", 3, 29),
    ("{Type: String, MinLength: x}", {"P": "a"}, "MinLength has to be a number", 3, 20),
    ("{Type: [a]}", {}, "Type has to be a text, this is a list", 3, 12),
    ("text", {}, "Template format error: every Parameters object must contain a Type member; P is a text", 2, 3),
    ("{Type: String, Default: a}", {"Q": "a"}, "Parameters: [Q] do not exist in the template", 2, 3),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "given", "text", "line", "column"), WRONG)
def test_wrong(rules, given, text, line, column):
    """A value that does not fit is an error of the whole template, at the default or at the parameter."""
    with pytest.raises(TemplateError) as caught:
        read(template(head(rules), A=alarm()), parameters=given)
    assert (caught.value.text, caught.value.place.line, caught.value.place.column) == (text, line, column)


def test_unknown_parameter_has_a_suggestion():
    """A given value for no parameter is an error that says which one may have been meant."""
    with pytest.raises(TemplateError) as caught:
        read(template("Parameters:\n  Stage: {Type: String}\n", A=alarm()), parameters={"Stag": "prod"})
    assert caught.value.remedy == "did you mean --parameter Stage=prod?"
    with pytest.raises(TemplateError) as caught:
        read(template(A=alarm()), parameters={"Stag": "prod"})
    assert caught.value.remedy == "the template has no parameters"


def test_secrets_are_not_told():
    """The value of a parameter with NoEcho does not stand in a message."""
    head_ = "Parameters:\n  P: {Type: String, NoEcho: true}\n"
    found = read(template(head_, A=alarm(Period="!Ref P")), parameters={"P": "hunter2"})
    assert told(found) == [(10, 15, "Value of property Period must be of type Integer, '****' is none")]
    with pytest.raises(TemplateError) as caught:
        read(template(head_, A=alarm()), parameters={"PP": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_missing_values():
    """All parameters that are needed and have no value are one error with what to type."""
    text = "Parameters:\n  One: {Type: String}\n  Two: {Type: Number}\n  Three: {Type: String}\n"
    written = template(
        text, A=alarm(Period="!Ref Two"), B=alarm(AlarmName="!Sub '${One}'", Period="!Ref Two")
    )
    with pytest.raises(TemplateError) as caught:
        read(written)
    assert str(caught.value) == (
        "t.yaml:3:3: Parameters: [Two, One] must have values (give --parameter Two=VALUE --parameter One=VALUE)"
    )


MISSING = [
    ("{Type: String}", "Parameters: [P] must have values; it has no default"),
    ("{Type: AWS::SSM::Parameter::Value<String>, Default: /x}", "Parameters: [P] must have values; its value is in Systems Manager, where nothing is looked up"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "text"), MISSING)
@pytest.mark.parametrize("where", ["Period", "AlarmActions"])
def test_missing_value(rules, text, where):
    """One that is needed anywhere, also for an action, is named with the remedy."""
    value = "[!Ref P]" if where == "AlarmActions" else "!Ref P"
    with pytest.raises(TemplateError) as caught:
        read(template(head(rules), A=alarm(**{where: value})))
    assert (caught.value.text, caught.value.remedy) == (text, "give --parameter P=VALUE")


def test_a_parameter_that_nothing_needs():
    """It needs no value."""
    assert read(
        template(head("{Type: String}"), A=alarm(), B="Type: AWS::X::Y\nProperties: {a: !Ref P}\n")
    ).alarms


def test_patterns_that_re2_does_not_know():
    """An AllowedPattern beyond RE2 is not checked, and that is said."""
    found = read(
        template(head(r"{Type: String, AllowedPattern: '(?=x).*'}"), A=alarm()), parameters={"P": "a"}
    )
    assert told(found, "warning") == [
        (3, 20, "AllowedPattern of P is not checked: RE2 does not know this expression")
    ]


def test_missing_values_of_one_resource():
    """All that one resource needs are told at once, lists among them, and nothing that follows from them."""
    text = "Parameters:\n  Name: {Type: String}\n  Topics: {Type: CommaDelimitedList}\n"
    with pytest.raises(TemplateError) as caught:
        read(template(text, A=alarm(AlarmName="!Ref Name", AlarmActions="!Ref Topics")))
    assert caught.value.remedy == "give --parameter Name=VALUE --parameter Topics=VALUE"
