"""What a template says of a key: facts and their places, owner, aliases, replicas, and where templates stand."""

import json
from pathlib import Path
from textwrap import dedent, indent

import pytest

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import NOT_IN_SOURCE, UNREAD, Absent, Key, Known, Unknown
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.cloudformation import DEFAULT_POLICY_NOTE, keys_from_template
from kmslint.sources.files import Skipped, collect
from kmslint.sources.policy_json import NotAKey
from kmslint.tree import Template
from tests.unit.sources.cloudformation.templates import ACCOUNT, PARTITION, facts, only_key, plain, read, stated, template, text

POLICY = """\
KeyPolicy:
  Version: 2012-10-17
  Statement:
    - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}
"""


def key_of(properties: str, *, more: str = "", type: str = "AWS::KMS::Key") -> str:
    body = indent(dedent(properties) + POLICY, " " * 6)
    return f"Parameters:\n  P: {{Type: String}}\nResources:\n  Key:\n    Type: {type}\n    Properties:\n{body}\n{indent(dedent(more), '  ')}"


PLAIN = {
    "manager": "CUSTOMER",
    "description": "",
    "tags": {},
    "deletion.window_days": 30,
    "lockout_check_bypassed": False,
    "spec": "SYMMETRIC_DEFAULT",
    "usage": "ENCRYPT_DECRYPT",
    "origin": "AWS_KMS",
    "multi_region": False,
    "multi_region.type": "absent",
    "rotation.enabled": False,
    "rotation.period_days": "absent",
    "aliases": [],
}


def test_what_is_not_set_has_the_default_of_kms() -> None:
    assert facts(only_key(key_of(""))) == PLAIN
    assert facts(only_key("Resources: {Key: {Type: AWS::KMS::Key}}")) == PLAIN


def test_what_is_set_is_read_at_its_place() -> None:
    content = key_of("""\
        Description: for backups
        Enabled: false
        EnableKeyRotation: "True"
        RotationPeriodInDays: 180
        PendingWindowInDays: "7"
        BypassPolicyLockoutSafetyCheck: true
        KeySpec: SYMMETRIC_DEFAULT
        KeyUsage: ENCRYPT_DECRYPT
        Origin: EXTERNAL
        MultiRegion: yes
        Tags:
          - Key: owner
            Value: team
          - {Value: prod, Key: environment}
    """)
    key = only_key(content)
    assert facts(key) == PLAIN | {
        "description": "for backups",
        "state": "Disabled",
        "rotation.enabled": True,
        "rotation.period_days": 180,
        "deletion.window_days": 7,
        "lockout_check_bypassed": True,
        "origin": "EXTERNAL",
        "multi_region": True,
        "multi_region.type": "PRIMARY",
        "tags": {"owner": "team", "environment": "prod"},
    }
    lines = content.splitlines()
    for name, written in (("rotation.enabled", '"True"'), ("deletion.window_days", '"7"'), ("spec", "SYMMETRIC_DEFAULT")):
        location = key.facts[name].location  # type: ignore[union-attr]
        assert location is not None
        assert lines[location.line - 1][location.column - 1 : location.end_column - 1] == written
        assert (location.file, location.address) == ("t.yaml", "Key")
    place = key.facts["usage"].location  # type: ignore[union-attr]
    assert place is not None
    assert place.pointer == "/Resources/Key/Properties/KeyUsage"
    assert (key.source.type, key.source.file, key.source.line, key.source.column) == ("cloudformation", "t.yaml", 4, 3)


def test_an_absent_property_stands_at_the_logical_id() -> None:
    location = only_key(key_of("")).facts["rotation.enabled"].location  # type: ignore[union-attr]
    assert location is not None
    assert (location.line, location.column, location.end_column, location.pointer) == (4, 3, 6, "/Resources/Key")


@pytest.mark.parametrize(
    ("properties", "name", "reason"),
    [
        ("EnableKeyRotation: !Ref P", "rotation.enabled", "`EnableKeyRotation` is `${P}`, which could not be resolved"),
        ("EnableKeyRotation: !Ref P", "rotation.period_days", "`EnableKeyRotation` is `${P}`, which could not be resolved"),
        ("EnableKeyRotation: maybe", "rotation.enabled", "`EnableKeyRotation` is `maybe`, which CloudFormation does not take"),
        ("PendingWindowInDays: {a: b}", "deletion.window_days", "`PendingWindowInDays` is an object, which CloudFormation does not take"),
        ("PendingWindowInDays: 7.5", "deletion.window_days", "`PendingWindowInDays` is `7.5`, which CloudFormation does not take"),
        ("MultiRegion: !Ref P", "multi_region.type", "`MultiRegion` is `${P}`, which could not be resolved"),
        ("Tags: !Ref P", "tags", "`Tags` is `${P}`, which could not be resolved"),
        ("Tags: [!Ref P]", "tags", "`Tags` is a list, which CloudFormation does not take"),
        ("Enabled: !Ref P", "state", "`Enabled` is `${P}`, which could not be resolved"),
    ],
)  # fmt: skip
def test_what_is_not_resolved_is_unread(properties: str, name: str, reason: str) -> None:
    assert only_key(key_of(properties + "\n")).facts[name] == Unknown(UNREAD, reason)


