"""What each function is worth, in YAML's short form, its long form, and JSON."""

import json

import pytest

from tests.unit.sources.cloudformation.templates import (
    ACCOUNT,
    PARTITION,
    REGION,
    ROLE,
    only_key,
    plain,
    principals,
    stated,
    template,
    text,
    unknown,
    value_of,
)

PARAMETERS = """\
Parameters:
  Partner: {Type: String}
  Known: {Type: String, Default: "444455556666"}
  Secret: {Type: String, NoEcho: true, Default: "444455556666"}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /accounts/partner}
  Several: {Type: CommaDelimitedList, Default: "444455556666, 777788889999"}
  Number: {Type: Number, Default: 444455556666}
Mappings:
  Accounts:
    prod: {Id: "444455556666", Same: "1"}
    dev: {Id: "777788889999", Same: "1"}
  Regions:
    eu-central-1: {Id: "444455556666"}
    us-east-1: {Id: "777788889999"}
"""
RESOURCES = """\
Plain: {Type: AWS::IAM::Role}
Named: {Type: AWS::IAM::Role, Properties: {RoleName: app, Path: /team/}}
Person: {Type: AWS::IAM::User, Properties: {UserName: !Ref Known}}
Loop: {Type: AWS::IAM::Role, Properties: {RoleName: !Ref Loop}}
Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
Job: {Type: AWS::Serverless::Function}
"""
OWN = ("arn:", PARTITION, ":iam::", ACCOUNT)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref AWS::AccountId", text(ACCOUNT)),
        ("!Ref Partner", unknown("Partner")),
        ("!Ref Known", "444455556666"),
        ("!Ref Number", "444455556666"),
        ("!Ref Secret", unknown("Secret")),
        ("!Ref Stored", unknown("Stored")),
        ("!Ref Several", ["444455556666", "777788889999"]),
        ("!Ref Nowhere", unknown("Nowhere")),
        ("!Ref AWS::StackName", unknown("AWS::StackName")),
        ("!Ref Named", "app"),
        ("!Ref Plain", unknown("Plain")),
        ("!Ref Loop", unknown("Loop")),
        ('!Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"', text(*OWN, ":root")),
        ('!Sub "arn:aws:iam::${Known}:root"', "arn:aws:iam::444455556666:root"),
        ('!Sub "arn:aws:iam::${ Partner }:root"', text("arn:aws:iam::", unknown("Partner").parts[0], ":root")),
        ('!Sub ["arn:aws:iam::${Who}:root", {Who: !Ref Known}]', "arn:aws:iam::444455556666:root"),
        ('!Sub ["arn:aws:iam::${Known}:root", {Known: "1"}]', "arn:aws:iam::1:root"),
        ('!Sub "${!aws:username}"', "${aws:username}"),
        ('!Sub "${Several}x"', text(unknown("Several").parts[0], "x")),
        ('!Sub "logs.${AWS::Region}.${AWS::URLSuffix}"', text("logs.", REGION, ".amazonaws.com")),
        ('!Join ["", ["arn:aws:iam::", !Ref Known, ":root"]]', "arn:aws:iam::444455556666:root"),
        ('!Join [":", [arn, aws, iam, "", !Ref AWS::AccountId, root]]', text("arn:aws:iam::", ACCOUNT, ":root")),
        ('!Join ["-", !Ref Several]', "444455556666-777788889999"),
        ('!Join ["", [!Ref AWS::NoValue, a, b]]', "ab"),
        ("!GetAtt Plain.Arn", text(*OWN, ":role/", unknown("Plain").parts[0])),
        ("!GetAtt [Plain, Arn]", text(*OWN, ":role/", unknown("Plain").parts[0])),
        ("!GetAtt Named.Arn", text(*OWN, ":role/team/app")),
        ('!Sub "${Named.Arn}"', text(*OWN, ":role/team/app")),
        ("!GetAtt Person.Arn", text(*OWN, ":user/444455556666")),
        ("!GetAtt JobRole.Arn", text(*OWN, ":role/", unknown("JobRole").parts[0])),
        ("!GetAtt Job.Arn", unknown("Job.Arn")),
        ("!GetAtt Nested.Outputs.Role", unknown("Nested.Outputs.Role")),
        ("!FindInMap [Accounts, prod, Id]", "444455556666"),
        ("!FindInMap [Accounts, !Ref Partner, Same]", "1"),
        ("!FindInMap [Accounts, !Ref Partner, Id]", unknown("!FindInMap [Accounts, !Ref Partner, Id]")),
        ("!FindInMap [Accounts, other, Id]", unknown("!FindInMap [Accounts, other, Id]")),
        ('!FindInMap [Accounts, other, Id, {DefaultValue: "9"}]', "9"),
        ("!FindInMap [Regions, !Ref AWS::Region, Id]", unknown("!FindInMap [Regions, !Ref AWS::Region, Id]")),
        ('!Select [1, ["a", "b"]]', "b"),
        ("!Select [1, !Ref Several]", "777788889999"),
        ('!Select [2, ["a", "b"]]', unknown('!Select [2, ["a", "b"]]')),
        ('!Select [4, !Split [":", !GetAtt Plain.Arn]]', text(ACCOUNT)),
        ('!Select [1, !Split ["-", !Ref AWS::Region]]', unknown('!Select [1, !Split ["-", !Ref AWS::Region]]')),
        ('!Split [",", "a,b"]', ["a", "b"]),
        ("!ImportValue shared-role", unknown("Fn::ImportValue shared-role")),
        ('!ImportValue {"Fn::Sub": "${AWS::StackName}-role"}', unknown("Fn::ImportValue ${AWS::StackName}-role")),
        ('!Base64 "ab"', "YWI="),
        ("!GetAZs eu-central-1", unknown("!GetAZs eu-central-1")),
        ('"{{resolve:ssm:/partner}}"', unknown("resolve:ssm:/partner")),
        ('"arn:aws:iam::{{resolve:ssm:p}}:root"', text("arn:aws:iam::", unknown("resolve:ssm:p").parts[0], ":root")),
        ('"arn:aws:iam::${self:custom.partner}:root"', text("arn:aws:iam::", unknown("self:custom.partner").parts[0], ":root")),
        ('!Sub "{{resolve:ssm:/${Partner}/id}}"', unknown("resolve:ssm:/${Partner}/id")),
        ('!Join ["", ["a{{resolve:ssm:/", !Ref Partner, "}}b"]]', text("a", unknown("resolve:ssm:/${Partner}").parts[0], "b")),
        ('!Sub "{{resolve:ssm:/${Known}}}"', unknown("resolve:ssm:/444455556666")),
        ('"arn:aws:iam::#{AWS::AccountId}:root"', text("arn:aws:iam::", ACCOUNT, ":root")),
        ('"${aws:username}"', "${aws:username}"),
    ],
)  # fmt: skip
def test_a_function_is_worth(expression: str, expected: object) -> None:
    assert value_of(expression, head=PARAMETERS, more=RESOURCES) == expected


