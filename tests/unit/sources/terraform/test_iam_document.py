"""`data "aws_iam_policy_document"`: the document that the provider makes, against the same as JSON."""

from kmslint.model.key import Key
from tests.unit.sources.terraform.shapes import ADMIN, ROOT, only_key, policy_of, read, statements

KEY = 'resource "aws_kms_key" "k" { policy = data.aws_iam_policy_document.d.json }\n'
ROOT_STATEMENT = f"""
  statement {{
    actions   = ["kms:*"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = ["{ROOT}"]
    }}
  }}
"""


def document(body: str, more: str = "") -> str:
    return f'{KEY}data "aws_iam_policy_document" "d" {{\n{body}\n}}\n{more}'


def test_effect_is_allow_and_version_2012_unless_stated() -> None:
    assert policy_of(document(ROOT_STATEMENT)) == statements(ADMIN)
    stated = document('version = "2008-10-17"\n' + ROOT_STATEMENT.replace("statement {", 'statement {\n effect = "Deny"', 1))
    assert policy_of(stated) == statements({**ADMIN, "Effect": "Deny"}, version="2008-10-17")


def test_every_element() -> None:
    body = """
      policy_id = "p"
      statement {
        sid           = "s"
        effect        = "Deny"
        not_actions   = ["kms:a", "kms:b"]
        not_resources = ["r"]
        not_principals {
          type        = "AWS"
          identifiers = ["111122223333", "444455556666"]
        }
      }
      statement {
        actions = ["kms:a"]
        principals {
          type        = "*"
          identifiers = ["*"]
        }
      }
      statement {
        actions   = ["kms:a"]
        resources = ["*"]
        principals {
          type        = "Service"
          identifiers = ["s3.amazonaws.com"]
        }
        principals {
          type        = "AWS"
          identifiers = ["*"]
        }
        principals {
          type        = "Service"
          identifiers = ["sns.amazonaws.com"]
        }
      }
    """
    assert policy_of(document(body)) == statements(
        {
            "Sid": "s",
            "Effect": "Deny",
            "NotAction": ["kms:a", "kms:b"],
            "NotResource": "r",
            "NotPrincipal": {"AWS": ["111122223333", "444455556666"]},
        },
        {"Effect": "Allow", "Action": "kms:a", "Principal": "*"},
        {
            "Effect": "Allow",
            "Action": "kms:a",
            "Resource": "*",
            "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"], "AWS": "*"},
        },
    )


def test_conditions_of_one_test_and_variable_are_one() -> None:
    def condition(test: str, variable: str, *values: str) -> str:
        listed = ", ".join(f'"{value}"' for value in values)
        return f'condition {{\n test = "{test}"\n variable = "{variable}"\n values = [{listed}]\n}}\n'

    conditions = (
        condition("StringEquals", "aws:SourceAccount", "1")
        + condition("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com")
        + condition("StringEquals", "aws:SourceAccount", "2", "3")
        + condition("ArnLike", "aws:SourceArn", "arn:aws:s3:::&{aws:PrincipalTag/x}")
    )
    body = ROOT_STATEMENT.replace("statement {", "statement {\n" + conditions, 1)
    wanted = {
        "StringEquals": {"aws:SourceAccount": ["1", "2", "3"], "kms:ViaService": "s3.us-east-1.amazonaws.com"},
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:PrincipalTag/x}"},
    }
    assert policy_of(document(body)) == statements({**ADMIN, "Condition": wanted})


def test_statement_without_resources_stays_without() -> None:
    body = ROOT_STATEMENT.replace('resources = ["*"]', "", 1)
    without = {name: value for name, value in ADMIN.items() if name != "Resource"}
    assert policy_of(document(body)) == statements(without)


