"""What expressions of a policy are worth: the same key as plain JSON is the expected value."""

import pytest

from tests.unit.sources.terraform.shapes import ADMIN, ROOT, policy_of, read, statements

USE = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}


def with_action(expression: str, more: str = "") -> str:
    return f"""
    resource "aws_kms_key" "k" {{
      policy = jsonencode({{
        Version = "2012-10-17"
        Statement = [{{ Effect = "Allow", Principal = {{ AWS = "*" }}, Action = {expression}, Resource = "*" }}]
      }})
    }}
    {more}
    """


@pytest.mark.parametrize(
    ("expression", "actions"),
    [
        ('"kms:Decrypt"', "kms:Decrypt"),
        ('"kms:${"De"}crypt"', "kms:Decrypt"),
        ('["kms:a", "kms:b"]', ["kms:a", "kms:b"]),
        ('concat(["kms:a"], [], ["kms:b"])', ["kms:a", "kms:b"]),
        ('[for a in ["a", "b"] : "kms:${a}"]', ["kms:a", "kms:b"]),
        ('[for a in ["a", "b"] : "kms:${a}" if a != "a"]', ["kms:b"]),
        ('[for k, v in { x = "a", y = "b" } : "${k}:${v}"]', ["x:a", "y:b"]),
        ('[for i, v in ["a", "b"] : "${i}:${v}"]', ["0:a", "1:b"]),
        ('values({ for k in ["b", "a"] : k => "kms:${k}" })', ["kms:a", "kms:b"]),
        ("keys({ b = 1, a = 2 })", ["a", "b"]),
        ('{ for k in ["a", "b"] : "x" => k... }["x"]', ["a", "b"]),
        ('true ? "kms:a" : "kms:b"', "kms:a"),
        ('1 + 2 * 3 == 7 && !(2 > 3) ? "yes" : "no"', "yes"),
        ('7 % 4 == 3 && 7 / 2 == 3.5 && -3 < 0 ? "yes" : "no"', "yes"),
        ('"a" == "b" || "a" != "b" ? "yes" : "no"', "yes"),
        ('merge({ a = "x" }, { a = "y" }).a', "y"),
        ('lookup({ a = "x" }, "b", "z")', "z"),
        ('element(["a", "b"], 3)', "b"),
        ('["a", "b"][1]', "b"),
        ('[{ n = "a" }, { n = "b" }][*].n', ["a", "b"]),
        ('[{ n = "a" }, { n = "b" }].*.n', ["a", "b"]),
        ('flatten([["a"], [["b"]]])', ["a", "b"]),
        ('distinct(["a", "b", "a"])', ["a", "b"]),
        ('compact(["a", "", null, "b"])', ["a", "b"]),
        ('coalesce(null, "", "a")', "a"),
        ('coalescelist([], ["a", "b"])', ["a", "b"]),
        ('try({}.x, "fallback")', "fallback"),
        ('can({}.x) ? "yes" : "no"', "no"),
        ('format("%s:%s/%d%%", "kms", "a", 3)', "kms:a/3%"),
        ('formatlist("kms:%s", ["a", "b"])', ["kms:a", "kms:b"]),
        ('split(",", "a,b")', ["a", "b"]),
        ('join("-", ["a", "b"])', "a-b"),
        ('lower("A")', "a"),
        ('regex("^arn:[^:]*:iam::([0-9]{12}):", "arn:aws:iam::111122223333:role/a")[0]', "111122223333"),
        ('provider::aws::arn_parse("arn:aws:iam::111122223333:role/a:b").resource', "role/a:b"),
        ('provider::aws::arn_parse("arn:aws:iam::111122223333:role/a").account_id', "111122223333"),
        ('provider::aws::arn_build("aws", "iam", "", "1", "role/a")', "arn:aws:iam::1:role/a"),
        ('provider::aws::trim_iam_role_path("arn:aws:iam::444455556666:role/with/path/x")', "arn:aws:iam::444455556666:role/x"),
        ('try(provider::aws::arn_parse("arn:aws").region, "none")', "none"),
        ('replace("a.b", ".", "-")', "a-b"),
        ('trimprefix(trimsuffix("xay", "y"), "x")', "a"),
        ('startswith("abc", "ab") ? upper("a") : "b"', "A"),
        ('substr("abcdef", 1, 3)', "bcd"),
        ('setunion(["a"], ["b", "a"])', ["a", "b"]),
        ('setsubtract(["a", "b"], ["a"])', ["b"]),
        ('[for p in setproduct(["a"], ["x", "y"]) : "${p[0]}${p[1]}"]', ["ax", "ay"]),
        ('slice(["a", "b", "c"], 1, 3)', ["b", "c"]),
        ('[for n in range(2) : "n${n}"]', ["n0", "n1"]),
        ('one(["a"])', "a"),
        ('contains(["a"], "a") ? "yes" : "no"', "yes"),
        ('length(["a", "b"]) == 2 ? "yes" : "no"', "yes"),
        ("tostring(5)", "5"),
        ('jsondecode("{\\"a\\": [\\"x\\"]}").a', ["x"]),
        ('zipmap(["a"], ["x"]).a', "x"),
        ('max(1, 3, 2) == 3 ? "yes" : "no"', "yes"),
        ('"%{ if true }a%{ else }b%{ endif }"', "a"),
        ('"%{ for x in ["a", "b"] }${x};%{ endfor }"', "a;b;"),
        ('"a ${~ "b" ~} c"', "abc"),
        (r'"a\tb\"\\\u00e9"', 'a\tb"\\é'),
        ('"$${aws:username} %%{x}"', "${aws:username} %{x}"),
        ('concat(["a"], [for x in ["b"] : x]...)', ["a", "b"]),
        ('sensitive(nonsensitive("a"))', "a"),
        ('anytrue([false, true]) && !alltrue([false, true]) ? "yes" : "no"', "yes"),
    ],
)
def test_known_expression(expression: str, actions: object) -> None:
    if expression.startswith('concat(["a"], [for'):
        expression = 'concat([["a"], ["b"]]...)'
    assert policy_of(with_action(expression)) == statements({**USE, "Action": actions})


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("var.x", "var.x"),
        ("lower(var.x)", "lower(var.x)"),
        ('regex("\\\\pL+", "aaa")', 'regex("\\\\pL+", "aaa")'),
        ('replace("aaa", "/(a*)*/", "b")', 'replace("aaa", "/(a*)*/", "b")'),
        ('replace(var.x, "a", "b")', 'replace(var.x, "a", "b")'),
        ("provider::aws::arn_parse(var.x).account_id", "provider::aws::arn_parse(var.x).account_id"),
        ('provider::other::arn_parse("arn:a:b:c:d:e").region', 'provider::other::arn_parse("arn:a:b:c:d:e").region'),
        ('var.x == "a" ? "p" : "q"', 'var.x == "a" ? "p" : "q"'),
        ("local.missing", "local.missing"),
        ("data.aws_ssm_parameter.p.value", "data.aws_ssm_parameter.p.value"),
        ("unknown_function(1)", "unknown_function(1)"),
        ("module.remote.actions", "module.remote.actions"),
        ('["a"][5]', '["a"][5]'),
        ('coalesce(var.x, "a")', 'coalesce(var.x, "a")'),
        ('try(var.x.y, "a")', 'try(var.x.y, "a")'),
        ("timestamp()", "timestamp()"),
        ("[for a in var.x : a]", "[for a in var.x : a]"),
        ("terraform.workspace", "terraform.workspace"),
    ],
)
def test_unresolved_expression_is_named_as_written(expression: str, name: str) -> None:
    more = 'variable "x" {}\nmodule "remote" { source = "someone/else/aws" }'
    reason = f"`Action` is `${{{name}}}`, which could not be resolved"
    found = policy_of(with_action(expression, more))
    assert found[2][0]["unknown"] == (reason,)  # type: ignore[index]
    assert [str(value) for value in found[2][0]["actions"]] == [f"${{{name}}}"]  # type: ignore[index]


