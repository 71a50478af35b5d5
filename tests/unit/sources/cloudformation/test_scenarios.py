"""Conditions: every way in which a key may come out, none that cannot occur, one key where it comes out the same."""

from textwrap import dedent

from kmslint.model.key import Key, Known
from tests.unit.sources.cloudformation.templates import read, unknown

HEAD = """\
Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, test, prod]}
  Free: {Type: String, Default: dev}
  Partner: {Type: String, Default: ""}
  None: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Equals [!Ref Env, dev]
  IsFreeProd: !Equals [!Ref Free, prod]
  IsFreeDev: !Equals [!Ref Free, dev]
  HasPartner: !Not [!Equals [!Ref Partner, ""]]
  Both: !And [!Condition IsProd, !Condition HasPartner]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Never: !And [!Condition IsProd, !Condition IsDev]
  Always: !Or [!Condition IsProd, !Not [!Condition IsProd]]
  InGov: !Equals [!Ref AWS::Partition, aws-us-gov]
  InEurope: !Equals [!Ref AWS::Region, eu-central-1]
  InAmerica: !Equals [!Ref AWS::Region, us-east-1]
  Same: !Equals [!Ref None, !Ref None]
  Unsettled: !Equals [!Select [0, !Split ["-", !Ref None]], x]
  Circle: !Not [!Condition Circle]
  Literal: !Equals ["true", true]
"""


def keys(principal: str, *, more: str = "", head: str = HEAD, **given: object) -> dict[str | None, object]:
    """By address, whom the first statement is about and the deletion window."""
    content = f"""\
{head}
Resources:
  Key:
    Type: AWS::KMS::Key
{more}
    Properties:
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {{AWS: {principal}}}
            Action: kms:Decrypt
            Resource: "*"
"""
    found, errors = read(content, **given)
    assert errors == []
    return {key.source.address: whom(key) for key in found}


def whom(key: Key) -> object:
    values = [entry.value for entry in key.policies[0].policy.statements[0].principals or ()]
    return values[0] if len(values) == 1 else values


def test_each_branch_is_a_key() -> None:
    assert keys("!If [IsProd, a, b]") == {"Key (when not IsProd)": "b", "Key (when IsProd)": "a"}


def test_branches_that_come_to_the_same_are_one_key() -> None:
    assert keys("!If [IsProd, a, a]") == {"Key": "a"}
    assert keys("!If [IsProd, !Sub '${Free}', !Ref Free]") == {"Key": "dev"}


def test_a_parameter_is_what_the_scenario_makes_it() -> None:
    assert keys("!If [IsFreeProd, !Ref Free, x]") == {"Key (when not IsFreeProd)": "x", "Key (when IsFreeProd)": "prod"}
    assert keys('!If [HasPartner, !Ref Partner, "none"]') == {
        "Key (when not HasPartner)": "none",
        "Key (when HasPartner)": unknown("Partner"),
    }


def test_conditions_that_exclude_each_other_do_not_meet() -> None:
    assert keys("!If [IsProd, p, !If [IsDev, d, other]]") == {
        "Key (when not IsProd, IsDev)": "d",
        "Key (when IsProd, not IsDev)": "p",
        "Key (when not IsProd, not IsDev)": "other",
    }
    assert keys("!If [InEurope, e, !If [InAmerica, a, o]]") == {
        "Key (when InEurope, not InAmerica)": "e",
        "Key (when not InEurope, InAmerica)": "a",
        "Key (when not InEurope, not InAmerica)": "o",
    }
    assert keys("!If [Never, n, o]") == {"Key": "o"}
    assert keys("!If [Always, a, b]") == {"Key": "a"}


def test_allowed_values_bound_a_parameter() -> None:
    narrow = HEAD.replace("AllowedValues: [dev, test, prod]", "AllowedValues: [dev, prod]")
    assert keys("!If [Either, a, b]", head=narrow) == {"Key": "a"}
    assert keys("!If [Either, a, b]") == {"Key (when Either)": "a", "Key (when not Either)": "b"}
    free = HEAD.replace(", AllowedValues: [dev, test, prod]", "")
    assert keys("!If [Either, a, b]", head=free) == {"Key (when Either)": "a", "Key (when not Either)": "b"}


