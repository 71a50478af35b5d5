"""What the parser makes of a text, as whole values: the statement, every complaint, every word of help."""

import json
from typing import Any

import pytest

from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.policy import operators, parse
from kmslint.policy.document import Diagnostic, Item, Policy, Principal, Statement
from kmslint.policy.parse import parse_policy, parse_shape, parse_statements
from kmslint.tree import STRING, Member, Node, Symbol, Template, from_python

OWNER = "111122223333"
GOOD: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}
VAR = Symbol("var.x")
OWN = Symbol("local.account", "account")


def read(content: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    return parse_policy(read_json(Text(content, file="f.json")))


def built(*statements: object, **more: object) -> tuple[Policy, tuple[Diagnostic, ...]]:
    return parse_policy(from_python({"Version": "2012-10-17", **more, "Statement": list(statements)}))


def told(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, str, str | None, str, int | None]]:
    return [(one.code, one.message, one.help, one.pointer, one.statement) for one in diagnostics]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


def values(items: tuple[Item, ...] | None) -> list[object] | None:
    return None if items is None else [item.value for item in items]


def entries(statement: Statement) -> list[tuple[str, object]] | None:
    return None if statement.principals is None else [(entry.kind, entry.value) for entry in statement.principals]


def shape(statement: Statement) -> tuple[object, ...]:
    """What was read, without places."""
    return (
        statement.effect,
        (statement.not_principal, entries(statement)),
        (statement.not_action, values(statement.actions)),
        (statement.not_resource, values(statement.resources)),
        [(one.operator, one.key, values(one.values)) for one in statement.conditions],
        statement.unknown,
    )


# -------------------------------------------------------------------------------------------------------------------- the text


def padded(size: int) -> str:
    """A policy of so many characters, after white space that does not count."""
    whole = json.dumps({"Version": "2012-10-17", "Id": "", "Statement": [GOOD]})
    return " " * 120_000 + whole.replace('"Id": ""', '"Id": "' + "x" * (size - len(whole)) + '"')


def test_a_policy_is_read_up_to_what_a_call_of_kms_takes() -> None:
    assert read(padded(131_072))[0].unknown == ()
    assert read(padded(131_073))[0].unknown == ("the policy has more than the 131,072 characters that KMS takes",)
    assert read(padded(32_768))[1] == ()
    assert [one.code for one in read(padded(32_769))[1]] == ["policy-too-large"]


def test_a_policy_in_a_string_that_is_not_json() -> None:
    policy, (one,) = read('"{"')
    assert policy._replace(node=None) == Policy(None, (), None, ("the policy is a string that is not JSON",))
    assert (one.code, one.pointer, one.statement) == ("policy-not-an-object", "", None)
    assert one.message.startswith("the policy is a string that is not JSON: ")
    assert policy.node == one.node


@pytest.mark.parametrize("content", ["3", "  12  ", "true", "null", "[ ]"])
def test_what_is_no_policy_stands_where_it_stands(content: str) -> None:
    node = read_json(Text(content))
    policy, (one,) = parse_policy(node)
    assert (one.node, policy.node, policy.statements, policy.version) == (node, node, (), None)
    assert parse_shape(node) == (policy, (one,))


