"""Terraform plans: small ones of our own, each as `terraform show -json` prints it."""

import json
import time
from typing import Any

import pytest

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.sources.policy_json import NotAKey
from kmslint.sources.terraform_plan import DELETED_NOTE, REPLACED_NOTE, keys_from_plan
from tests.unit.sources.terraform.shapes import ADMIN, facts, plain, statements

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [ADMIN]})


def resource(address: str, values: dict[str, Any], **more: object) -> dict[str, Any]:
    local = address.rpartition("module.")[2].partition(".")[2] if address.startswith("module.") else address
    type, _, name = local.partition(".")
    return {"address": address, "mode": "managed", "type": type, "name": name.partition("[")[0], "values": values, **more}


def change(
    address: str, actions: list[str], before: object = None, after: object = None, unknown: object = None
) -> dict[str, Any]:
    found = resource(address, {})
    del found["values"]
    return {**found, "change": {"actions": actions, "before": before, "after": after, "after_unknown": unknown or {}}}


def configured(address: str, **expressions: object) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "type": address.partition(".")[0], "expressions": expressions}


def plan(resources: list[Any], changes: list[Any] | None = None, configuration: object = None, **more: object) -> str:
    found: dict[str, Any] = {"format_version": "1.2", "terraform_version": "1.9.0"}
    found["planned_values"] = {"root_module": {"resources": resources}}
    found["resource_changes"] = changes or []
    if configuration is not None:
        found["configuration"] = {"root_module": configuration}
    return json.dumps({**found, **more}, indent=1)


def read(content: str) -> list[Key]:
    found = keys_from_plan(Text(content, file="plan.json"))
    assert not isinstance(found, NotAKey), found
    return found


def test_policy_in_a_string_has_places_in_the_plan() -> None:
    content = plan([resource("aws_kms_key.k", {"policy": POLICY, "deletion_window_in_days": 7})])
    (key,) = read(content)
    assert plain(key.policies[0].policy) == statements(ADMIN)
    assert facts(key)["deletion.window_days"] == 7
    action = (key.policies[0].policy.statements[0].actions or ())[0].node.locate()
    line = content.split("\n")[action.line - 1]
    assert line[action.column - 1 :].startswith('\\"kms:*\\"')


def test_key_without_a_policy_expression_has_the_default_policy() -> None:
    unknown = {"policy": True, "arn": True, "tags_all": True, "multi_region": True}
    values = {"description": "d", "tags": None}
    (key,) = read(
        plan(
            [resource("aws_kms_key.k", values)],
            [change("aws_kms_key.k", ["create"], None, values, unknown)],
            {"resources": [configured("aws_kms_key.k", description={"constant_value": "d"})]},
        )
    )
    assert [entry.kind for entry in key.policies[0].policy.statements[0].principals or ()] == ["AWS"]
    assert "default" in key.notes[0]
    assert facts(key)["multi_region"] is False


def test_policy_known_after_apply_names_what_decides_it() -> None:
    (key,) = read(
        plan(
            [resource("aws_kms_key.k", {})],
            [change("aws_kms_key.k", ["create"], None, {}, {"policy": True})],
            {"resources": [configured("aws_kms_key.k", policy={"references": ["data.aws_iam_policy_document.d.json"]})]},
        )
    )
    reason = "the policy is `data.aws_iam_policy_document.d.json`, which the plan does not know yet"
    assert key.policies[0].policy.unknown == (reason,)


def test_unknown_argument_is_unread() -> None:
    (key,) = read(
        plan(
            [resource("aws_kms_key.k", {"policy": POLICY})],
            [change("aws_kms_key.k", ["create"], None, {}, {"enable_key_rotation": True})],
            {"resources": [configured("aws_kms_key.k", enable_key_rotation={"references": ["aws_x.y.z"]})]},
        )
    )
    assert facts(key)["rotation.enabled"] == ("unread", "`aws_x.y.z` could not be resolved")