def test_what_is_given_settles_conditions() -> None:
    assert keys("!If [IsProd, a, b]", parameters={"Env": "prod"}) == {"Key": "a"}
    assert keys("!If [Both, a, b]", parameters={"Env": "prod", "Partner": "1"}) == {"Key": "a"}
    assert keys("!If [InEurope, a, b]", region="eu-central-1") == {"Key": "a"}
    assert keys("!If [InGov, a, b]", region="eu-central-1") == {"Key": "b"}
    assert keys("!If [InGov, a, b]", region="us-gov-west-1") == {"Key": "a"}


def test_a_condition_that_nobody_can_settle_may_come_out_either_way() -> None:
    for name in ("Unsettled", "Circle", "Missing"):
        assert keys(f"!If [{name}, a, b]") == {f"Key (when {name})": "a", f"Key (when not {name})": "b"}
    assert keys("!If [Same, a, b]") == {"Key": "a"}
    assert keys("!If [Literal, a, b]") == {"Key": "a"}


def test_a_key_with_a_condition_is_there_only_when_it_holds() -> None:
    assert keys("!If [IsProd, a, b]", more="    Condition: IsProd") == {"Key": "a"}
    assert keys("!If [HasPartner, a, b]", more="    Condition: IsProd") == {
        "Key (when not HasPartner)": "b",
        "Key (when HasPartner)": "a",
    }
    assert keys("a", more="    Condition: Never") == {}


def test_many_independent_conditions_end_in_a_symbol_not_in_an_explosion() -> None:
    names = [f"P{number}" for number in range(40)]
    head = "Parameters:\n" + "".join(f"  {name}: {{Type: String}}\n" for name in names)
    head += "Conditions:\n" + "".join(f"  C{name}: !Equals [!Ref {name}, x]\n" for name in names)
    items = ", ".join(f"!If [C{name}, a, b]" for name in names)
    found = keys(f'!Join ["", [{items}]]', head=head)
    assert list(found) == ["Key"]
    assert keys("!If [CP0, a, b]", head=head) == {"Key (when CP0)": "a", "Key (when not CP0)": "b"}


def test_a_deep_nest_of_conditions_ends() -> None:
    head = "Conditions:\n  C0: !Equals [a, a]\n" + "".join(f"  C{n}: !Not [!Condition C{n - 1}]\n" for n in range(1, 400))
    assert len(keys("!If [C399, a, b]", head=head)) <= 2


def test_facts_are_told_apart_too() -> None:
    content = dedent("""\
        Parameters: {Env: {Type: String}}
        Conditions: {IsProd: !Equals [!Ref Env, prod]}
        Resources:
          Key:
            Type: AWS::KMS::Key
            Properties:
              PendingWindowInDays: !If [IsProd, 30, 7]
              EnableKeyRotation: !If [IsProd, true, !Ref AWS::NoValue]
          Name:
            Type: AWS::KMS::Alias
            Condition: IsProd
            Properties: {AliasName: alias/prod, TargetKeyId: !Ref Key}
        """)
    found, _ = read(content)
    shown = {
        key.source.address: [key.facts[name].value for name in ("deletion.window_days", "rotation.enabled", "aliases")]  # type: ignore[union-attr]
        for key in found
    }
    assert shown == {"Key (when IsProd)": [30, True, ["alias/prod"]], "Key (when not IsProd)": [7, False, []]}


def test_a_statement_may_be_there_or_not() -> None:
    content = dedent("""\
        Parameters: {Partner: {Type: String, Default: ""}}
        Conditions: {HasPartner: !Not [!Equals [!Ref Partner, ""]]}
        Resources:
          Key:
            Type: AWS::KMS::Key
            Properties:
              KeyPolicy:
                Statement:
                  - {Effect: Allow, Principal: {AWS: "111122223333"}, Action: "kms:*", Resource: "*"}
                  - !If
                    - HasPartner
                    - {Effect: Allow, Principal: {AWS: !Ref Partner}, Action: "kms:Decrypt", Resource: "*"}
                    - !Ref AWS::NoValue
        """)
    found, _ = read(content)
    assert {key.source.address: len(key.policies[0].policy.statements) for key in found} == {
        "Key (when not HasPartner)": 1,
        "Key (when HasPartner)": 2,
    }
    assert all(isinstance(key.facts["manager"], Known) for key in found)
