"""The shape of a policy: every complaint at once and at its place, and what stays unknown because of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.policy.document import Condition, Diagnostic, Item, Policy, Principal, Statement
from kmslint.policy.evaluate import evaluate
from kmslint.policy.parse import MAX_BYTES, MAX_DIAGNOSTICS, MAX_REASONS, parse_policy, parse_shape, parse_statements
from kmslint.policy.request import KeyContext, Request
from kmslint.tree import STRING, UNRESOLVED, Node, Symbol, Template, from_python

OWNER = "111122223333"
ROOT = f"arn:aws:iam::{OWNER}:root"
GOOD: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
ASKED = Request(ROOT, "kms:Decrypt", {}, KeyContext(account=OWNER))
VAR = Symbol("var.x")


def parse(content: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    return parse_policy(read_json(Text(content, file="f.json")))


def of(*statements: object, **more: object) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy of 2012 with these statements."""
    return parse(json.dumps({"Version": "2012-10-17", **more, "Statement": list(statements)}))


def raw(body: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy whose one statement is written out, for names that stand twice."""
    return parse('{"Version": "2012-10-17", "Statement": [{' + body + "}]}")


def codes(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, str]]:
    return [(diagnostic.code, diagnostic.pointer) for diagnostic in diagnostics]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


def decision(policy: Policy) -> str:
    return evaluate((policy,), ASKED).decision


# --- what is well formed


def test_a_policy_is_read_as_written() -> None:
    content = json.dumps({
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": [{
            "Sid": "a b", "Effect": "Deny", "NotPrincipal": {"AWS": [ROOT, OWNER], "Service": "s3.amazonaws.com"},
            "NotAction": ["kms:Decrypt", "kms:de*"], "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": False}, "NumericEquals": {"k": [1, 1.50, "2"]}},
        }],
    })  # fmt: skip
    policy, diagnostics = parse(content)
    assert diagnostics == ()
    assert (policy.version, policy.unknown, len(policy.statements)) == ("2012-10-17", (), 1)
    (one,) = policy.statements
    assert (one.index, one.sid, one.effect, one.unknown) == (0, "a b", "Deny", ())
    assert (one.not_principal, one.not_action, one.not_resource) == (True, True, False)
    entries = [(entry.kind, entry.value) for entry in one.principals or ()]
    assert entries == [("AWS", ROOT), ("AWS", OWNER), ("Service", "s3.amazonaws.com")]
    assert [item.value for item in one.actions or ()] == ["kms:Decrypt", "kms:de*"]
    assert [(c.operator, c.key, [item.value for item in c.values]) for c in one.conditions] == [
        ("Bool", "aws:SecureTransport", ["false"]),
        ("NumericEquals", "k", ["1", "1.5", "2"]),
    ]
    slices = [content[item.node.start : item.node.end] for item in one.actions or ()]
    assert slices == ['"kms:Decrypt"', '"kms:de*"']
    assert content[one.conditions[0].node.start :].startswith('"aws:SecureTransport"')
    assert content[one.conditions[0].operator_node.start :].startswith('"Bool"')


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": GOOD},
        {"Statement": [GOOD, GOOD]},
        {"Version": "2008-10-17", "Id": "", "Statement": [GOOD]},
        {"Statement": [{**GOOD, "Principal": "*"}]},
        {"Statement": [{**GOOD, "Condition": {}}]},
        {"Statement": [{**GOOD, "Condition": {"StringEquals": {}}}]},
        {"Statement": [{**GOOD, "Sid": "same"}, {**GOOD, "Sid": "same"}]},
        {"Statement": [{**GOOD, "Principal": {"AWS": "*", "Federated": "x", "CanonicalUser": "y"}}]},
    ],
)
def test_what_the_grammar_allows_is_no_complaint(document: dict[str, Any]) -> None:
    policy, diagnostics = parse(json.dumps(document))
    assert diagnostics == ()
    assert policy.unknown == ()
    assert all(statement.unknown == () for statement in policy.statements)
    assert decision(policy) == "allow"


def test_one_statement_without_a_list_is_the_same() -> None:
    alone, listed = parse(json.dumps({"Statement": GOOD}))[0], parse(json.dumps({"Statement": [GOOD]}))[0]
    assert json.dumps([entry.value for entry in alone.statements[0].principals or ()]) == json.dumps(
        [entry.value for entry in listed.statements[0].principals or ()]
    )
    diagnostics = parse(json.dumps({"Statement": {**GOOD, "Foo": 1}}))[1]
    assert codes(diagnostics) == [("unknown-element", "/Statement/Foo")]


def test_a_string_that_holds_the_policy_is_the_policy() -> None:
    content = json.dumps({"Policy": json.dumps({"Statement": [without("Action")]})})
    held = read_json(Text(content, file="f.json")).member("Policy")
    assert held is not None
    policy, diagnostics = parse_policy(held)
    assert codes(diagnostics) == [("missing-action", "/Statement/0")]
    line, column = diagnostics[0].node.text.position(diagnostics[0].node.start)
    assert content[column - 1 :].startswith('{\\"Effect')
    assert line == 1
    assert policy.statements[0].actions is None


# --- the document


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("3", "policy-not-an-object", "a policy is an object, found `3`"),
        ("null", "policy-not-an-object", "a policy is an object, found `null`"),
        ("[]", "policy-not-an-object", "a policy is an object, found an empty list"),
        (json.dumps([GOOD]), "policy-not-an-object", "a policy is an object, found a list"),
        ('"x"', "policy-not-an-object", "the policy is a string that is not JSON: found `x`, expected a value"),
        ('"[]"', "policy-not-an-object", "a policy is an object, found an empty list"),
        ("{}", "missing-statement", "the policy has no `Statement`"),
        ('{"Statement": 1}', "malformed-statement", "`Statement` is an object or a list of objects, found `1`"),
        ('{"Statement": null}', "malformed-statement", "`Statement` is an object or a list of objects, found `null`"),
    ],
)
def test_a_text_that_is_no_policy_is_unknown_as_a_whole(content: str, code: str, message: str) -> None:
    policy, diagnostics = parse(content)
    assert [(diagnostic.code, diagnostic.message) for diagnostic in diagnostics] == [(code, message)]
    assert len(policy.unknown) == 1
    assert decision(policy) == "undetermined"


def test_no_statement_allows_nothing_and_is_said() -> None:
    policy, diagnostics = parse('{"Statement": []}')
    assert codes(diagnostics) == [("empty-statement-list", "/Statement")]
    assert decision(policy) == "implicit_deny"


def test_element_names_of_the_document_are_case_sensitive() -> None:
    policy, diagnostics = parse(json.dumps({"version": "2012-10-17", "statement": [GOOD]}))
    assert [(one.code, one.pointer, one.help) for one in diagnostics] == [
        ("unknown-element", "/version", "did you mean `Version`?"),
        ("unknown-element", "/statement", "did you mean `Statement`?"),
    ]
    assert decision(policy) == "undetermined"
    other, found = parse(json.dumps({"Comment": 1, "Statement": [GOOD]}))
    assert codes(found) == [("unknown-element", "/Comment")]
    assert decision(other) == "allow"


def test_an_element_given_twice_names_both_places() -> None:
    policy, diagnostics = parse('{"Id": "a",\n "Id": "b", "Statement": [' + json.dumps(GOOD) + "]}")
    (one,) = diagnostics
    assert (one.code, one.message, one.pointer) == (
        "duplicate-element",
        "`Id` is given twice, at line 1, column 2 and at line 2, column 2",
        "/Id",
    )
    assert one.node.locate()[2:4] == (2, 2)
    assert decision(policy) == "allow"


def test_two_statement_lists_are_known_neither() -> None:
    both = f'{{"Statement": [{json.dumps(GOOD)}], "Statement": []}}'
    policy, diagnostics = parse(both)
    assert codes(diagnostics) == [("duplicate-element", "/Statement")]
    assert decision(policy) == "undetermined"
    assert decision(parse(both.replace(', "Statement": []', ""))[0]) == "allow"


@pytest.mark.parametrize("version", ["2012-10-18", "", 2012, None, ["2012-10-17"], {"a": 1}])
def test_another_version_is_no_version(version: object) -> None:
    policy, diagnostics = of(GOOD, Version=version)
    assert codes(diagnostics) == [("invalid-version", "/Version")]
    assert policy.version == (version if isinstance(version, str) else None)
    assert decision(policy) == "allow"


def test_whether_variables_are_variables_is_unknown_only_where_there_are_some() -> None:
    condition = {"StringEquals": {"aws:PrincipalArn": "${aws:userid}"}}
    policy, _ = of(GOOD, {**GOOD, "Condition": condition}, Version="2011-01-01")
    assert [statement.unknown == () for statement in policy.statements] == [True, False]
    twice, diagnostics = parse(
        '{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": [' + json.dumps({**GOOD, "Condition": condition}) + "]}"
    )
    assert codes(diagnostics) == [("duplicate-element", "/Version")]
    assert twice.statements[0].unknown != ()
    assert of({**GOOD, "Condition": condition})[0].statements[0].unknown == ()


def test_id_is_a_string() -> None:
    assert codes(of(GOOD, Id=1)[1]) == [("invalid-id", "/Id")]
    assert codes(of(GOOD, Id="1")[1]) == []


# --- size and characters


def test_the_size_of_the_text_is_limited() -> None:
    def sized(size: int) -> str:
        content = json.dumps({"Version": "2012-10-17", "Id": "", "Statement": [GOOD]})
        return content.replace('"Id": ""', '"Id": "' + "x" * (size - len(content)) + '"')

    assert parse(sized(MAX_BYTES))[1] == ()
    (one,) = parse(sized(MAX_BYTES + 1))[1]
    assert (one.code, one.message) == ("policy-too-large", "the policy has 32,769 bytes, and KMS stores at most 32,768")
    in_bytes = sized(MAX_BYTES).replace("xx", "é")
    assert len(in_bytes) < MAX_BYTES
    assert parse(in_bytes)[1] == ()
    assert codes(parse(sized(MAX_BYTES).replace("xx", "éx"))[1]) == [("policy-too-large", "")]


def test_a_text_that_no_call_takes_is_not_read() -> None:
    policy, diagnostics = of(*[GOOD] * 2_000)
    assert codes(diagnostics) == [("policy-too-large", "")]
    assert (policy.statements, policy.unknown) == ((), ("the policy has more than the 131,072 characters that KMS takes",))
    assert decision(policy) == "undetermined"
    assert decision(of(*[GOOD] * 1_000)[0]) == "allow"


def test_the_characters_of_the_text_are_limited() -> None:
    assert of({**GOOD, "Sid": "\u0416"})[1] == ()  # json.dumps writes an escape, and the text is what is limited
    content = json.dumps({"Statement": [{**GOOD, "Sid": "é\u0416\u202e"}]}, ensure_ascii=False)
    (one,) = parse(content)[1]
    assert (one.code, one.message) == ("character-not-allowed", "the character U+0416 `\u0416` is not allowed in a key policy")
    assert content[one.node.start : one.node.end] == "\u0416"
    (hidden,) = parse(content.replace("\u0416", ""))[1]
    assert hidden.message == "the character U+202E is not allowed in a key policy"
    assert parse(content.replace("\u0416\u202e", "ÿ\x7f"))[1] == ()


def test_a_template_has_no_text_to_limit() -> None:
    node = read_json(Text(json.dumps({"Statement": [{**GOOD, "Sid": "\u0416" * MAX_BYTES}]}, ensure_ascii=False)))
    assert codes(parse_policy(node)[1]) == [("policy-too-large", ""), ("character-not-allowed", "")]
    assert parse_shape(node)[1] == ()
    assert parse_shape(node)[0] == parse_policy(node)[0]


# --- statements: violations whose meaning is documented


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (without("Action"), "missing-action"),
        (without("Resource"), "missing-resource"),
        (without("Principal"), "missing-principal"),
        ({**GOOD, "Action": []}, "empty-action"),
        ({**GOOD, "Resource": []}, "empty-resource"),
        ({**GOOD, "Principal": {}}, "empty-principal"),
        ({**GOOD, "Principal": []}, "empty-principal"),
        ({**GOOD, "Principal": {"AWS": []}}, "empty-principal"),
    ],
)
def test_a_statement_without_an_element_has_no_effect(statement: dict[str, Any], code: str) -> None:
    policy, diagnostics = of(statement)
    assert [one.code for one in diagnostics] == [code]
    (one,) = policy.statements
    assert one.unknown == ()
    assert not (one.principals and one.actions and one.resources)
    assert decision(policy) == "implicit_deny"
    assert decision(of(GOOD)[0]) == "allow"


def test_not_resource_alone_is_said_and_left_to_the_evaluator() -> None:
    policy, diagnostics = of({**without("Resource"), "NotResource": "arn:aws:kms:us-east-1:111122223333:key/x"})
    assert codes(diagnostics) == [("missing-resource", "/Statement/0/NotResource")]
    assert (policy.statements[0].unknown, policy.statements[0].not_resource) == ((), True)


# --- statements: violations that leave the statement unknown

UNKNOWN: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (without("Effect"), [("missing-effect", "")]),
    ({**without("Effect"), "Efect": "Allow"}, [("unknown-element", "/Efect")]),
    ({**GOOD, "Effect": "allow"}, [("invalid-effect", "/Effect")]),
    ({**GOOD, "Effect": None}, [("invalid-effect", "/Effect")]),
    ({**GOOD, "Effect": ["Allow"]}, [("invalid-effect", "/Effect")]),
    ({**GOOD, "Sid": 1}, [("invalid-sid", "/Sid")]),
    ({**GOOD, "Sid": None}, [("invalid-sid", "/Sid")]),
    ({**GOOD, "Comment": "x"}, [("unknown-element", "/Comment")]),
    ({**GOOD, "a/b~c": "x"}, [("unknown-element", "/a~1b~0c")]),
    ({**without("Action"), "action": "kms:*"}, [("unknown-element", "/action")]),
    ({**without("Action"), "Actions": "kms:*"}, [("unknown-element", "/Actions")]),
    ({**without("Principal"), "Principals": {"AWS": "*"}}, [("unknown-element", "/Principals")]),
    ({**without("Principal"), "principal": "*"}, [("unknown-element", "/principal")]),
    ({**without("Principal"), "Foo": "*"}, [("unknown-element", "/Foo"), ("missing-principal", "")]),
    ({**GOOD, "NotAction": "kms:x"}, [("exclusive-elements", "/NotAction")]),
    ({**GOOD, "NotPrincipal": "*"}, [("exclusive-elements", "/NotPrincipal")]),
    ({**GOOD, "NotResource": "x"}, [("exclusive-elements", "/NotResource")]),
    ({**GOOD, "Action": 5}, [("malformed-action", "/Action")]),
    ({**GOOD, "Action": {"a": 1}}, [("malformed-action", "/Action")]),
    ({**GOOD, "Action": ["kms:x", None, ["kms:*"]]}, [("malformed-action", "/Action/1"), ("malformed-action", "/Action/2")]),
    ({**GOOD, "Resource": True}, [("malformed-resource", "/Resource")]),
    ({**without("Action"), "NotAction": []}, [("empty-action", "/NotAction")]),
    ({**without("Action"), "NotAction": [1]}, [("malformed-action", "/NotAction/0")]),
    ({**without("Principal"), "NotPrincipal": {}}, [("empty-principal", "/NotPrincipal")]),
    ({**without("Principal"), "NotPrincipal": {"AWS": [1]}}, [("malformed-principal", "/NotPrincipal/AWS/0")]),
    ({**GOOD, "Principal": ROOT}, [("malformed-principal", "/Principal")]),
    ({**GOOD, "Principal": [ROOT]}, [("malformed-principal", "/Principal")]),
    ({**GOOD, "Principal": None}, [("malformed-principal", "/Principal")]),
    ({**GOOD, "Principal": {"AWS": int(OWNER)}}, [("malformed-principal", "/Principal/AWS")]),
    ({**GOOD, "Principal": {"AWS": None}}, [("malformed-principal", "/Principal/AWS")]),
    ({**GOOD, "Principal": {"AWS": {"x": 1}}}, [("malformed-principal", "/Principal/AWS")]),
    ({**GOOD, "Principal": {"aws": ROOT}}, [("unknown-principal-type", "/Principal/aws")]),
    ({**GOOD, "Principal": {"User": ROOT}}, [("unknown-principal-type", "/Principal/User")]),
    ({**GOOD, "Condition": []}, [("malformed-condition", "/Condition")]),
    ({**GOOD, "Condition": None}, [("malformed-condition", "/Condition")]),
    ({**GOOD, "Condition": {"Bool": "x"}}, [("malformed-condition", "/Condition/Bool")]),
    (
        {**GOOD, "Condition": {"StringEquals": {"aws:a/b": None}}},
        [("malformed-condition-value", "/Condition/StringEquals/aws:a~1b")],
    ),
    ({**GOOD, "Condition": {"StringEquals": {"a": [{}, "x"]}}}, [("malformed-condition-value", "/Condition/StringEquals/a/0")]),
]


@pytest.mark.parametrize(("statement", "found"), UNKNOWN)
def test_a_statement_outside_the_grammar_is_unknown(statement: dict[str, Any], found: list[tuple[str, str]]) -> None:
    """Never a pass: such a statement may still apply to the request that its well-formed twin allows."""
    policy, diagnostics = of(statement)
    assert [(one.code, one.pointer.removeprefix("/Statement/0"), one.statement) for one in diagnostics] == [
        (code, pointer, 0) for code, pointer in found
    ]
    assert policy.statements[0].unknown != ()
    assert decision(policy) == "undetermined"


def test_the_case_of_an_effect_has_its_own_help() -> None:
    (one,) = of({**GOOD, "Effect": "ALLOW"})[1]
    assert (one.message, one.help) == ("`Effect` is `Allow` or `Deny`, found `ALLOW`", "did you mean `Allow`? case matters")
    assert of({**GOOD, "Effect": "Deny"})[0].statements[0].effect == "Deny"
    assert of({**GOOD, "Effect": "deny"})[0].statements[0].effect is None


@pytest.mark.parametrize(("item", "found"), [("x", "the string `x`"), (None, "`null`"), ([], "an empty list"), (7, "`7`")])
def test_a_statement_that_is_no_object(item: object, found: str) -> None:
    policy, diagnostics = of(GOOD, item)
    assert [(one.code, one.message, one.pointer, one.statement) for one in diagnostics] == [
        ("malformed-statement", f"a statement is an object, found {found}", "/Statement/1", 1)
    ]
    assert policy.statements[1].unknown == (f"a statement is an object, found {found}",)
    assert [decision(policy), decision(of(item)[0])] == ["undetermined", "undetermined"]


@pytest.mark.parametrize("name", ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition"])
def test_an_element_given_twice_is_unknown(name: str) -> None:
    """Which of the two counts is not known: neither narrows what the statement may apply to."""
    narrow = {"Sid": "a", "Effect": "Deny", "Principal": {"AWS": "999999999999"}, "NotPrincipal": "*", "Action": "kms:Encrypt"}
    narrow |= {"NotAction": "kms:*", "Resource": "x", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    left_out = name.removeprefix("Not") if name.startswith("Not") else name
    rest = json.dumps(without(left_out))[1:-1]
    value = json.dumps(narrow[name])
    policy, diagnostics = raw(f'{rest}, "{name}": {value}, "{name}": {value}')
    assert codes(diagnostics) == [("duplicate-element", f"/Statement/0/{name}")]
    assert policy.statements[0].unknown == (diagnostics[0].message,)
    assert decision(policy) == "undetermined"


def test_the_same_element_in_two_cases_is_given_twice() -> None:
    policy, diagnostics = of({**GOOD, "effect": "Deny"})
    assert [one.code for one in diagnostics] == ["unknown-element", "duplicate-element"]
    assert policy.statements[0].effect is None


def test_every_complaint_at_once() -> None:
    _, diagnostics = parse(
        '{"Version": 1, "Statement": [{"Effect": "x", "Foo": 1}, 2, {"Sid": 3, "Action": 4, "Condition": 5}], "Bar": 6}'
    )
    assert codes(diagnostics) == [
        ("unknown-element", "/Bar"),
        ("invalid-version", "/Version"),
        ("unknown-element", "/Statement/0/Foo"),
        ("invalid-effect", "/Statement/0/Effect"),
        ("missing-principal", "/Statement/0"),
        ("missing-action", "/Statement/0"),
        ("missing-resource", "/Statement/0"),
        ("malformed-statement", "/Statement/1"),
        ("invalid-sid", "/Statement/2/Sid"),
        ("missing-effect", "/Statement/2"),
        ("missing-principal", "/Statement/2"),
        ("malformed-action", "/Statement/2/Action"),
        ("missing-resource", "/Statement/2"),
        ("malformed-condition", "/Statement/2/Condition"),
    ]


# --- principals


def test_a_bare_string_is_read_as_an_aws_principal_in_an_unknown_statement() -> None:
    policy, diagnostics = of({**GOOD, "Principal": "s3.amazonaws.com"})
    (one,) = diagnostics
    assert (one.message, one.help) == (
        '`Principal` is "*" or an object, found `s3.amazonaws.com`',
        'write {"AWS": "…"} or {"Service": "…"}',
    )
    assert [entry[:2] for entry in policy.statements[0].principals or ()] == [("AWS", "s3.amazonaws.com")]
    assert decision(policy) == "implicit_deny"


def test_a_type_of_principals_given_twice() -> None:
    policy, diagnostics = raw(json.dumps(without("Principal"))[1:-1] + f', "Principal": {{"AWS": "{ROOT}", "AWS": "x"}}')
    assert codes(diagnostics) == [("duplicate-principal-type", "/Statement/0/Principal/AWS")]
    assert [entry[:2] for entry in policy.statements[0].principals or ()] == [("AWS", ROOT), ("AWS", "x")]
    assert decision(policy) == "undetermined"


def test_an_empty_list_beside_a_full_one_is_said() -> None:
    policy, diagnostics = of({**GOOD, "Principal": {"AWS": ROOT, "Service": []}})
    assert codes(diagnostics) == [("empty-principal", "/Statement/0/Principal/Service")]
    assert decision(policy) == "allow"


# --- conditions


def test_two_blocks_of_one_operator() -> None:
    """The usual victim of readers that keep the last: neither block is taken for the condition."""
    blocks = '"StringEquals": {"aws:userid": "x"}, "Bool": {"a": "true"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}'
    policy, diagnostics = raw(json.dumps(GOOD)[1:-1] + f', "Condition": {{{blocks}}}')
    (one,) = diagnostics
    assert (one.code, one.pointer) == ("duplicate-operator", "/Statement/0/Condition/StringEquals")
    assert "is given twice, at line 1, column" in one.message
    assert [condition.key for condition in policy.statements[0].conditions] == ["a"]
    assert policy.statements[0].unknown == (one.message,)


def test_one_condition_key_twice() -> None:
    body = json.dumps(GOOD)[1:-1]
    policy, diagnostics = raw(body + ', "Condition": {"Bool": {"a": "x", "b": "y", "a": "z"}}')
    assert codes(diagnostics) == [("duplicate-condition-key", "/Statement/0/Condition/Bool/a")]
    assert [condition.key for condition in policy.statements[0].conditions] == ["b"]
    other, found = raw(body + ', "Condition": {"Bool": {"a": "x", "A": "z"}, "Null": {"a": "true"}}')
    assert codes(found) == [("duplicate-condition-key", "/Statement/0/Condition/Bool/A")]
    assert found[0].message.endswith("as `a`, and the case of a condition key does not count")
    assert [condition.key for condition in other.statements[0].conditions] == ["a", "A", "a"]
    assert other.statements[0].unknown == (found[0].message,)


def test_an_unknown_operator_is_named_and_left_to_the_evaluator() -> None:
    names = ["StringLikes", "NullIfExists", "ForAllValues:StringLikIfExists", "All:Bool", ""]
    policy, diagnostics = of({**GOOD, "Condition": {name: {"a": "true"} for name in names}})
    assert [(one.code, one.message, one.help) for one in diagnostics] == [
        ("unknown-operator", "unknown condition operator `StringLikes`", "did you mean `StringLike`?"),
        ("unknown-operator", "unknown condition operator `NullIfExists`", "did you mean `Null`?"),
        (
            "unknown-operator",
            "unknown condition operator `ForAllValues:StringLikIfExists`",
            "did you mean `ForAllValues:StringLikeIfExists`?",
        ),
        ("unknown-operator", "unknown condition operator `All:Bool`", "did you mean `Bool`?"),
        ("unknown-operator", "unknown condition operator ``", None),
    ]
    assert policy.statements[0].unknown == ()
    assert [condition.operator for condition in policy.statements[0].conditions] == names


def test_an_empty_list_of_values_is_said_and_kept() -> None:
    policy, diagnostics = of({**GOOD, "Condition": {"StringEquals": {"a": []}}})
    assert codes(diagnostics) == [("empty-condition-values", "/Statement/0/Condition/StringEquals/a")]
    assert (policy.statements[0].conditions[0].values, policy.statements[0].unknown) == ((), ())


# --- what a template leaves open


def test_an_unresolved_policy_is_unknown() -> None:
    for node in (from_python(VAR), Node(STRING, Template(("{", VAR)), Text(""), 0, 0)):
        policy, diagnostics = parse_policy(node)
        assert diagnostics == ()
        assert len(policy.unknown) == 1
        assert "var.x" in policy.unknown[0]
    policy, _ = parse_policy(from_python({"Statement": VAR}))
    assert policy.unknown == ("`Statement` is `${var.x}`, which could not be resolved",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Effect", VAR),
        ("Effect", Template(("A", VAR))),
        ("Principal", VAR),
        ("Principal", {"AWS": VAR}),
        ("Action", VAR),
        ("Resource", VAR),
        ("Condition", VAR),
        ("Condition", {"Bool": VAR}),
    ],
)
def test_an_unresolved_element_is_unknown_and_names_its_symbol(name: str, value: object) -> None:
    policy, diagnostics = parse_policy(from_python({"Statement": [{**GOOD, name: value}]}))
    assert diagnostics == ()
    assert "var.x" in policy.statements[0].unknown[0]
    assert decision(policy) == "undetermined"


def test_an_unresolved_statement_may_be_any() -> None:
    policy, diagnostics = parse_policy(from_python({"Statement": [GOOD, VAR]}))
    assert diagnostics == ()
    assert policy.statements[1].unknown == ("the statement is `${var.x}`, which could not be resolved",)
    assert decision(policy) == "undetermined"


def test_an_unresolved_sid_matters_to_nobody() -> None:
    policy, diagnostics = parse_policy(from_python({"Statement": [{**GOOD, "Sid": VAR}]}))
    assert (diagnostics, policy.statements[0].sid, policy.statements[0].unknown) == ((), None, ())


def test_an_unresolved_value_is_kept_as_one() -> None:
    own = Template(("arn:aws:iam::", Symbol("local.account", "account"), ":root"))
    account = Symbol("local.account", "account")
    statement = {**GOOD, "Principal": {"AWS": [own, VAR]}, "Action": [VAR], "Condition": {"Bool": {"a": VAR, "b": [own]}}}
    policy, diagnostics = parse_policy(from_python({"Statement": [statement, {**GOOD, "Principal": {"AWS": account}}]}))
    assert diagnostics == ()
    first, second = policy.statements
    assert (first.unknown, second.unknown) == ((), ())
    assert [entry.value for entry in first.principals or ()] == [own, Template((VAR,))]
    assert [item.value for item in first.actions or ()] == [Template((VAR,))]
    assert [[item.value for item in condition.values] for condition in first.conditions] == [[Template((VAR,))], [own]]
    assert [entry.value for entry in second.principals or ()] == [Template((account,))]
    unresolved, _ = parse_policy(from_python({"Version": VAR, "Statement": [GOOD]}))
    assert (unresolved.version, unresolved.statements[0].unknown) == (None, ())


# --- statements of a question


def test_what_a_described_statement_leaves_out_is_any() -> None:
    node = from_python({"Condition": {"Bool": {"a": "true"}}})
    (found,), diagnostics = parse_statements(node)
    assert diagnostics == ()
    anything = (Item("*", node),)
    assert found == Statement(
        0, None, "Allow", (Principal("*", "*", node),), anything, anything, found.conditions, node
    )  # fmt: skip
    assert [(condition.operator, condition.key) for condition in found.conditions] == [("Bool", "a")]


def test_a_list_of_described_statements() -> None:
    found, diagnostics = parse_statements(
        from_python([{"Action": "kms:Decrypt", "Effect": "nothing"}, {"NotPrincipal": {"AWS": OWNER}}])
    )
    assert diagnostics == ()
    assert [(one.index, one.effect, one.not_principal) for one in found] == [(0, "Allow", False), (1, "Allow", True)]
    assert [[item.value for item in one.actions or ()] for one in found] == [["kms:Decrypt"], ["*"]]


def test_the_faults_of_described_statements() -> None:
    found, diagnostics = parse_statements(
        from_python([{"Action": 1}, "x", {"Foo": 1}, {"Condition": {"StringLikes": {"a": "b"}}}])
    )
    assert codes(diagnostics) == [
        ("malformed-action", "/0/Action"),
        ("malformed-statement", "/1"),
        ("unknown-element", "/2/Foo"),
        ("unknown-operator", "/3/Condition/StringLikes"),
    ]
    assert [one.unknown != () for one in found] == [True, True, False]
    assert parse_statements(from_python([])) == ((), ())


# --- whatever comes

NAMES = st.sampled_from(
    [
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "AWS",
        "Service",
        "StringEquals",
        "stringequals",
        "Bool",
        "aws:userid",
        "AWS:userid",
        "x",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["*", "Allow", "Deny", "2012-10-17", "kms:*", ROOT, OWNER, "", "${aws:userid}", VAR, Template(("a", VAR))])
)


def objects(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Objects in which a name may stand twice."""
    text = Text("")

    def build(pairs: list[tuple[str, Node]]) -> Node:
        from kmslint.tree import OBJECT, Member

        return Node(OBJECT, tuple(Member(key, Node(STRING, key, text, 0, 0), value) for key, value in pairs), text, 0, 0)

    return st.lists(st.tuples(NAMES, inner), max_size=6).map(build)


def lists(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    from kmslint.tree import ARRAY

    return st.lists(inner, max_size=4).map(lambda items: Node(ARRAY, tuple(items), Text(""), 0, 0))


TREES = st.recursive(LEAVES.map(from_python), lambda inner: objects(inner) | lists(inner), max_leaves=30)
STATEMENTS = st.fixed_dictionaries(
    {},
    optional={
        "Effect": TREES | st.sampled_from(["Allow", "Deny"]).map(from_python),
        "Principal": TREES,
        "Action": TREES,
        "Resource": TREES,
        "Condition": objects(objects(TREES)),
    },
)


def checked(policy: Policy, diagnostics: tuple[Diagnostic, ...]) -> None:
    """What holds of every policy: names are text, places exist, and what is malformed is said or unknown."""
    for diagnostic in diagnostics:
        assert diagnostic.message.isprintable()
        assert not diagnostic.message.endswith(".")
        assert isinstance(diagnostic.node, Node)
    for index, statement in enumerate(policy.statements):
        assert statement.index == index
        assert statement.effect in {"Allow", "Deny", None}
        assert statement.effect is not None or statement.unknown
        for entry in statement.principals or ():
            assert entry.kind in {"*", "AWS", "Service", "Federated", "CanonicalUser"}
            assert isinstance(entry.value, (str, Template))
        for condition in statement.conditions:
            assert isinstance(condition, Condition)
            assert all(isinstance(item.value, (str, Template)) for item in condition.values)
    assert evaluate((policy,), ASKED).decision in {"allow", "explicit_deny", "implicit_deny", "undetermined"}


@given(TREES)
def test_no_value_is_refused(node: Node) -> None:
    checked(*parse_policy(node))
    statements, _ = parse_statements(node)
    assert all(statement.effect == "Allow" for statement in statements)


@given(st.lists(STATEMENTS, max_size=3), st.booleans())
def test_no_statement_is_refused(statements: list[dict[str, Node]], alone: bool) -> None:
    from kmslint.tree import OBJECT, Member

    text = Text("")
    nodes = [
        Node(OBJECT, tuple(Member(k, Node(STRING, k, text, 0, 0), v) for k, v in one.items()), text, 0, 0) for one in statements
    ]
    held = nodes[0] if alone and nodes else Node("array", tuple(nodes), text, 0, 0)
    checked(*parse_policy(Node(OBJECT, (Member("Statement", held, held),), text, 0, 0)))


@given(TREES)
def test_an_ill_formed_statement_is_never_sure_to_allow(node: Node) -> None:
    """A statement that got a complaint about more than a missing or empty element never gives a sure allow."""
    policy, diagnostics = parse_policy(node)
    harmless = ("missing-", "empty-", "unknown-operator")
    spoilt = {one.statement for one in diagnostics if not one.code.startswith(harmless) or one.code == "missing-effect"}
    assert {statement.index for statement in policy.statements if not statement.unknown}.isdisjoint(spoilt)


def test_unresolved_is_a_kind_that_every_position_takes() -> None:
    assert from_python(VAR).kind == UNRESOLVED


def test_complaints_and_reasons_are_bounded() -> None:
    policy, diagnostics = of({f"x{number}": 1 for number in range(5_000)})
    assert len(diagnostics) == MAX_DIAGNOSTICS + 1
    assert diagnostics[-1].message == "the policy has more faults than are listed"
    assert len(policy.statements[0].unknown) == MAX_REASONS


def test_messages_are_short_and_show_what_they_quote() -> None:
    _, diagnostics = of({**GOOD, "Condition": {"x" * 100_000: {"a": "b"}}, "\x1b[31m": 1, "Effect": "y" * 100_000})
    assert all(len(one.message) < 200 and one.message.isprintable() for one in diagnostics)
