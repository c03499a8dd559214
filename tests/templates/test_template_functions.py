"""CloudFormation's functions: what they give, and what is said where they cannot give anything."""

import pytest
from template_texts import alarm, read, refused, resolved, template, told

from rolewatch.templates import TemplateError

HEAD = """\
Parameters:
  Env: {Type: String, Default: prod}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Secret: {Type: String, Default: hunter2, NoEcho: true}
Mappings:
  Accounts:
    us-east-1: {name: virginia, list: [x, y]}
    "123456789012": {name: mine}
    Bad: {name: !Ref Env}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Not [Condition: IsProd]
  Both: !And [!Condition IsProd, !Condition IsDev]
  One: !Or [!Condition IsProd, !Condition IsDev]
  Deep: {"Fn::And": [{"Fn::Equals": [1, "1"]}, {"Condition": "One"}]}
"""
REST = """\
  Topic: {Type: AWS::SNS::Topic}
  Named: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${Env}-topic"}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/trail}}
  Other: {Type: AWS::CloudWatch::CompositeAlarm, Properties: {AlarmName: other, AlarmRule: 'TRUE'}}
  Queue: {Type: AWS::SQS::Queue}
  Bucket: {Type: AWS::S3::Bucket}
  Thing: {Type: AWS::Made::Up}
  Off: {Type: AWS::SNS::Topic, Condition: IsDev}
"""
GIVES = [
    ("!Ref Env", "prod"),
    ("{Ref: Env}", "prod"),
    ("!Ref AWS::Region", "us-east-1"),
    ("!Ref AWS::AccountId", "123456789012"),
    ("!Ref AWS::Partition", "aws"),
    ("!Ref AWS::StackName", "stack"),
    ("!Ref AWS::URLSuffix", "amazonaws.com"),
    ("!Ref AWS::StackId", "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/00000000-0000-0000-0000-000000000000"),
    ("!Ref AWS::NoValue", "stack-A"),
    ("!Ref Topic", "arn:aws:sns:us-east-1:123456789012:stack-Topic"),
    ("!Ref Named", "arn:aws:sns:us-east-1:123456789012:prod-topic"),
    ("!GetAtt Named.TopicName", "prod-topic"),
    ("!GetAtt Named.TopicArn", "arn:aws:sns:us-east-1:123456789012:prod-topic"),
    ("!Ref Group", "/aws/trail"),
    ("!GetAtt Group.Arn", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/trail:*"),
    ("!GetAtt Other.Arn", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:other"),
    ("!Ref Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/stack-Queue"),
    ("!GetAtt [Bucket, Arn]", "arn:aws:s3:::stack-Bucket"),
    ("!Ref Thing", "stack-Thing"),
    ("!GetAtt Thing.Arn", "arn:aws:made:us-east-1:123456789012:stack-Thing"),
    ("!GetAtt Thing.Outputs.X", "stack-Thing.Outputs.X"),
    ("!Sub '${Env}-${AWS::Region}-${!Env}-$x'", "prod-us-east-1-${Env}-$x"),
    ("!Sub '${Other}/${Other.Arn}'", "other/arn:aws:cloudwatch:us-east-1:123456789012:alarm:other"),
    ("!Sub ['${a}${Env}', {a: !Join ['', [x, y]]}]", "xyprod"),
    ("!Sub 'n${Names}'", "na,b,c"),
    ('{"Fn::Sub": "plain"}', "plain"),
    ("!Join ['-', [a, !Ref Env, !Ref AWS::NoValue, b]]", "a-prod-b"),
    ("!Join [':', !Ref Names]", "a:b:c"),
    ("!Join ['+', !Split ['/', a/b//c]]", "a+b++c"),
    ("!Select [1, !Ref Names]", "b"),
    ("!Select ['2', [x, y, z]]", "z"),
    ("!Select [1, !GetAZs '']", "us-east-1b"),
    ("!Select [0, !GetAZs {Ref: AWS::Region}]", "us-east-1a"),
    ("!If [IsProd, yes-it-is, no]", "yes-it-is"),
    ("!If [IsDev, x, !Ref AWS::NoValue]", "stack-A"),
    ("!If [Both, x, y]", "y"),
    ("!If [One, x, y]", "x"),
    ("!If [Deep, x, y]", "x"),
    ("!If [IsDev, !Ref Nowhere, fine]", "fine"),
    ("!FindInMap [Accounts, !Ref AWS::Region, name]", "virginia"),
    ("!FindInMap [Accounts, !Ref AWS::AccountId, name]", "mine"),
    ("!Select [1, !FindInMap [Accounts, us-east-1, list]]", "y"),
    ("!FindInMap [Accounts, nowhere, name, {DefaultValue: !Ref Env}]", "prod"),
    ("!Base64 abc", "YWJj"),
    ("!Select [2, !Cidr [10.0.0.0/16, 3, 8]]", "10.0.2.0/24"),
    ("!Select [1, !Cidr ['fd00::/56', 2, 64]]", "fd00:0:0:1::/64"),
    ("{'Fn::Join': ['', [n, {'Fn::Length': {Ref: Names}}]]}", "n3"),
    ("!ImportValue shared-name", "imported"),
    ("!ImportValue {'Fn::Sub': 'shared-${Env}'}", "by-sub"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "result"), GIVES, ids=[row[0] for row in GIVES])
def test_gives(value, result):
    """A function gives what CloudFormation gives, in its short and in its long form."""
    imports = {"shared-name": "imported", "shared-prod": "by-sub"}
    assert resolved(value, HEAD, REST, imports=imports) == result


REFUSED = [
    ("!Ref Nowhere", "Template format error: Unresolved resource dependencies [Nowhere] in the Resources block of the template; there is no such parameter or resource"),
    ("!GetAtt Nowhere.Arn", "Template format error: Unresolved resource dependencies [Nowhere] in the Resources block of the template; there is no such parameter or resource"),
    ("!Ref Off", "Template format error: Unresolved resource dependencies [Off] in the Resources block of the template; the condition IsDev is false"),
    ("!Ref [a]", "Ref takes a name, this is a list"),
    ("!GetAtt Topic", "Template error: Fn::GetAtt takes Resource.Attribute"),
    ("!Sub '${a b}'", "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons: 'a b' (write ${!name} for a dollar sign and braces)"),
    ("!Sub [x]", "Template error: Fn::Sub takes a list of 2 arguments, this is 1"),
    ("!Sub [x, y]", "Template error: Fn::Sub takes a mapping of variables, this is a text"),
    ("!Sub {a: b}", "Template error: Fn::Sub takes a text, this is a mapping"),
    ("!Sub '${AWS::NoValue}'", "Template error: AWS::NoValue is no text that Fn::Sub could use"),
    ("!Join ['-', x]", "Template error: Fn::Join takes a list here, this is a text"),
    ("!Join ['-', [[x]]]", "Template error: Fn::Join takes a list of texts, this is a list"),
    ("!Join ['-']", "Template error: Fn::Join takes a list of 2 arguments, this is 1"),
    ("!Select [3, !Ref Names]", "Template error: Fn::Select cannot select nonexistent value at index 3"),
    ("!Select [-1, [a]]", "Template error: Fn::Select cannot select nonexistent value at index -1"),
    ("!Select [x, [a]]", "Template error: Fn::Select cannot select nonexistent value at index x"),
    ("!Split ['', abc]", "Template error: Fn::Split takes a delimiter that is not empty"),
    ("!If [Nowhere, a, b]", "Template format error: Unresolved condition dependency Nowhere in the Resources block of the template (define it under Conditions)"),
    ("!If [IsProd, a]", "Template error: Fn::If takes a list of 3 arguments, this is 2"),
    ("!FindInMap [Accounts, x, y]", "Template error: Unable to get mapping for Accounts::x::y"),
    ("!FindInMap [Accounts, us-east-1]", "Template error: Fn::FindInMap takes a list of 3 or 4 arguments, this is 2"),
    ("!FindInMap [Accounts, Bad, name]", "Template format error: every Mappings attribute must be a String or a List"),
    ("!Cidr [10.0.0.0/24, 2, 8]", "Template error: Fn::Cidr: 10.0.0.0/24 has 1 blocks of that size"),
    ("!Cidr [x, 2, 8]", "Template error: Fn::Cidr: 'x' does not appear to be an IPv4 or IPv6 network"),
    ("!Cidr [10.0.0.0/8, 257, 8]", "Template error: Fn::Cidr: 10.0.0.0/8 has 256 blocks of that size"),
    ("!ImportValue nowhere", "No export named nowhere found (give --import nowhere=VALUE)"),
    ("!Equals [a, b]", "Fn::Equals is no function of CloudFormation that can be used here"),
    ("!Foo x", "Fn::Foo is no function of CloudFormation that can be used here"),
    ("!Transform {Name: AWS::Include}", "Fn::Transform is not supported: macros and AWS::Include are not run"),
    ("{'Fn::ToJsonString': {a: b}}", "Fn::ToJsonString is not supported: AWS::LanguageExtensions is not supported"),
    ("!Sub '{{resolve:ssm:/name}}'", "dynamic references ({{resolve:…}}) are not supported: nothing is looked up"),
    ("'{{resolve:ssm:/name}}'", "dynamic references ({{resolve:…}}) are not supported: nothing is looked up"),
    ("null", "'null' values are not allowed in templates (leave the property out)"),
    ("[a]", "Value of property AlarmName must be of type String"),
    ("!Select [!Ref Secret, [a]]", "Template error: Fn::Select cannot select nonexistent value at index ****"),
    ("!Select [!Sub 'x${Secret}', [a]]", "Template error: Fn::Select cannot select nonexistent value at index ****"),
    ("!Select [!Join ['', [!Ref Secret]], [a]]", "Template error: Fn::Select cannot select nonexistent value at index ****"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(value, message):
    """What a function cannot do is said in CloudFormation's words, and what is secret is not said."""
    assert refused(value, HEAD, REST) == message


def test_one_resource_only():
    """What cannot be resolved leaves out its own resource, with the place; the others go on."""
    found = read(template(A=alarm(AlarmName="!ImportValue x"), B=alarm()))
    assert [each.logical_id for each in found.alarms] == ["B"]
    assert told(found) == [(12, 18, "No export named x found (give --import x=VALUE)")]


def test_actions_are_only_shown():
    """An action that cannot be told is a warning: the alarm can be evaluated without it."""
    found = read(template(A=alarm(AlarmActions="[!ImportValue topic, 'arn:x']")))
    assert found.alarms[0].actions.alarm == ("arn:x",)
    assert told(found, "warning") == [(12, 22, "No export named topic found (give --import topic=VALUE)")]


def test_other_partitions():
    """Account, Region and stack decide on partitions, hosts and names."""
    options = {"account": "210987654321", "region": "cn-north-1", "stack": "s"}
    assert resolved("!Ref Topic", HEAD, REST, **options) == "arn:aws-cn:sns:cn-north-1:210987654321:s-Topic"
    assert (
        resolved("!Ref Queue", HEAD, REST, **options)
        == "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/s-Queue"
    )
    assert resolved("!Ref AWS::Partition", region="us-gov-west-1") == "aws-us-gov"


CONDITIONS = [
    ("!Foo [a]", "Template error: Fn::Foo is none of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition"),
    ("text", "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition, this is a text"),
    ("!Equals [a]", "Template error: Fn::Equals takes a list of 2"),
    ("!And [!Equals [a, a]]", "Template error: Fn::And takes a list of 2 to 10"),
    ("!Condition [a]", "Condition takes a condition's name, this is a list"),
    ("!Condition Nowhere", "Template format error: Unresolved condition dependency Nowhere in the Conditions block of the template (define it under Conditions)"),
    ("!Equals [!Ref A, a]", "Circular dependency in the condition C"),
    ("!Equals [!Ref Nowhere, a]", "Template format error: Unresolved resource dependencies [Nowhere] in the Conditions block of the template; there is no such parameter or resource"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "message"), CONDITIONS)
def test_conditions_that_cannot_be_decided(condition, message):
    """A resource whose condition cannot be decided is left out, and told."""
    text = template(f"Conditions:\n  C: {condition}\n", A=alarm() + "Condition: C\n", B=alarm())
    found = read(text)
    assert [each.logical_id for each in found.alarms] == ["B"]
    assert [message for _, _, message in told(found)] == [message]


CONDITION_CIRCLES = [
    ("  C: !Not [!Condition C]\n", (2, 3), "C and C"),
    ("  X: !Equals [a, b]\n  A: !And [!Condition X, !Not [Condition: B]]\n  B: !Or [!Condition X, !Condition A]\n", (3, 3), "A and B"),
    ("  A: !Not [!Condition B]\n  B: !Not [!Condition C]\n  C: !Not [!Condition B]\n", (3, 3), "B and C"),
    ("  A: !Not [!Condition C]\n  B: !Not [!Condition A]\n  C: !Not [!Condition B]\n", (2, 3), "A and C and B"),
]  # fmt: skip


@pytest.mark.parametrize(("conditions", "place", "names"), CONDITION_CIRCLES)
def test_circles_of_conditions(conditions, place, names):
    """Conditions that depend on each other make the template useless, even if no resource has one."""
    with pytest.raises(TemplateError) as caught:
        read(template(f"Conditions:\n{conditions}", A=alarm()))
    assert caught.value.text == f"Template error: Found circular condition dependency between {names}"
    assert (caught.value.place.line, caught.value.place.column) == place


def test_resources_under_a_false_condition():
    """They are left out without a word."""
    head = "Conditions:\n  No: !Equals [a, b]\n  Yes: !Equals [a, a]\n"
    found = read(template(head, A=alarm() + "Condition: No\n", B=alarm() + "Condition: Yes\n"))
    assert [each.logical_id for each in found.alarms] == ["B"]
    assert found.notices == ()


CIRCLES = [
    ({"A": alarm(AlarmDescription="!Ref B"), "B": alarm(AlarmDescription="!Sub '${A.Arn}'")}, "[A, B]", 2),
    ({"A": alarm(AlarmName="!Ref A")}, "[A]", 2),
    ({"A": alarm(), "B": alarm() + "DependsOn: [A, C]\n", "C": alarm(AlarmName="!GetAtt B.Arn")}, "[B, C]", 12),
    ({"A": alarm(AlarmName="!GetAtt [B, Arn]"), "B": "Type: AWS::Made::Up\nDependsOn: A\n"}, "[A, B]", 2),
]  # fmt: skip


@pytest.mark.parametrize(("resources", "names", "line"), CIRCLES)
def test_circles(resources, names, line):
    """Resources that depend on each other in a circle make the template useless, as for CloudFormation."""
    with pytest.raises(TemplateError, match=r"Circular dependency between resources") as caught:
        read(template(**resources))
    assert caught.value.text == f"Circular dependency between resources: {names}"
    assert (caught.value.place.line, caught.value.place.column) == (line, 3)


def test_own_variables_are_no_circle():
    """A variable of Fn::Sub that is called like a resource is no reference to it."""
    text = template(A=alarm(AlarmDescription="!Sub ['${B}', {B: x}]"), B=alarm(AlarmDescription="!Ref A"))
    assert [each.description for each in read(text).alarms] == ["x", "stack-A"]


def test_long_chains():
    """A thousand resources that each depend on the next are no circle, and no trouble."""
    chain = {f"A{number}": alarm() + f"DependsOn: A{number + 1}\n" for number in range(1000)}
    assert len(read(template(**chain, A1000=alarm())).alarms) == 1001


def test_text_that_doubles():
    """Texts in texts that double for ever are stopped."""
    value = "x" * 100
    for _ in range(30):
        value = f"!Sub ['${{a}}${{a}}', {{a: {value}}}]"
    assert refused(value) == "Fn::Sub makes a text of more than 200,000 characters"


def test_much_text():
    """Much text made many times is stopped, too."""
    head = f"Parameters:\n  P: {{Type: String, Default: {'x' * 1000}}}\n"
    many = ", ".join(["!Sub '" + "${P}" * 190 + "'"] * 300)
    assert refused(f"!Join ['', [{many}]]", head) == "the template's functions make too much text"