def test_ascii_text_is_not_searched_for_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The expression is compiled for texts that need it alone."""
    searched: list[str] = []

    class Counts:
        def search(self, content: str) -> None:
            searched.append(content)

    monkeypatch.setattr(parse, "_REFUSED", Counts())
    read(json.dumps({"Statement": [GOOD]}))
    assert searched == []
    read(json.dumps({"Id": "\u00e9", "Statement": [GOOD]}, ensure_ascii=False))
    assert len(searched) == 1


def test_a_refused_character_and_what_to_do() -> None:
    content = json.dumps({"Id": "\u0416", "Statement": [GOOD]}, ensure_ascii=False)
    policy, (one,) = read(content)
    message = "the character U+0416 `\u0416` is not allowed in a key policy"
    assert told((one,)) == [("character-not-allowed", message, "use characters up to U+00FF, or write a JSON escape", "", None)]
    assert (one.node.kind, one.node.value, content[one.node.start : one.node.end]) == (STRING, "\u0416", "\u0416")
    assert policy.unknown == ()


@pytest.mark.parametrize("value", [VAR, Template(("{", VAR)), Template((VAR,))])
def test_a_policy_that_is_open(value: object) -> None:
    node = from_python(value)
    text = str(value) if isinstance(value, Template) else "${var.x}"
    assert parse_policy(node) == (Policy(None, (), node, (f"the policy is `{text}`, which could not be resolved",)), ())


# ---------------------------------------------------------------------------------------------------------------- the document

NO_ELEMENT = "an element is one of Version, Id, Statement"

DOCUMENTS: list[tuple[dict[str, object], list[tuple[str, str, str | None, str, int | None]], str | None, tuple[str, ...]]] = [
    # document, complaints, version, why it is unknown
    ({"Version": "2012-10-17", "Statement": [GOOD]}, [], "2012-10-17", ()),
    ({"Statement": [GOOD]}, [], None, ()),
    ({"Statement": [GOOD], "Versio": "2012-10-17"}, [("unknown-element", "`Versio` is no element of a policy", "did you mean `Version`?", "/Versio", None)], None, ()),
    ({"Statement": [GOOD], "version": "2012-10-17"}, [("unknown-element", "`version` is no element of a policy", "did you mean `Version`?", "/version", None)], "2012-10-17", ()),
    ({"Statement": [GOOD], "ID": "x"}, [("unknown-element", "`ID` is no element of a policy", "did you mean `Id`?", "/ID", None)], None, ()),
    ({"Statement": [GOOD], "Comment": "x"}, [("unknown-element", "`Comment` is no element of a policy", NO_ELEMENT, "/Comment", None)], None, ()),
    ({"STATEMENT": [GOOD]}, [("unknown-element", "`STATEMENT` is no element of a policy", "did you mean `Statement`?", "/STATEMENT", None)], None, ("`STATEMENT` is no element of a policy",)),
    ({"Statements": [GOOD]}, [("unknown-element", "`Statements` is no element of a policy", "did you mean `Statement`?", "/Statements", None), ("missing-statement", "the policy has no `Statement`", 'add "Statement": [ … ]', "", None)], None, ("the policy has no `Statement`",)),
    ({"Statement": [GOOD], "Version": "2013"}, [("invalid-version", "`Version` is `2013`, and no version of the policy language", 'set "Version": "2012-10-17"', "/Version", None)], "2013", ()),
    ({"Statement": [GOOD], "Version": 2012}, [("invalid-version", "`Version` is `2012`, and no version of the policy language", 'set "Version": "2012-10-17"', "/Version", None)], None, ()),
    ({"Statement": [GOOD], "Version": None}, [("invalid-version", "`Version` is `null`, and no version of the policy language", 'set "Version": "2012-10-17"', "/Version", None)], None, ()),
    ({"Statement": [GOOD], "Version": VAR}, [], None, ()),
    ({"Statement": [GOOD], "Version": Template(("2012", VAR))}, [], None, ()),
    ({"Statement": [GOOD], "Id": VAR}, [], None, ()),
    ({"Statement": [GOOD], "Id": {}}, [("invalid-id", "`Id` is a string, found an object", None, "/Id", None)], None, ()),
    ({"Statement": []}, [("empty-statement-list", "the policy has no statement", "a key policy has at least one", "/Statement", None)], None, ()),
    ({"Statement": Template(("a", VAR))}, [], None, ("`Statement` is `a${var.x}`, which could not be resolved",)),
    ({"Statement": "x"}, [("malformed-statement", "`Statement` is an object or a list of objects, found the string `x`", None, "/Statement", None)], None, ("`Statement` is an object or a list of objects, found the string `x`",)),
]  # fmt: skip


@pytest.mark.parametrize(("document", "complaints", "version", "unknown"), DOCUMENTS)
def test_a_document(
    document: dict[str, object],
    complaints: list[tuple[str, str, str | None, str, int | None]],
    version: str | None,
    unknown: tuple[str, ...],
) -> None:
    policy, diagnostics = parse_policy(from_python(document))
    assert (told(diagnostics), policy.version, policy.unknown) == (complaints, version, unknown)


def test_an_empty_object_is_one_statement_and_no_empty_list() -> None:
    policy, diagnostics = parse_policy(from_python({"Statement": {}}))
    assert [one.code for one in diagnostics] == ["missing-effect", "missing-principal", "missing-action", "missing-resource"]
    assert [shape(one) for one in policy.statements] == [
        (None, (False, None), (False, None), (False, None), [], ("the statement has no `Effect`",))
    ]


VARIABLE = "${aws:userid}"


@pytest.mark.parametrize(
    ("element", "is_doubted"),
    [
        ({"Resource": "a/" + VARIABLE}, True),
        ({"Resource": ["x", Template(("a", VAR))]}, True),
        ({"Condition": {"Bool": {"a": ["x", VARIABLE]}}}, True),
        ({"Condition": {"Bool": {"a": "x", "b": Template((VAR,))}}}, True),
        ({"Action": VARIABLE}, False),
        ({"Principal": {"AWS": VARIABLE}}, False),
        ({"Condition": {"Bool": {VARIABLE: "x"}}}, False),
        ({"Condition": {"Bool": {"a": "$x{}"}}}, False),
    ],
)
def test_where_a_variable_may_stand_the_version_matters(element: dict[str, object], is_doubted: bool) -> None:
    for version, reason in (
        ("2011", "`Version` is `2011`, and no version of the policy language"),
        (VAR, "`Version` is `${var.x}`, which could not be resolved"),
    ):
        policy, _ = built({**GOOD, **element}, {**without("Resource"), "Sid": "second"}, Version=version)
        assert [one.unknown for one in policy.statements] == [(reason,) if is_doubted else (), ()]
    assert [one.unknown for one in built({**GOOD, **element})[0].statements] == [()]


# ----------------------------------------------------------------------------------------------------------------- a statement

ELEMENTS = "an element is one of Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition"
KINDS = "a principal type is one of AWS, Service, Federated, CanonicalUser"
ADD_RESOURCE = 'add "Resource": "*", which means the key that the policy is attached to'
OWNERS = (False, [("AWS", OWNER)])
ALL, ANY, ANYBODY = (False, ["kms:*"]), (False, ["*"]), (False, [("*", "*")])
EMPTY = "so the statement has no effect"

Complaint = tuple[str, str, str | None, str]

STATEMENTS: list[tuple[dict[str, object], list[Complaint], tuple[object, ...]]] = [
    # statement, complaints (their pointers within it), what is read but for why it is unknown
    (GOOD, [], ("Allow", OWNERS, ALL, ANY, [])),
    # what is missing, and what may be it in another spelling
    (
        without("Action"),
        [("missing-action", "the statement has no `Action`, so it has no effect", 'add "Action"', "")],
        ("Allow", OWNERS, (False, None), ANY, []),
    ),
    (
        without("Principal"),
        [("missing-principal", "the statement has no `Principal`, so it has no effect", "say whom the statement is about", "")],
        ("Allow", (False, None), ALL, ANY, []),
    ),
    (
        without("Resource"),
        [("missing-resource", "the statement has no `Resource`, so it has no effect", ADD_RESOURCE, "")],
        ("Allow", OWNERS, ALL, (False, None), []),
    ),
    (
        without("Effect"),
        [("missing-effect", "the statement has no `Effect`", "add `Allow` or `Deny`", "")],
        (None, OWNERS, ALL, ANY, []),
    ),
    (
        {**without("Action"), "NotActio": "x"},
        [("unknown-element", "`NotActio` is no element of a statement", "did you mean `NotAction`?", "/NotActio")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**without("Action"), "Actoin": "x"},
        [("unknown-element", "`Actoin` is no element of a statement", "did you mean `Action`?", "/Actoin")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**without("Action"), "Comment": "x"},
        [
            ("unknown-element", "`Comment` is no element of a statement", ELEMENTS, "/Comment"),
            ("missing-action", "the statement has no `Action`, so it has no effect", 'add "Action"', ""),
        ],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**without("Principal"), "NotPrincipals": "x"},
        [("unknown-element", "`NotPrincipals` is no element of a statement", "did you mean `NotPrincipal`?", "/NotPrincipals")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**without("Action"), "ACTION": "kms:x"},
        [("unknown-element", "`ACTION` is no element of a statement", "did you mean `Action`?", "/ACTION")],
        ("Allow", OWNERS, (False, ["kms:x"]), ANY, []),
    ),
    # an element and its negation
    (
        {**GOOD, "NotAction": "x"},
        [("exclusive-elements", "`Action` and `NotAction` exclude each other", "keep one of them", "/NotAction")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**GOOD, "NotPrincipal": "*"},
        [("exclusive-elements", "`Principal` and `NotPrincipal` exclude each other", "keep one of them", "/NotPrincipal")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "NotResource": "x"},
        [("exclusive-elements", "`Resource` and `NotResource` exclude each other", "keep one of them", "/NotResource")],
        ("Allow", OWNERS, ALL, ANY, []),
    ),
    (
        {**without("Resource"), "NotResource": ["x"]},
        [("missing-resource", "the statement has `NotResource` and no `Resource`", ADD_RESOURCE, "/NotResource")],
        ("Allow", OWNERS, ALL, (True, ["x"]), []),
    ),
    ({**without("Principal"), "NotPrincipal": "*"}, [], ("Allow", (True, [("*", "*")]), ALL, ANY, [])),
    ({**without("Action"), "NotAction": ["a", "b"]}, [], ("Allow", OWNERS, (True, ["a", "b"]), ANY, [])),
    # a value that is none
    (
        {**GOOD, "Action": {"a": 1}},
        [("malformed-action", "`Action` is a string or a list of strings, found an object", None, "/Action")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**without("Action"), "NotAction": ["a", {}]},
        [("malformed-action", "`NotAction` is a string or a list of strings, found an object", None, "/NotAction/1")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**GOOD, "Action": [["x"], "kms:x"]},
        [("malformed-action", "`Action` is a string or a list of strings, found a list", None, "/Action/0")],
        ("Allow", OWNERS, ANY, ANY, []),
    ),
    (
        {**GOOD, "Resource": []},
        [("empty-resource", f"`Resource` is empty, {EMPTY}", None, "/Resource")],
        ("Allow", OWNERS, ALL, (False, []), []),
    ),
    (
        {**without("Action"), "NotAction": []},
        [("empty-action", "`NotAction` is empty", None, "/NotAction")],
        ("Allow", OWNERS, (True, []), ANY, []),
    ),
    ({**GOOD, "Sid": 7}, [("invalid-sid", "`Sid` is a string, found `7`", None, "/Sid")], ("Allow", OWNERS, ALL, ANY, [])),
    # the effect
    (
        {**GOOD, "Effect": "Permit"},
        [("invalid-effect", "`Effect` is `Allow` or `Deny`, found `Permit`", None, "/Effect")],
        (None, OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Effect": "deny"},
        [("invalid-effect", "`Effect` is `Allow` or `Deny`, found `deny`", "did you mean `Deny`? case matters", "/Effect")],
        (None, OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Effect": None},
        [("invalid-effect", "`Effect` is `Allow` or `Deny`, found `null`", None, "/Effect")],
        (None, OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Effect": 1},
        [("invalid-effect", "`Effect` is `Allow` or `Deny`, found `1`", None, "/Effect")],
        (None, OWNERS, ALL, ANY, []),
    ),
    # principals
    (
        {**GOOD, "Principal": OWNER},
        [
            (
                "malformed-principal", f'`Principal` is "*" or an object, found `{OWNER}`',
                'write {"AWS": "…"} or {"Service": "…"}', "/Principal",
            )
        ],
        ("Allow", OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": [OWNER]},
        [("malformed-principal", '`Principal` is "*" or an object, found a list', None, "/Principal")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": []},
        [("empty-principal", f"`Principal` is empty, {EMPTY}", None, "/Principal")],
        ("Allow", (False, []), ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {}},
        [("empty-principal", f"`Principal` is empty, {EMPTY}", None, "/Principal")],
        ("Allow", (False, []), ALL, ANY, []),
    ),
    (
        {**without("Principal"), "NotPrincipal": []},
        [("empty-principal", "`NotPrincipal` is empty", None, "/NotPrincipal")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"AWS": []}},
        [("empty-principal", "`Principal` lists no `AWS` principal", None, "/Principal/AWS")],
        ("Allow", (False, []), ALL, ANY, []),
    ),
    (
        {**without("Principal"), "NotPrincipal": {"AWS": []}},
        [
            ("empty-principal", "`NotPrincipal` lists no `AWS` principal", None, "/NotPrincipal/AWS"),
            ("empty-principal", "`NotPrincipal` is empty", None, "/NotPrincipal"),
        ],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**without("Principal"), "NotPrincipal": {"AWS": [None]}},
        [("malformed-principal", "a principal is a string, found `null`", "put it in quotes", "/NotPrincipal/AWS/0")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"AWS": [None, OWNER], "Service": "s3.amazonaws.com"}},
        [("malformed-principal", "a principal is a string, found `null`", "put it in quotes", "/Principal/AWS/0")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"AWS": [OWNER, 7]}},
        [("malformed-principal", "a principal is a string, found `7`", "put it in quotes", "/Principal/AWS/1")],
        ("Allow", (False, [("AWS", OWNER), ("AWS", "7")]), ALL, ANY, []),
    ),
    (
        {**without("Principal"), "NotPrincipal": {"AWS": [OWNER, 7]}},
        [("malformed-principal", "a principal is a string, found `7`", "put it in quotes", "/NotPrincipal/AWS/1")],
        ("Allow", ANYBODY, ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"service": "s3.amazonaws.com"}},
        [("unknown-principal-type", "`service` is no type of principal", "did you mean `Service`?", "/Principal/service")],
        ("Allow", (False, [("Service", "s3.amazonaws.com")]), ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"Services": "s3.amazonaws.com"}},
        [("unknown-principal-type", "`Services` is no type of principal", "did you mean `Service`?", "/Principal/Services")],
        ("Allow", (False, [("AWS", "s3.amazonaws.com")]), ALL, ANY, []),
    ),
    (
        {**GOOD, "Principal": {"x/y": OWNER}},
        [("unknown-principal-type", "`x/y` is no type of principal", KINDS, "/Principal/x~1y")],
        ("Allow", OWNERS, ALL, ANY, []),
    ),
    # conditions
    ({**GOOD, "Condition": {"Bool": {"a": True, "b": [1, "x"]}, "Null": {"a": "true"}}}, [], ("Allow", OWNERS, ALL, ANY, [("Bool", "a", ["true"]), ("Bool", "b", ["1", "x"]), ("Null", "a", ["true"])])),
    (
        {**GOOD, "Condition": "x"},
        [("malformed-condition", "`Condition` is an object, found the string `x`", None, "/Condition")],
        ("Allow", OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Condition": {"Bool": [], "Null": {"a": "true"}}},
        [("malformed-condition", "`Bool` takes an object of condition keys, found an empty list", None, "/Condition/Bool")],
        ("Allow", OWNERS, ALL, ANY, [("Null", "a", ["true"])]),
    ),
    (
        {**GOOD, "Condition": {"Bool": {"a": ["x", None], "b": "y"}}},
        [
            (
                "malformed-condition-value", "a condition value is a string, a number or a boolean, found `null`",
                None, "/Condition/Bool/a/1",
            )
        ],
        ("Allow", OWNERS, ALL, ANY, [("Bool", "b", ["y"])]),
    ),
    (
        {**GOOD, "Condition": {"Bool": {"a": [None]}}},
        [
            (
                "malformed-condition-value", "a condition value is a string, a number or a boolean, found `null`",
                None, "/Condition/Bool/a/0",
            )
        ],
        ("Allow", OWNERS, ALL, ANY, []),
    ),
    (
        {**GOOD, "Condition": {"Bool": {"a": []}}},
        [("empty-condition-values", "`a` has no value to compare with", None, "/Condition/Bool/a")],
        ("Allow", OWNERS, ALL, ANY, [("Bool", "a", [])]),
    ),
]  # fmt: skip

DOCUMENTED = ("missing-", "empty-", "unknown-operator")


@pytest.mark.parametrize(("statement", "complaints", "read"), STATEMENTS)
def test_a_statement(statement: dict[str, object], complaints: list[Complaint], read: tuple[object, ...]) -> None:
    """What spoils the statement is also why it is unknown, word for word."""
    policy, diagnostics = built(GOOD, statement)
    at = "/Statement/1"
    assert told(diagnostics) == [(code, message, help, at + pointer, 1) for code, message, help, pointer in complaints]
    spoilt = tuple(
        message
        for code, message, _, pointer in complaints
        if not code.startswith(DOCUMENTED)
        or code == "missing-effect"
        or (code.startswith("empty-") and message.endswith("is empty"))
    )
    assert [shape(one) for one in policy.statements] == [("Allow", OWNERS, ALL, ANY, [], ()), (*read, spoilt)]


OPEN: list[tuple[dict[str, object], tuple[object, ...]]] = [
    # statement, what is read and why it is unknown; nothing is complained about
    ({**GOOD, "Sid": VAR}, ("Allow", OWNERS, ALL, ANY, [], ())),
    ({**GOOD, "Effect": VAR}, (None, OWNERS, ALL, ANY, [], ("`Effect` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Effect": Template(("A", VAR))}, (None, OWNERS, ALL, ANY, [], ("`Effect` is `A${var.x}`, which could not be resolved",))),
    ({**GOOD, "Action": VAR}, ("Allow", OWNERS, (False, [Template((VAR,))]), ANY, [], ("`Action` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Action": [VAR, "a"]}, ("Allow", OWNERS, (False, [Template((VAR,)), "a"]), ANY, [], ())),
    ({**GOOD, "Action": OWN}, ("Allow", OWNERS, (False, [Template((OWN,))]), ANY, [], ())),
    ({**without("Resource"), "NotResource": VAR}, ("Allow", OWNERS, ALL, (True, [Template((VAR,))]), [], ("`NotResource` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Principal": VAR}, ("Allow", ANYBODY, ALL, ANY, [], ("`Principal` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Principal": {"AWS": VAR}}, ("Allow", (False, [("AWS", Template((VAR,)))]), ALL, ANY, [], ("`Principal` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Principal": {"AWS": OWN}}, ("Allow", (False, [("AWS", Template((OWN,)))]), ALL, ANY, [], ())),
    ({**GOOD, "Principal": {"AWS": [VAR]}}, ("Allow", (False, [("AWS", Template((VAR,)))]), ALL, ANY, [], ())),
    ({**without("Principal"), "NotPrincipal": {"AWS": VAR}}, ("Allow", ANYBODY, ALL, ANY, [], ("`NotPrincipal` is `${var.x}`, which could not be resolved",))),
    ({**without("Principal"), "NotPrincipal": {"AWS": [VAR]}}, ("Allow", (True, [("AWS", Template((VAR,)))]), ALL, ANY, [], ())),
    ({**GOOD, "Condition": VAR}, ("Allow", OWNERS, ALL, ANY, [], ("`Condition` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Condition": {"Bool": VAR}}, ("Allow", OWNERS, ALL, ANY, [], ("the condition `Bool` is `${var.x}`, which could not be resolved",))),
    ({**GOOD, "Condition": {"Bool": {"a": VAR}}}, ("Allow", OWNERS, ALL, ANY, [("Bool", "a", [Template((VAR,))])], ())),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "read"), OPEN)
def test_what_a_template_leaves_open(statement: dict[str, object], read: tuple[object, ...]) -> None:
    policy, diagnostics = built(statement)
    assert diagnostics[:-1] == ()
    assert [one.code for one in diagnostics] == (["missing-resource"] if "NotResource" in statement else [])
    assert [shape(one) for one in policy.statements] == [read]


def test_a_statement_that_is_open_or_none() -> None:
    node = from_python([VAR, Template(("a", VAR)), 7])
    policy, (one,) = parse_policy(from_python({"Statement": [VAR, Template(("a", VAR)), 7]}))
    reasons = (
        "the statement is `${var.x}`, which could not be resolved",
        "the statement is `a${var.x}`, which could not be resolved",
        "a statement is an object, found `7`",
    )
    assert told((one,)) == [("malformed-statement", reasons[2], None, "/Statement/2", 2)]
    for index, (found, item, reason) in enumerate(zip(policy.statements, node.items(), reasons, strict=True)):
        anything = (Item("*", item),)
        assert found == Statement(
            index, None, None, (Principal("*", "*", item),), anything, anything, (), item, unknown=(reason,)
        )


# ------------------------------------------------------------------------------------------------------------ names given twice


def twice(body: str) -> tuple[Statement, list[tuple[str, str, str]]]:
    policy, diagnostics = read('{"Version": "2012-10-17", "Statement": [{' + json.dumps(GOOD)[1:-1] + ", " + body + "}]}")
    return policy.statements[0], [(one.code, one.pointer.removeprefix("/Statement/0"), one.help or "") for one in diagnostics]


def test_an_operator_given_twice_and_what_stands_after_it() -> None:
    statement, complaints = twice('"Condition": {"Bool": {"a": "x"}, "Bool": {"b": "y"}, "Null": {"c": "z"}}')
    assert complaints == [("duplicate-operator", "/Condition/Bool", "join the two objects: AWS keeps one at most")]
    assert [(one.operator, one.key) for one in statement.conditions] == [("Null", "c")]


def test_a_condition_key_given_twice_says_both_spellings_where_they_differ() -> None:
    statement, complaints = twice('"Condition": {"Bool": {"a": "x", "b": "w", "a": "y"}}')
    assert complaints == [("duplicate-condition-key", "/Condition/Bool/a", "join the two")]
    assert [(one.key, values(one.values)) for one in statement.conditions] == [("b", ["w"])]
    assert not statement.unknown[0].endswith("does not count")
    other, complaints = twice('"Condition": {"Bool": {"a": "x", "A": "y"}}')
    assert complaints == [("duplicate-condition-key", "/Condition/Bool/A", "join the two")]
    assert [(one.key, values(one.values)) for one in other.conditions] == [("a", ["x"]), ("A", ["y"])]
    assert other.unknown[0].endswith(" as `a`, and the case of a condition key does not count")


def test_an_element_given_twice_with_its_places() -> None:
    content = '{"Statement": [{"Effect": "Allow",\n "Action": "a", "Action": "b"}]}'
    policy, diagnostics = read(content)
    message = "`Action` is given twice, at line 2, column 2 and at line 2, column 17"
    assert told(diagnostics)[0] == ("duplicate-element", message, "keep one", "/Statement/0/Action", 0)
    assert values(policy.statements[0].actions) == ["*"]
    assert message in policy.statements[0].unknown


# ------------------------------------------------------------------------------------------------------------------- questions


def test_a_described_statement_says_what_it_says() -> None:
    (whole,), diagnostics = parse_statements(
        from_python({**without("Effect"), "Sid": "s", "Resource": ["r"], "Condition": {"Bool": {"a": "b"}}})
    )
    assert diagnostics == ()
    assert (whole.sid, *shape(whole)) == ("s", "Allow", OWNERS, ALL, (False, ["r"]), [("Bool", "a", ["b"])], ())
    negated = {"NotPrincipal": {"AWS": OWNER}, "NotAction": "kms:*", "NotResource": "r"}
    (other,), diagnostics = parse_statements(from_python(negated))
    assert diagnostics == ()
    assert shape(other) == ("Allow", (True, [("AWS", OWNER)]), (True, ["kms:*"]), (True, ["r"]), [], ())


def test_what_is_no_statement_is_said_with_its_place() -> None:
    found, diagnostics = parse_statements(from_python([{}, "x"]))
    assert [shape(one) for one in found] == [("Allow", ANYBODY, ANY, ANY, [], ())]
    assert told(diagnostics) == [("malformed-statement", "a statement is an object, found the string `x`", None, "/1", 1)]


# ------------------------------------------------------------------------------------------------------------------ the work done


def test_near_names_are_looked_for_only_where_they_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(parse, "_nearest", lambda name, names: asked.append(name))
    monkeypatch.setattr(operators, "nearest", asked.append)
    text = Text("")

    def named(name: str) -> Node:
        return Node(STRING, name, text, 0, 0)

    many = tuple(Member(f"x{number}", named("x"), named("y")) for number in range(1_200))
    parse_policy(Node("object", many, text, 0, 0))
    assert len(asked) == 1_000
    asked.clear()
    block = from_python({f"x{number}": {} for number in range(1_200)})
    parse_statements(from_python({"Condition": {}}))
    assert asked == []
    parse_statements(Node("object", (Member("Condition", named("Condition"), block),), text, 0, 0))
    assert len(asked) == 1_000


def test_a_plain_string_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most values of a policy are plain strings: no list is made of them."""
    listed: list[Node] = []
    each = parse._each

    def counted(node: Node, at: str) -> object:
        listed.append(node)
        return each(node, at)

    monkeypatch.setattr(parse, "_each", counted)
    statement = {**GOOD, "Condition": {"Bool": {"a": "x"}}}
    parse_policy(from_python({"Statement": statement}))
    assert len(listed) == 1
    listed.clear()
    parse_policy(from_python({"Statement": {**statement, "Principal": {"AWS": [OWNER]}, "Condition": {"Bool": {"a": ["x"]}}}}))
    assert len(listed) == 3