def test_a_tag_or_alias_with_a_hole_is_told_but_decides_nothing() -> None:
    more = "Name:\n  Type: AWS::KMS::Alias\n  Properties: {AliasName: !Sub 'alias/${P}', TargetKeyId: !Ref Key}\n"
    key = only_key(key_of("Tags: [{Key: owner, Value: !Ref P}]\n", more=more))
    assert (key.facts["tags"].value, key.facts["aliases"].value) == ({"owner": "${P}"}, ["alias/${P}"])  # type: ignore[union-attr]
    assert (key.context().tags, key.context().aliases) == (None, None)
    known = only_key(key_of("Tags: [{Key: owner, Value: x}]\n", more=more.replace("${P}", "x")))
    assert (known.context().tags, known.context().aliases) == ((("owner", "x"),), ("alias/x",))


@pytest.mark.parametrize("target", ["!Ref Key", "!GetAtt Key.Arn", "!GetAtt Key.KeyId", '!Sub "${Key}"', '!Sub "${Key.Arn}"'])
def test_an_alias_names_the_key_it_targets(target: str) -> None:
    more = f"Other: {{Type: AWS::KMS::Key}}\nName: {{Type: AWS::KMS::Alias, Properties: {{AliasName: alias/a, TargetKeyId: {target}}}}}\n"
    found, _ = read(key_of("", more=more))
    assert {key.source.address: key.facts["aliases"].value for key in found} == {"Key": ["alias/a"], "Other": []}  # type: ignore[union-attr]


def test_a_replica_shares_what_its_primary_has() -> None:
    more = """\
        Copy:
          Type: AWS::KMS::ReplicaKey
          Properties: {PrimaryKeyArn: !GetAtt Key.Arn, PendingWindowInDays: 10}
        Alone:
          Type: AWS::KMS::ReplicaKey
          Properties: {PrimaryKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1"}
    """
    found, _ = read(key_of("EnableKeyRotation: true\nMultiRegion: true\n", more=more))
    by_name = {str(key.source.address): facts(key) for key in found}
    replica = {"multi_region": True, "multi_region.type": "REPLICA"}
    del (copy := by_name["Copy"])["multi_region.primary"]
    expected = PLAIN | replica | {"rotation.enabled": True, "rotation.period_days": 365, "deletion.window_days": 10}
    assert copy == expected
    unread = (UNREAD, "it is that of the primary key, which is not in the template")
    alone = dict.fromkeys(("spec", "usage", "rotation.enabled", "rotation.period_days"), unread)
    primary = {"multi_region.primary": "arn:aws:kms:eu-central-1:111122223333:key/mrk-1"}
    assert by_name["Alone"] == PLAIN | replica | alone | primary


def test_without_a_policy_the_key_has_the_default_one() -> None:
    key = only_key("Resources: {Key: {Type: AWS::KMS::Key}}")
    root = text("arn:", PARTITION, ":iam::", ACCOUNT, ":root")
    (statement,) = key.policies[0].policy.statements
    assert [(entry.kind, entry.value) for entry in statement.principals or ()] == [("AWS", root)]
    assert (statement.effect, [item.value for item in statement.actions or ()], key.notes) == (
        "Allow",
        ["kms:*"],
        (DEFAULT_POLICY_NOTE,),
    )
    assert only_key(key_of("")).notes == ()


# --- the owner


def test_the_owner_is_given_or_told_by_a_literal_policy_alone() -> None:
    own = key_of("")
    literal = own.replace("${AWS::AccountId}", "111122223333")
    shown = [(key.account, key.account_source) for key in map(only_key, (own, literal))]
    assert shown == [(None, None), ("111122223333", "inferred")]
    key = only_key(own, account="444455556666", account_source="configured", region="us-gov-east-1")
    assert (key.account, key.account_source, key.region, key.partition) == (
        "444455556666",
        "configured",
        "us-gov-east-1",
        "aws-us-gov",
    )