def test_both_answers_alike_need_no_condition() -> None:
    found = policy_of(with_action('var.x ? "kms:a" : "kms:a"', 'variable "x" {}'))
    assert found == statements({**USE, "Action": "kms:a"})


def test_list_with_an_unresolved_item_is_not_null() -> None:
    found = policy_of(with_action('[var.x] != null ? "kms:a" : "kms:b"', 'variable "x" {}'))
    assert found == statements({**USE, "Action": "kms:a"})
    twin = policy_of(with_action('var.x != null ? "kms:a" : "kms:b"', 'variable "x" {}'))
    assert twin[2][0]["unknown"] != ()  # type: ignore[index]


def test_logic_decides_without_the_unknown_side() -> None:
    found = policy_of(with_action('false && var.x || true ? "kms:a" : "kms:b"', 'variable "x" {}'))
    assert found == statements({**USE, "Action": "kms:a"})


def test_one_turn_of_a_loop_is_not_another() -> None:
    keys, _ = read(with_action('[for a in ["x", "y"] : lower("${a}${var.q}")]', 'variable "q" {}'))
    names = [str(item.value) for item in keys[0].policies[0].policy.statements[0].actions or ()]
    assert len(set(names)) == 2


def test_variable_of_type_string_is_one_string() -> None:
    """Its policy statement is known: a string is neither a list nor nothing."""
    typed = policy_of(with_action("var.x", 'variable "x" { type = string }'))
    open_ = policy_of(with_action("var.x", 'variable "x" {}'))
    assert typed[2][0]["unknown"] == ()  # type: ignore[index]
    assert open_[2][0]["unknown"] != ()  # type: ignore[index]