def test_dynamic_blocks() -> None:
    body = """
      dynamic "statement" {
        for_each = { a = ["kms:x"], b = ["kms:y", "kms:z"] }
        iterator = it
        content {
          sid       = it.key
          actions   = it.value
          resources = ["*"]
          dynamic "principals" {
            for_each = ["111122223333"]
            content {
              type        = "AWS"
              identifiers = ["arn:aws:iam::${principals.value}:root"]
            }
          }
        }
      }
    """
    common = {"Effect": "Allow", "Resource": "*", "Principal": {"AWS": ROOT}}
    wanted = statements({**common, "Sid": "a", "Action": "kms:x"}, {**common, "Sid": "b", "Action": ["kms:y", "kms:z"]})
    assert policy_of(document(body)) == wanted


def test_dynamic_statement_that_may_not_be_there_is_unknown_and_keeps_its_shape() -> None:
    inner = ROOT_STATEMENT.strip().removeprefix("statement {").removesuffix("}")
    body = f'dynamic "statement" {{\n for_each = var.on ? [1] : []\n content {{\n{inner}\n}}\n}}'
    found = policy_of(document(body, 'variable "on" {}'))
    reason = "`var.on ? [1] : []` could not be resolved, and decides whether the statement is there"
    assert found[2][0]["unknown"] == (reason,)  # type: ignore[index]
    assert found[2][0]["principals"] == [("AWS", ROOT)]  # type: ignore[index]
    assert policy_of(document(body, 'variable "on" { default = true }')) == statements(ADMIN)
    assert policy_of(document(body, 'variable "on" { default = false }')) == statements()


def test_own_statements_replace_those_of_sources_and_overrides_replace_both() -> None:
    def other(name: str, *sids: tuple[str, str]) -> str:
        made = "".join(
            f'statement {{\n sid = "{sid}"\n actions = ["{action}"]\n resources = ["*"]\n'
            f' principals {{\n type = "AWS"\n identifiers = ["*"]\n }}\n}}\n'
            for sid, action in sids
        )
        return f'data "aws_iam_policy_document" "{name}" {{\n{made}}}\n'

    body = """
      source_policy_documents   = [data.aws_iam_policy_document.one.json, data.aws_iam_policy_document.two.json]
      override_policy_documents = [data.aws_iam_policy_document.over.json]
      statement {
        sid       = "b"
        actions   = ["kms:own"]
        resources = ["*"]
        principals {
          type        = "AWS"
          identifiers = ["*"]
        }
      }
    """
    more = (
        other("one", ("a", "kms:one"), ("", "kms:one"))
        + other("two", ("b", "kms:two"), ("c", "kms:two"))
        + other("over", ("c", "kms:over"), ("", "kms:over"))
    )
    common = {"Effect": "Allow", "Resource": "*", "Principal": {"AWS": "*"}}
    assert policy_of(document(body, more)) == statements(
        {**common, "Sid": "a", "Action": "kms:one"},
        {**common, "Action": "kms:one"},
        {**common, "Sid": "b", "Action": "kms:own"},
        {**common, "Sid": "c", "Action": "kms:over"},
        {**common, "Action": "kms:over"},
    )


def test_unresolved_source_is_a_statement_that_could_be_any() -> None:
    body = "source_policy_documents = [var.p]\n" + ROOT_STATEMENT
    found = policy_of(document(body, 'variable "p" {}'))
    assert [statement["effect"] for statement in found[2]] == [None, "Allow"]  # type: ignore[index]
    assert found[2][0]["unknown"] != ()  # type: ignore[index]


def test_unresolved_override_leaves_nothing_known() -> None:
    body = "override_policy_documents = [var.p]\n" + ROOT_STATEMENT
    assert policy_of(document(body, 'variable "p" {}')) == (None, ("the policy is `${var.p}`, which could not be resolved",), [])


def test_empty_lists_of_sources_change_nothing() -> None:
    body = "source_policy_documents = compact([var.p])\noverride_policy_documents = []\n" + ROOT_STATEMENT
    assert policy_of(document(body, 'variable "p" { default = "" }')) == statements(ADMIN)


def test_unresolved_condition_name_leaves_the_statement_unknown() -> None:
    condition = 'condition {\n test = "StringEquals"\n variable = var.v\n values = ["x"]\n}\n'
    body = ROOT_STATEMENT.replace("statement {", "statement {\n" + condition, 1)
    found = policy_of(document(body, 'variable "v" {}'))
    assert (
        found[2][0]["unknown"] == ("the condition `Condition` is `${var.v}`, which could not be resolved",)
        or found[2][0]["unknown"]
    )  # type: ignore[index]