def test_policy_and_alias_are_joined_through_the_configuration() -> None:
    configuration = {
        "resources": [configured("aws_kms_alias.a", target_key_id={"references": ["module.m.key_id", "module.m"]})],
        "module_calls": {
            "m": {
                "expressions": {"window": {"constant_value": 7}},
                "module": {
                    "resources": [
                        configured("aws_kms_key.k"),
                        configured("aws_kms_key_policy.p", key_id={"references": ["aws_kms_key.k.id", "aws_kms_key.k"]}),
                    ],
                    "outputs": {"key_id": {"expression": {"references": ["aws_kms_key.k[0].key_id", "aws_kms_key.k[0]"]}}},
                },
            }
        },
    }
    child = {
        "address": "module.m",
        "resources": [
            resource("module.m.aws_kms_key.k[0]", {}, index=0),
            resource("module.m.aws_kms_key.k[1]", {}, index=1),
            resource("module.m.aws_kms_key_policy.p[0]", {"policy": POLICY}, index=0),
        ],
    }
    root = {"resources": [resource("aws_kms_alias.a", {"name": "alias/x"})], "child_modules": [child]}
    found = json.loads(plan([], [], configuration))
    found["planned_values"]["root_module"] = root
    keys = read(json.dumps(found))
    assert [key.source.address for key in keys] == ["module.m.aws_kms_key.k[0]", "module.m.aws_kms_key.k[1]"]
    assert plain(keys[0].policies[0].policy) == statements(ADMIN)
    assert plain(keys[1].policies[0].policy) != statements(ADMIN)
    assert facts(keys[0])["aliases"] == ["alias/x"]


@pytest.mark.parametrize(
    ("references", "is_lost"),
    [
        (["local.key_id"], True),
        (["each.value"], True),
        ([], True),
        (["data.aws_kms_key.other.id", "local.key_id"], True),
        (["data.aws_kms_key.other.id", "data.aws_kms_key.other"], False),
    ],
)
def test_a_policy_of_a_key_that_the_plan_does_not_tell(references: list[str], is_lost: bool) -> None:
    key = {"arn": True, "id": True, "key_id": True, "policy": True}
    old = {"arn": "arn:aws:kms:eu-west-1:111122223333:key/k-1", "key_id": "k-1"}
    content = plan(
        [resource("aws_kms_key.k", {}), resource("aws_kms_key.old", old), resource("aws_kms_key_policy.p", {"policy": POLICY})],
        [
            change("aws_kms_key.k", ["create"], None, {}, key),
            change("aws_kms_key.old", ["no-op"], old, old),
            change("aws_kms_key_policy.p", ["create"], None, {"policy": POLICY}, {"key_id": True}),
        ],
        {
            "resources": [
                configured("aws_kms_key.k"),
                configured("aws_kms_key.old"),
                configured("aws_kms_key_policy.p", policy={}, key_id={"references": references}),
            ]
        },
    )
    found = {str(one.source.address): one.policies[0].policy for one in read(content)}
    reason = "`aws_kms_key_policy.p` may set it, and the plan does not tell which key that is for"
    assert found["aws_kms_key.k"].unknown == ((reason,) if is_lost else ())
    assert (found["aws_kms_key.old"].unknown, plain(found["aws_kms_key_policy.p"])) == ((), statements(ADMIN))


def test_replaced_and_deleted_keys_are_named() -> None:
    before = {"policy": POLICY, "deletion_window_in_days": 7, "arn": "arn:aws:kms:eu-west-1:111122223333:key/k-1"}
    keys = read(
        plan(
            [resource("aws_kms_key.replaced", {"policy": POLICY})],
            [
                change("aws_kms_key.replaced", ["delete", "create"], before, {}, {}),
                change("aws_kms_key.gone", ["delete"], before),
                change("aws_s3_bucket.b", ["delete"], {"secret": "hunter2"}),
            ],
        )
    )
    assert [(key.source.address, key.notes) for key in keys] == [
        ("aws_kms_key.replaced", (REPLACED_NOTE,)),
        ("aws_kms_key.gone", (DELETED_NOTE,)),
    ]
    gone = keys[1]
    assert (gone.account, gone.account_source, gone.region, gone.key_id) == ("111122223333", "arn", "eu-west-1", "k-1")
    assert facts(gone)["deletion.window_days"] == 7


