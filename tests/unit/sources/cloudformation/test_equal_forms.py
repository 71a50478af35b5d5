"""The same key as JSON policy, as JSON template and as YAML template is the same policy with the same facts."""

import json
import random

import yaml
from hypothesis import given
from hypothesis import strategies as st

from kmslint.jsontext import read_json
from kmslint.location import Text
from kmslint.policy.parse import parse_shape
from tests.strategies import Shape, draw_policy, draw_pool, seeds
from tests.unit.sources.cloudformation.templates import facts, only_key, plain

PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "EnableKeyRotation": st.booleans(),
        "RotationPeriodInDays": st.integers(90, 2560),
        "PendingWindowInDays": st.integers(7, 30),
        "MultiRegion": st.booleans(),
        "Description": st.text("ab :#'\"{}[]", max_size=12),
        "KeySpec": st.sampled_from(["SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_256"]),
        "Tags": st.lists(
            st.fixed_dictionaries({"Key": st.sampled_from("abc"), "Value": st.text("xyz 1", max_size=4)}), max_size=3
        ),
    },
)


def drawn(seed: int) -> dict[str, object]:
    rng = random.Random(seed)
    shape = Shape(unsettled=True)
    policy = draw_policy(rng, shape, draw_pool(rng, shape))
    return policy if isinstance(policy, dict) else {"Statement": []}


@given(seeds(), PROPERTIES, st.sampled_from(["object", "text", "sub"]))
def test_a_key_is_the_same_in_every_form(seed: int, properties: dict[str, object], form: str) -> None:
    policy = drawn(seed)
    written: object = policy
    if form == "text":
        written = json.dumps(policy)
    elif form == "sub":
        written = {"Fn::Sub": json.dumps(policy, indent=1).replace("${", "${!")}
    document = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {**properties, "KeyPolicy": written}}}}
    contents = [
        json.dumps(document),
        json.dumps(document, indent=2),
        yaml.safe_dump(document, sort_keys=False),
        yaml.safe_dump(document, default_flow_style=True, width=1_000_000),
        yaml.dump(document, default_style='"', width=1_000_000),
    ]
    keys = [only_key(content, file="t.template") for content in contents]
    expected, diagnostics = parse_shape(read_json(Text(json.dumps(policy))))
    assert [plain(key.policies[0].policy) for key in keys] == [plain(expected)] * 5
    codes = [[found.code for found in key.policies[0].diagnostics] for key in keys]
    assert codes == [[found.code for found in diagnostics]] * 5
    unquoted = [facts(key) for key in keys]
    assert unquoted == [unquoted[0]] * 5
    tags = properties.get("Tags", [])
    assert unquoted[0]["tags"] == {tag["Key"]: tag["Value"] for tag in tags}  # type: ignore[attr-defined]
    assert unquoted[0]["deletion.window_days"] == properties.get("PendingWindowInDays", 30)