def own(key: Key) -> list[tuple[str, str | None]]:
    from kmslint.tree import Symbol, Template

    values = [entry.value for statement in key.policies[0].policy.statements for entry in statement.principals or ()]
    parts = [part for value in values if isinstance(value, Template) for part in value.parts]
    return [(part.name, part.own) for part in parts if isinstance(part, Symbol)]


CALLER = 'data "aws_caller_identity" "me" {}\ndata "aws_partition" "p" {}\n'
OWNER = '"arn:${data.aws_partition.p.partition}:iam::${data.aws_caller_identity.me.account_id}:root"'


def test_account_and_partition_are_the_key_s_own() -> None:
    code = document(ROOT_STATEMENT.replace(f'"{ROOT}"', OWNER), CALLER)
    assert own(only_key(code)) == [
        ("data.aws_partition.p.partition", "partition"),
        ("data.aws_caller_identity.me.account_id", "account"),
    ]


def test_account_of_another_provider_is_not_the_key_s_own() -> None:
    providers = 'provider "aws" {}\nprovider "aws" {\n alias = "other"\n assume_role {\n role_arn = "x"\n }\n}\n'
    caller = CALLER.replace('"me" {}', '"me" {\n provider = aws.other\n}')
    code = document(ROOT_STATEMENT.replace(f'"{ROOT}"', OWNER), caller + providers)
    assert own(only_key(code)) == [
        ("data.aws_partition.p.partition", "partition"),
        ("data.aws_caller_identity.me.account_id", None),
    ]


def test_account_of_another_region_s_provider_is_the_key_s_own() -> None:
    providers = 'provider "aws" {\n region = "eu-west-1"\n}\nprovider "aws" {\n alias = "other"\n region = "us-east-1"\n}\n'
    caller = CALLER.replace('"me" {}', '"me" {\n provider = aws.other\n}')
    key = only_key(document(ROOT_STATEMENT.replace(f'"{ROOT}"', OWNER), caller + providers))
    assert own(key)[1] == ("data.aws_caller_identity.me.account_id", "account")
    assert key.region == "eu-west-1"


def test_role_of_the_same_code_is_of_the_own_account() -> None:
    role = 'resource "aws_iam_role" "r" {\n name = "app"\n path = "/svc/"\n}\n'
    key = only_key(document(ROOT_STATEMENT.replace(f'"{ROOT}"', "aws_iam_role.r.arn"), role))
    value = (key.policies[0].policy.statements[0].principals or ())[0].value
    assert str(value) == "arn:${aws_iam_role.r partition}:iam::${aws_iam_role.r account}:role/svc/app"
    assert [own for _, own in own(key)] == ["partition", "account"]


def test_owner_is_inferred_only_where_the_own_account_is_no_symbol() -> None:
    literal = only_key(document(ROOT_STATEMENT))
    symbolic = only_key(document(ROOT_STATEMENT + ROOT_STATEMENT.replace(f'"{ROOT}"', OWNER), CALLER))
    given = only_key(document(ROOT_STATEMENT), account="444455556666")
    assert (literal.account, literal.account_source) == ("111122223333", "inferred")
    assert (symbolic.account, symbolic.account_source) == (None, None)
    assert (given.account, given.account_source) == ("444455556666", "given")


def test_places_are_those_of_statement_blocks() -> None:
    keys, _ = read(document(ROOT_STATEMENT, "# é"))
    statement = keys[0].policies[0].policy.statements[0]
    lines = document(ROOT_STATEMENT).split("\n")
    location = statement.node.locate()
    assert lines[location.line - 1].strip() == "statement {"
    assert (location.column, lines[location.end_line - 1][: location.end_column - 1]) == (3, "  }")
    action = (statement.actions or ())[0].node.locate()
    assert lines[action.line - 1][action.column - 1 : action.end_column - 1] == '"kms:*"'