def test_account_of_the_caller_is_the_owner() -> None:
    caller = {
        "address": "data.aws_caller_identity.c",
        "mode": "data",
        "type": "aws_caller_identity",
        "values": {"account_id": "444455556666"},
    }
    content = plan(
        [resource("aws_kms_key.k", {"policy": POLICY})],
        prior_state={"values": {"root_module": {"resources": [caller]}}},
    )
    (key,) = read(content)
    assert (key.account, key.account_source) == ("444455556666", "inferred")


def test_values_outside_kms_are_not_kept() -> None:
    secret = "hunter2-very-secret"
    content = plan(
        [resource("aws_db_instance.d", {"password": secret}), resource("aws_kms_key.k", {"policy": POLICY})],
        variables={"password": {"value": secret}},
        output_changes={"o": {"after": secret}},
    )
    (key,) = read(content)
    assert secret not in repr(key._replace(policies=())) + repr(facts(key)) + repr(plain(key.policies[0].policy))


def test_state_is_read_too() -> None:
    state = {
        "format_version": "1.0",
        "terraform_version": "1.9.0",
        "values": {"root_module": {"resources": [resource("aws_kms_key.k", {"policy": POLICY})]}},
    }
    assert plain(read(json.dumps(state))[0].policies[0].policy) == statements(ADMIN)


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"planned_values": {}}', '{"format_version": "1", "terraform_version": "1"}', "1"]
)
def test_other_json_is_no_plan(content: str) -> None:
    assert keys_from_plan(Text(content)) == NotAKey("no Terraform plan")


@pytest.mark.parametrize("content", ["", "{", '{"a": [1,}', "[" * 100_000, '{"format_version": "1.0"'])
def test_no_json_is_an_error_with_a_place(content: str) -> None:
    with pytest.raises(InputError) as caught:
        keys_from_plan(Text(content))
    assert caught.value.line == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"resource_changes": 5},
        {"resource_changes": [1, None, {}, {"type": "aws_kms_key"}, {"type": "aws_kms_key", "address": "x", "change": 3}]},
        {"configuration": []},
        {"configuration": {"root_module": {"resources": [1, {"address": 5}], "module_calls": {"m": 3}}}},
        {"prior_state": {"values": {"root_module": {"resources": [{"type": "aws_caller_identity"}]}}}},
        {"planned_values": {"root_module": {"resources": [{"type": "aws_kms_key", "address": "a", "values": "x"}]}}},
        {"planned_values": {"root_module": {"resources": [{"type": "aws_kms_key", "values": {"policy": 5, "tags": []}}]}}},
        {"planned_values": {"root_module": {"child_modules": [1, {"child_modules": 5}]}}},
    ],
)
def test_odd_shapes_do_not_raise(damage: dict[str, Any]) -> None:
    content = json.loads(plan([resource("aws_kms_key.k", {"policy": "no json"})]))
    found = keys_from_plan(Text(json.dumps({**content, **damage})))
    assert isinstance(found, (list, NotAKey))


def test_large_plan_is_read_fast() -> None:
    others = [resource(f"aws_x.x{n}", {"value": "y" * 800, "list": list(range(20))}) for n in range(9_000)]
    content = plan(
        [*others, resource("aws_kms_key.k", {"policy": POLICY})], [change(f"aws_x.x{n}", ["no-op"]) for n in range(5_000)]
    )
    assert len(content) > 9_000_000
    started = time.perf_counter()
    assert len(read(content)) == 1
    assert time.perf_counter() - started < 6  # 0.4 s on an idle machine
