"""Modules, instances, and the blocks that are joined to a key."""

import pytest

from kmslint.tree import Symbol, Template
from tests.unit.sources.terraform.shapes import ADMIN, ROOT, facts, only_key, policy_of, read, statements

POLICY = (
    'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", '
    f'Principal = {{ AWS = "{ROOT}" }}, Action = "kms:*", Resource = "*" }}] }})'
)


def addresses(files: dict[str, str] | str) -> list[str | None]:
    keys, errors = read(files)
    assert errors == []
    return [key.source.address for key in keys]


def test_policy_alias_and_grant_are_joined_across_files() -> None:
    code = {
        "key.tf": 'resource "aws_kms_key" "k" {}',
        "policy.tf": f'resource "aws_kms_key_policy" "p" {{\n key_id = aws_kms_key.k.id\n policy = {POLICY}\n'
        " bypass_policy_lockout_safety_check = true\n}",
        "alias.tf": 'resource "aws_kms_alias" "a" {\n name = "alias/x"\n target_key_id = aws_kms_key.k.key_id\n}',
        "grant.tf": 'resource "aws_kms_grant" "g" {\n name = "g"\n key_id = aws_kms_key.k.arn\n grantee_principal = "arn"\n'
        ' operations = ["Decrypt"]\n constraints {\n encryption_context_equals = { a = "b" }\n }\n}',
    }
    key = only_key(code)
    assert policy_of(code) == statements(ADMIN)
    found = facts(key)
    assert found["aliases"] == ["alias/x"]
    assert found["lockout_check_bypassed"] is True
    assert found["grants"] == [
        {
            "Name": "g",
            "GranteePrincipal": "arn",
            "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextEquals": {"a": "b"}},
        }
    ]


def test_key_without_a_policy_has_the_default_one() -> None:
    key = only_key('resource "aws_kms_key" "k" {}')
    statement = key.policies[0].policy.statements[0]
    root = Template(("arn:", Symbol("partition", "partition"), ":iam::", Symbol("account", "account"), ":root"))
    assert [(entry.kind, entry.value) for entry in statement.principals or ()] == [("AWS", root)]
    assert [item.value for item in statement.actions or ()] == ["kms:*"]
    assert key.notes == (
        "the code sets no key policy: the key has the default one, which lets the account's IAM policies decide",
    )


def test_policy_of_a_key_that_is_elsewhere_is_a_key() -> None:
    code = f'variable "id" {{}}\nresource "aws_kms_key_policy" "p" {{\n key_id = var.id\n policy = {POLICY}\n}}'
    key = only_key(code)
    assert key.source.address == "aws_kms_key_policy.p"
    assert policy_of(code) == statements(ADMIN)


@pytest.mark.parametrize(
    ("key_id", "is_lost"),
    [
        ("aws_kms_key.k.id", False),
        ("local.ids.a", False),
        ("local.ids[var.which]", True),
        ("lookup(local.ids, var.which)", True),
        ("var.which", False),
        ("data.aws_kms_key.other.id", False),
    ],
)
def test_policy_of_a_key_that_is_not_told(key_id: str, is_lost: bool) -> None:
    code = (
        'variable "which" {}\nlocals {\n ids = { a = aws_kms_key.k.id }\n}\nresource "aws_kms_key" "k" {}\n'
        f'resource "aws_kms_key_policy" "p" {{\n key_id = {key_id}\n policy = {POLICY}\n}}\n'
    )
    keys, errors = read(code)
    assert errors == []
    reason = "`aws_kms_key_policy.p` may set it, and its `key_id` could not be resolved"
    (policy,) = (key.policies[0].policy for key in keys if key.source.address == "aws_kms_key.k")
    assert policy.unknown == ((reason,) if is_lost else ())


def test_policy_of_a_key_that_another_block_repeats() -> None:
    attached = 'resource "aws_kms_key_policy" "p" {\n key_id = aws_kms_key.k[0].id\n policy = aws_kms_key.k[0].policy\n}\n'
    code = f'resource "aws_kms_key" "k" {{\n count = 1\n policy = {POLICY}\n}}\n{attached}'
    assert policy_of(code) == statements(ADMIN)
    (key,), errors = read(code.replace(f"policy = {POLICY}", ""))
    assert errors == []
    reason = "the policy is `${aws_kms_key.k[0].policy}`, which could not be resolved"
    assert key.policies[0].policy.unknown == (reason,)
    (circle,), errors = read('resource "aws_kms_key" "k" {\n policy = aws_kms_key.k.policy\n}\n')
    assert [error.message for error in errors] == ["`aws_kms_key.k.policy` refers to itself"]
    assert circle.policies[0].policy.unknown == ("the policy is `${aws_kms_key.k.policy}`, which could not be resolved",)