def test_a_literal_account_beside_the_own_one_is_no_owner() -> None:
    other = '    - {Effect: Allow, Principal: {AWS: "999999999999"}, Action: "kms:*", Resource: "*"}\n'
    body = key_of("").rstrip() + "\n" + indent(other, " " * 6)
    assert only_key(body).account is None


# --- where templates stand


def test_a_template_is_found_at_any_depth() -> None:
    inner = json.dumps({"Resources": {"Key": {"Type": "AWS::KMS::Key"}}})
    forms = {
        "serverless": "resources:\n  Resources:\n    Key: {Type: AWS::KMS::Key}\n",
        "fragment": "Key: {Type: AWS::KMS::Key}\n",
        "list": "- input:\n    Resources:\n      Key: {Type: AWS::KMS::Key}\n",
        "documents": "a: 1\n---\nResources:\n  Key: {Type: AWS::KMS::Key}\n",
        "stack set": f"Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      TemplateBody: '{inner}'\n",
        "stack set, block": f"Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      TemplateBody: |\n        {inner}\n",
        "json": inner,
    }
    assert {name: [key.source.address for key in read(content)[0]] for name, content in forms.items()} == {
        name: ["Key"] for name in forms
    }


def test_a_key_in_the_text_of_a_template_has_its_place_in_the_file() -> None:
    content = "Resources:\n  Set:\n    Properties:\n      TemplateBody: |\n        Resources:\n          Key:\n            Type: AWS::KMS::Key\n"
    key = only_key(content)
    assert (key.source.line, key.source.column) == (6, 11)
    inner = json.dumps({"Resources": {"Key": {"Type": "AWS::KMS::Key"}}})
    document = json.dumps({"Resources": {"Set": {"Properties": {"TemplateBody": inner}}}})
    key = only_key(document, file="t.json")
    at = key.source.column - 1
    assert (key.source.line, document[at : at + 7]) == (1, '\\"Key\\"')


def test_two_templates_in_a_file_are_told_apart() -> None:
    content = "- Resources: {Key: {Type: AWS::KMS::Key}}\n- Resources: {Key: {Type: AWS::KMS::Key}}\n"
    assert [key.source.address for key in read(content)[0]] == ["Key (/0/Resources/Key)", "Key (/1/Resources/Key)"]


def test_a_loop_makes_keys() -> None:
    content = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "A,B"}}
Resources:
  Fn::ForEach::Keys:
    - Name
    - !Ref Names
    - Key${Name}:
        Type: AWS::KMS::Key
        Properties: {Description: !Sub "for ${Name}", Tags: [{Key: name, Value: !Ref Name}]}