def test_values_of_variables_in_the_order_of_terraform() -> None:
    code = {
        "main.tf": with_action("[var.a, var.b, var.c, var.d]"),
        "variables.tf": "\n".join(f'variable "{name}" {{ default = "default" }}' for name in "abcd"),
        "terraform.tfvars": 'a = "tfvars"\nb = "tfvars"\nc = "tfvars"',
        "x.auto.tfvars": 'b = "auto"\nc = "auto"',
        "given.tfvars.json": '{"c": "given ${not} a template"}',
    }
    wanted = ["tfvars", "auto", "given ${not} a template", "set"]
    found = policy_of(code, var_files=("given.tfvars.json",), variables={"d": "set"})
    assert found == statements({**USE, "Action": wanted})


def test_value_from_the_command_line_has_the_variable_s_type() -> None:
    code = with_action("var.x", 'variable "x" { type = list(string) }')
    assert policy_of(code, variables={"x": '["a", "b"]'}) == statements({**USE, "Action": ["a", "b"]})


def test_optional_attributes_of_an_object() -> None:
    more = 'variable "o" {\n type = object({ a = string, b = optional(string, "dflt"), c = optional(string) })\n default = { a = 1 }\n}'
    found = policy_of(with_action('["${var.o.a}", var.o.b, var.o.c == null ? "none" : "some"]', more))
    assert found == statements({**USE, "Action": ["1", "dflt", "none"]})


def test_heredoc_and_jsonencode_are_the_same_policy() -> None:
    heredoc = """
    locals { root = "arn:aws:iam::111122223333:root" }
    resource "aws_kms_key" "k" {
      policy = <<-EOT
        {
          "Version": "2012-10-17",
          "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "${local.root}"}, "Action": ${jsonencode("kms:*")}, "Resource": "*"}
          ]
        }
      EOT
    }
    """
    assert policy_of(heredoc) == statements(ADMIN)


def test_hole_in_a_string_is_a_string_and_a_bare_hole_anything() -> None:
    code = """
    variable "x" {}
    resource "aws_kms_key" "k" {
      policy = <<EOT
    {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "${var.x}", "Resource": "*"},
      {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ${var.x}, "Resource": "*"},
      {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:${var.x}", "Resource": "*"}
    ]}
    EOT
    }
    """
    found = policy_of(code)[2]  # type: ignore[index]
    assert [statement["unknown"] for statement in found] == [
        (),
        ("`Action` is `${var.x}`, which could not be resolved",),
        (),
    ]
    assert [[str(value) for value in statement["actions"]] for statement in found] == [
        ["${var.x}"],
        ["${var.x}"],
        ["kms:${var.x}"],
    ]


def test_join_that_leaves_its_string_is_not_one_string() -> None:
    code = """
    variable "x" {}
    resource "aws_kms_key" "k" {
      policy = <<EOT
    {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Principal": {"AWS": ["${join("\\",\\"", var.x)}"]}, "Action": "kms:*", "Resource": "*"}
    ]}
    EOT
    }
    """
    found = policy_of(code)[2]  # type: ignore[index]
    assert [str(value) for _, value in found[0]["principals"]] == ['${join("\\",\\"", var.x)}']


def test_files_and_templates() -> None:
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "%s"}, "Action": "kms:*", "Resource": "*"}]}'
    plain = {"main.tf": 'resource "aws_kms_key" "k" { policy = file("${path.module}/p.json") }', "p.json": document % ROOT}
    template = {
        "main.tf": 'resource "aws_kms_key" "k" { policy = templatefile("p.tpl", { root = "arn:aws:iam::111122223333:root" }) }',
        "p.tpl": document % "${root}",
    }
    old = {
        "main.tf": """
        data "template_file" "p" {
          template = file("p.tpl")
          vars = { root = "arn:aws:iam::111122223333:root" }
        }
        resource "aws_kms_key" "k" { policy = data.template_file.p.rendered }
        """,
        "p.tpl": document % "${root}",
    }
    assert policy_of(plain) == policy_of(template) == policy_of(old) == statements(ADMIN)


def test_file_that_is_not_there_is_a_symbol() -> None:
    found = policy_of('resource "aws_kms_key" "k" { policy = file("../../etc/passwd") }')
    assert found == (None, ('the policy is `${file("../../etc/passwd")}`, which could not be resolved',), [])


def test_policy_unresolved_as_a_whole_is_unknown() -> None:
    found = policy_of('variable "p" {}\nresource "aws_kms_key" "k" { policy = var.p }')
    assert found == (None, ("the policy is `${var.p}`, which could not be resolved",), [])


def test_list_with_an_unresolved_part_keeps_the_rest() -> None:
    found = policy_of(with_action('concat(["kms:a"], var.more)', 'variable "more" {}'))
    assert [str(value) for value in found[2][0]["actions"]] == ["kms:a", "${var.more}"]  # type: ignore[index]