def test_the_region_that_is_given_chooses_in_a_map() -> None:
    content = template("!FindInMap [Regions, !Ref AWS::Region, Id]", head=PARAMETERS)
    assert principals(content, region="us-east-1") == ["777788889999"]
    assert principals(content, region="eu-central-1") == ["444455556666"]


def test_a_given_parameter_wins_over_its_default() -> None:
    content = template("!Ref Known", head=PARAMETERS)
    assert principals(content, parameters={"Known": "999999999999"}) == ["999999999999"]
    assert principals(content, parameters={"Partner": "1"}) == ["444455556666"]


def test_a_given_list_is_split() -> None:
    content = template("!Ref Several", head=PARAMETERS)
    assert principals(content, parameters={"Several": "1,2"}) == ["1", "2"]


def test_the_suffix_is_that_of_the_given_region() -> None:
    content = template("x", more="").replace("AWS: x", "Service: !Sub logs.${AWS::URLSuffix}")
    assert principals(content, region="cn-north-1") == ["logs.amazonaws.com.cn"]
    assert principals(content) == ["logs.amazonaws.com"]


def test_no_value_takes_items_members_and_properties_away() -> None:
    content = """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: !Ref AWS::NoValue
      KeyPolicy:
        Version: "2012-10-17"
        Id: !Ref AWS::NoValue
        Statement:
          - !Ref AWS::NoValue
          - Effect: Allow
            Principal: {AWS: [!Ref AWS::NoValue, "111122223333"]}
            Action: kms:Decrypt
            Resource: "*"
            Condition: !Ref AWS::NoValue
"""
    key = only_key(content)
    statement = {"Effect": "Allow", "Principal": {"AWS": ["111122223333"]}, "Action": "kms:Decrypt", "Resource": "*"}
    assert plain(key.policies[0].policy) == stated({"Version": "2012-10-17", "Statement": [statement]})
    assert key.facts["rotation.enabled"].value is False  # type: ignore[union-attr]


def test_long_forms_and_json_mean_the_same() -> None:
    forms = [
        '!Sub ["arn:${AWS::Partition}:iam::${Who}:root", {Who: !Select [0, !Ref Several]}]',
        '{"Fn::Sub": ["arn:${AWS::Partition}:iam::${Who}:root", {"Who": {"Fn::Select": ["0", {"Ref": "Several"}]}}]}',
    ]
    expected = [text("arn:", PARTITION, ":iam::444455556666:root")]
    assert [principals(template(form, head=PARAMETERS)) for form in forms] == [expected, expected]
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": json.loads(forms[1])}, "Action": "kms:*", "Resource": "*"}]}
    document = {
        "Parameters": {"Several": {"Type": "CommaDelimitedList", "Default": "444455556666, 777788889999"}},
        "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}},
    }
    assert principals(json.dumps(document), file="t.template") == expected


def test_the_key_itself_is_its_own_arn() -> None:
    content = template(ROLE).replace('Resource: "*"', "Resource: !GetAtt Key.Arn")
    resources = only_key(content).policies[0].policy.statements[0].resources or ()
    assert [getattr(item.value, "parts", item.value) for item in resources] == [
        (unknown("Key.Arn").parts[0]._replace(own="key_arn"),)
    ]


@pytest.mark.parametrize(
    "expression",
    ["!Sub {a: b}", "!Join [a]", "!Join", "!Select [x, [a]]", "!Select [-1, [a]]", "!Split [a]", "!FindInMap [a]", "!GetAtt x",
     "!If [a]", "!Ref {a: b}", "!ImportValue [a]", "!Cidr [a, 1, 2]", "!Nonsense x", "{Fn::Transform: {Name: Macro}}"],
)  # fmt: skip
def test_what_is_no_call_is_a_symbol_that_bears_its_text(expression: str) -> None:
    assert value_of(expression) == unknown(expression)


def test_a_symbol_bears_no_control_character_and_has_an_end() -> None:
    found = value_of('!GetAZs "a\\u001b[31m' + "b" * 500 + '"')
    name = found.parts[0].name  # type: ignore[attr-defined]
    assert name.isprintable()
    assert len(name) < 200