"""
    shown = {key.source.address: (key.facts["description"].value, key.facts["tags"].value) for key in read(content)[0]}  # type: ignore[union-attr]
    assert shown == {"KeyA": ("for A", {"name": "A"}), "KeyB": ("for B", {"name": "B"})}
    literal = content.replace("!Ref Names", "[C]")
    assert [key.source.address for key in read(literal)[0]] == ["KeyC"]
    open_ = content.replace(', Default: "A,B"', "")
    assert [key.source.address for key in read(open_)[0]] == ["Key${Name}"]


@pytest.mark.parametrize("transform", ["AWS::Serverless-2016-10-31", "[AWS::Serverless-2016-10-31, AWS::LanguageExtensions]"])
def test_a_known_transform_leaves_a_key_as_it_is(transform: str) -> None:
    assert only_key(f"Transform: {transform}\n" + key_of("")).policies_unread is None


def test_a_macro_makes_everything_unknown() -> None:
    key = only_key("Transform: [AWS::Serverless-2016-10-31, Company]\n" + key_of(""))
    assert key.policies_unread == "the macro `Company` may change the template"
    assert key.facts["rotation.enabled"] == Unknown(UNREAD, "the macro `Company` may change the template")
    assert key.facts["manager"] == Known("CUSTOMER")


def test_a_transform_inside_a_key_makes_it_unknown() -> None:
    content = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      Fn::Transform: {Name: AWS::Include}\n"
    assert only_key(content).policies_unread == "a transform makes a part of the key"


# --- the policy


def test_a_statement_stands_where_it_is_written() -> None:
    content = template("!Ref AWS::AccountId")
    (statement,) = only_key(content).policies[0].policy.statements
    location = statement.node.locate()
    assert content.splitlines()[location.line - 1].lstrip() == "- Effect: Allow"
    assert content.splitlines()[location.end_line - 1].strip() == 'Resource: "*"'
    assert location.end_column == len(content.splitlines()[location.end_line - 1]) + 1


def test_a_policy_that_is_wholly_open_is_unknown() -> None:
    key = only_key("Resources: {Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: !Ref Policy}}}")
    assert key.policies[0].policy.unknown == ("the policy is `${Policy}`, which could not be resolved",)


def test_the_version_is_text_however_it_is_written() -> None:
    content = template("x")
    assert [only_key(form).policies[0].policy.version for form in (content, content.replace("2012-10-17", '"2012-10-17"'))] == [
        "2012-10-17",
        "2012-10-17",
    ]


def test_duplicates_are_told() -> None:
    content = template("x").replace(
        "            Action: kms:Decrypt", "            Action: kms:Decrypt\n            Action: kms:*"
    )
    codes = [diagnostic.code for diagnostic in only_key(content).policies[0].diagnostics]
    assert codes == ["duplicate-element"]


# --- faults


def test_what_stands_before_a_fault_is_a_key_and_the_fault_is_told() -> None:
    content = "Resources:\n  Good: {Type: AWS::KMS::Key}\n  Half:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {Statement: [{Effect\n"
    found, errors = read(content)
    assert [key.source.address for key in found] == ["Good"]
    assert found[0].facts["aliases"] == Unknown(UNREAD, "the template could not be read to its end")
    assert [(error.source, error.line) for error in errors] == [("t.yaml", 7)]
    assert isinstance(errors[0], SourceError)


def test_half_a_json_template_gives_the_keys_before_the_fault() -> None:
    content = '{"Resources": {"Good": {"Type": "AWS::KMS::Key"}, "Bad": {"Type": "AWS::KMS::Key", "Properties": {'
    found, errors = read(content, file="t.json")
    assert [key.source.address for key in found] == ["Good"]
    assert [(error.line, error.column, error.message) for error in errors] == [
        (1, len(content) + 1, "found the end of the text, expected a member name in double quotes")
    ]


@pytest.mark.parametrize("content", ["", "a: [", "{", "Resources: *\n", "\x00"])
def test_what_holds_no_key_says_so(content: str) -> None:
    try:
        found = keys_from_template(Text(content, file="t.yaml"))
    except InputError as error:
        assert error.line is not None
    else:
        assert isinstance(found, NotAKey)


def test_a_json_policy_in_a_file_of_another_name_is_a_policy(tmp_path: Path) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
    path = tmp_path / "policy.yaml"
    path.write_text(json.dumps(document))
    (found,) = collect([str(path)], settings=Settings())
    assert isinstance(found, Key)
    assert found.source.type == "policy"
    path.write_text("a: 1\n")
    (named,) = collect([str(path)], settings=Settings())
    (met,) = collect([str(tmp_path)], settings=Settings())
    assert isinstance(named, SourceError)
    assert isinstance(met, Skipped)


def test_parameters_reach_a_template_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "t.template").write_text(template("!Ref P", head="Parameters: {P: {Type: String}}"))
    (key,) = collect([str(tmp_path)], settings=Settings(), parameters={"P": "444455556666"}, account="111122223333")
    assert isinstance(key, Key)
    assert [entry.value for entry in key.policies[0].policy.statements[0].principals or ()] == ["444455556666"]
    assert (key.account, key.account_source) == ("111122223333", "given")


def test_odd_shapes_do_no_harm() -> None:
    for content in (
        "Resources: {Key: {Type: AWS::KMS::Key, Properties: [a]}}",
        "Resources: {Key: {Type: AWS::KMS::Key, Properties: 1}, Other: 2, Third: []}",
        "Resources: {Key: {Type: AWS::KMS::Key, Condition: [a]}}\nConditions: [a]\nParameters: 3\nMappings: x\nTransform: {Name: {}}",
        "Resources: {Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: [], Tags: {a: [b]}}}}",
        "Resources: {Key: {Type: AWS::KMS::Key}, Fn::ForEach::A: [x], Fn::ForEach::B: {Key: {Type: AWS::KMS::Key}}}",
    ):
        assert [key.source.address for key in read(content)[0]] == ["Key"]


def test_facts_of_other_sources_are_not_in_this_one() -> None:
    fact = only_key(key_of("")).fact("created")
    assert isinstance(fact, Unknown)
    assert fact.kind == NOT_IN_SOURCE
    assert isinstance(only_key(key_of("")).facts["rotation.period_days"], Absent)


def test_the_policy_is_that_of_the_same_json() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "x"}, "Action": "kms:Decrypt", "Resource": "*"}],
    }
    assert plain(only_key(template("x")).policies[0].policy) == stated(document)
    assert not isinstance(document, Template)