def test_an_element_that_stands_as_it_should_is_nothing_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(parse._Reading, "odd", lambda _, member: asked.append(member.key))
    parse_policy(from_python({"Statement": {**GOOD, "Sid": "s", "Condition": {}, "comment": "x"}}))
    assert asked == ["comment"]


def test_reasons_are_kept_in_order_up_to_ten() -> None:
    policy, _ = built({**GOOD, **{f"x{number}": 1 for number in range(12)}})
    assert policy.statements[0].unknown == tuple(f"`x{number}` is no element of a statement" for number in range(10))


def test_complaints_are_kept_in_order_up_to_a_thousand() -> None:
    _, diagnostics = built({**GOOD, **{f"x{number}": 1 for number in range(1_005)}})
    assert [one.message for one in diagnostics[:1_000]] == [
        f"`x{number}` is no element of a statement" for number in range(1_000)
    ]
    assert told(diagnostics[1_000:]) == [
        ("too-many-complaints", "the policy has more faults than are listed", None, "/Statement/0/x1000", 0)
    ]
    _, exact = built({**GOOD, **{f"x{number}": 1 for number in range(1_000)}})
    assert len(exact) == 1_000


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("StringLikes", "StringLike"), ("ForAnyValue:StringLikes", "ForAnyValue:StringLike"), ("StringLikesIfExists", "StringLikeIfExists"),
        ("NullIfExists", "Null"), ("ForSome:StringLikes", "StringLike"), ("zzz", None), ("StringEqualsifexist", "StringEquals"),
    ],
)  # fmt: skip
def test_the_operator_that_was_meant(text: str, near: str | None) -> None:
    _, diagnostics = built({**GOOD, "Condition": {text: {"a": "b"}}})
    help = None if near is None else f"did you mean `{near}`?"
    assert told(diagnostics) == [
        ("unknown-operator", f"unknown condition operator `{text}`", help, f"/Statement/0/Condition/{text}", 0)
    ]