def test_facts_of_a_key_and_their_places() -> None:
    code = """resource "aws_kms_key" "k" {
  description                        = "d"
  enable_key_rotation                = true
  rotation_period_in_days            = 90
  deletion_window_in_days            = "7"
  customer_master_key_spec           = "RSA_2048"
  key_usage                          = "SIGN_VERIFY"
  multi_region                       = true
  bypass_policy_lockout_safety_check = true
  tags                               = { a = "b", n = 1 }
}
"""
    key = only_key(code)
    assert facts(key) == {
        "manager": "CUSTOMER",
        "description": "d",
        "deletion.window_days": 7,
        "lockout_check_bypassed": True,
        "tags": {"a": "b", "n": "1"},
        "spec": "RSA_2048",
        "usage": "SIGN_VERIFY",
        "origin": "AWS_KMS",
        "multi_region": True,
        "multi_region.type": "PRIMARY",
        "rotation.enabled": True,
        "rotation.period_days": 90,
        "aliases": [],
    }
    location = key.facts["rotation.period_days"].location  # type: ignore[union-attr]
    assert location is not None
    assert (location.file, location.line, location.column, location.address) == ("main.tf", 4, 3, "aws_kms_key.k")


def test_facts_of_an_empty_key() -> None:
    found = facts(only_key('resource "aws_kms_key" "k" {}'))
    assert found["rotation.enabled"] is False
    assert found["rotation.period_days"] == "absent"
    assert found["deletion.window_days"] == 30
    assert found["spec"] == "SYMMETRIC_DEFAULT"
    assert found["multi_region"] is False


def test_unresolved_argument_is_unread_and_named() -> None:
    code = 'variable "r" {}\nresource "aws_kms_key" "k" {\n enable_key_rotation = var.r\n tags = merge(var.r, { a = "b" })\n}'
    found = facts(only_key(code))
    assert found["rotation.enabled"] == ("unread", "`var.r` could not be resolved")
    assert found["tags"] == ("unread", '`merge(var.r, { a = "b" })` could not be resolved')


def test_external_and_replica_keys() -> None:
    code = """
    resource "aws_kms_external_key" "e" { valid_to = "2030-01-01T00:00:00Z" }
    resource "aws_kms_key" "p" {
      multi_region        = true
      enable_key_rotation = true
    }
    resource "aws_kms_replica_key" "r" { primary_key_arn = aws_kms_key.p.arn }
    resource "aws_kms_replica_key" "o" { primary_key_arn = "arn:aws:kms:us-east-1:111122223333:key/mrk-1" }
    resource "aws_kms_replica_external_key" "x" { primary_key_arn = aws_kms_external_key.e.arn }
    """
    keys, errors = read(code)
    assert errors == []
    found = {key.source.address: facts(key) for key in keys}
    assert found["aws_kms_external_key.e"]["origin"] == "EXTERNAL"
    assert found["aws_kms_external_key.e"]["material.valid_to"] == "2030-01-01T00:00:00Z"
    assert found["aws_kms_replica_key.r"]["rotation.enabled"] is True
    assert found["aws_kms_replica_key.r"]["multi_region.type"] == "REPLICA"
    assert found["aws_kms_replica_key.o"]["rotation.enabled"][0] == "unread"  # type: ignore[index]
    assert found["aws_kms_replica_external_key.x"]["origin"] == "EXTERNAL"


def test_default_tags_of_the_provider() -> None:
    code = 'provider "aws" {\n default_tags {\n tags = { team = "t", a = "provider" }\n }\n}\n'
    found = facts(only_key(code + 'resource "aws_kms_key" "k" { tags = { a = "own" } }'))
    assert found["tags"] == {"team": "t", "a": "own"}


def test_instances_of_count_and_for_each() -> None:
    assert addresses('resource "aws_kms_key" "k" { count = 2 }') == ["aws_kms_key.k[0]", "aws_kms_key.k[1]"]
    assert addresses('resource "aws_kms_key" "k" { count = 0 }') == []
    assert addresses('resource "aws_kms_key" "k" { for_each = toset(["b", "a"]) }') == [
        'aws_kms_key.k["a"]',
        'aws_kms_key.k["b"]',
    ]
    assert addresses('variable "n" {}\nresource "aws_kms_key" "k" { count = var.n }') == ["aws_kms_key.k[*]"]
    assert addresses('variable "n" {}\nresource "aws_kms_key" "k" { count = var.n ? 1 : 0 }') == ["aws_kms_key.k[0]"]
    assert addresses('variable "m" { default = {} }\nresource "aws_kms_key" "k" { for_each = var.m }') == ["aws_kms_key.k[*]"]


def test_each_instance_has_its_own_policy_and_alias() -> None:
    code = f"""
    locals {{ keys = {{ a = "Decrypt", b = "Encrypt" }} }}
    resource "aws_kms_key" "k" {{
      for_each    = local.keys
      description = each.key
      policy      = replace({POLICY}, "kms:*", "kms:${{each.value}}")
    }}
    resource "aws_kms_alias" "a" {{
      for_each      = local.keys
      name          = "alias/${{each.key}}"
      target_key_id = aws_kms_key.k[each.key].key_id
    }}
    """
    keys, errors = read(code)
    assert errors == []
    assert [(facts(key)["description"], facts(key)["aliases"]) for key in keys] == [("a", ["alias/a"]), ("b", ["alias/b"])]
    actions = [[item.value for item in key.policies[0].policy.statements[0].actions or ()] for key in keys]
    assert actions == [["kms:Decrypt"], ["kms:Encrypt"]]


MODULE = {
    "modules/kms/main.tf": f"""
    variable "window" {{ default = 30 }}
    variable "create" {{ default = true }}
    variable "policy" {{ default = null }}
    resource "aws_kms_key" "this" {{
      count                   = var.create ? 1 : 0
      deletion_window_in_days = var.window
      policy                  = var.policy
    }}
    output "key_id" {{ value = try(aws_kms_key.this[0].key_id, null) }}
    output "policy" {{ value = {POLICY} }}
    """
}


def test_local_module_with_inputs_and_outputs() -> None:
    code = {
        **MODULE,
        "main.tf": """
        module "k" {
          source = "./modules/kms"
          window = 7
          policy = module.k.policy
        }
        resource "aws_kms_alias" "a" {
          name          = "alias/k"
          target_key_id = module.k.key_id
        }
        """,
    }
    key = only_key(code)
    assert key.source.address == "module.k.aws_kms_key.this[0]"
    assert key.source.file == "modules/kms/main.tf"
    assert facts(key)["deletion.window_days"] == 7
    assert facts(key)["aliases"] == ["alias/k"]
    assert policy_of(code) == statements(ADMIN)


def test_module_instances() -> None:
    code = {**MODULE, "main.tf": 'module "k" {\n for_each = { a = 7, b = 8 }\n source = "./modules/kms"\n window = each.value\n}'}
    keys, errors = read(code)
    assert errors == []
    assert [(key.source.address, facts(key)["deletion.window_days"]) for key in keys] == [
        ('module.k["a"].aws_kms_key.this[0]', 7),
        ('module.k["b"].aws_kms_key.this[0]', 8),
    ]


def test_installed_module() -> None:
    code = {
        "main.tf": 'module "k" {\n source = "example/kms/aws"\n window = 9\n}',
        ".terraform/modules/modules.json": '{"Modules": [{"Key": "", "Dir": "."}, {"Key": "k", "Dir": ".terraform/modules/k"}]}',
        ".terraform/modules/k/main.tf": MODULE["modules/kms/main.tf"],
    }
    assert facts(only_key(code))["deletion.window_days"] == 9


def test_module_that_is_not_at_hand_has_no_keys() -> None:
    assert addresses({"main.tf": 'module "k" { source = "example/kms/aws" }\nresource "aws_kms_key" "k" {}'}) == ["aws_kms_key.k"]


def test_symbols_of_a_module_are_not_those_of_another() -> None:
    code = {
        "m/main.tf": f'variable "p" {{}}\nresource "aws_kms_key" "k" {{ policy = replace({POLICY}, "*", var.p) }}',
        "main.tf": 'module "a" { source = "./m" }\nmodule "b" { source = "./m" }',
    }
    keys, _ = read(code)
    reasons = [key.policies[0].policy.unknown[0] for key in keys]
    assert len(set(reasons)) == 2
    assert all(reason.startswith(f"the policy is `${{module.{name}") for name, reason in zip("ab", reasons, strict=True))


def test_json_syntax_is_the_same() -> None:
    code = {
        "main.tf.json": """{
          "//": "a comment",
          "locals": {"root": "arn:aws:iam::111122223333:root"},
          "data": {"aws_iam_policy_document": {"d": {"statement": [{
            "actions": ["kms:*"], "resources": ["*"],
            "principals": [{"type": "AWS", "identifiers": ["${local.root}"]}]
          }]}}},
          "resource": {"aws_kms_key": {"k": {"policy": "${data.aws_iam_policy_document.d.json}", "enable_key_rotation": true}}}
        }"""
    }
    assert policy_of(code) == statements(ADMIN)
    assert facts(only_key(code))["rotation.enabled"] is True


def test_override_file_changes_arguments() -> None:
    code = {
        "main.tf": 'resource "aws_kms_key" "k" {\n deletion_window_in_days = 7\n description = "d"\n}',
        "override.tf": 'resource "aws_kms_key" "k" {\n deletion_window_in_days = 30\n}',
    }
    found = facts(only_key(code))
    assert (found["deletion.window_days"], found["description"]) == (30, "d")


def test_named_file_shows_its_own_keys_and_reads_the_whole_module() -> None:
    code = {
        "a.tf": 'resource "aws_kms_key" "a" { deletion_window_in_days = local.window }',
        "b.tf": 'resource "aws_kms_key" "b" {}',
        "locals.tf": "locals { window = 7 }",
    }
    key = only_key(code, only="a.tf")
    assert (key.source.address, facts(key)["deletion.window_days"]) == ("aws_kms_key.a", 7)
