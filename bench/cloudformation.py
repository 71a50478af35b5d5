"""How fast CloudFormation templates are read, in YAML and JSON: 500 files of each, and one template of 10 MB of each.

    python bench/cloudformation.py [--files 500] [--megabytes 10] [--rounds 3]

Inputs are generated: every tenth file has a key, the others hold what stands beside keys in a repository. Beside each time stands
the ratio to what the library alone takes to parse the same texts (PyYAML's C loader `json`), measured in
turn. A file without a key is told by its text and not parsed, so that its library does more.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import yaml

from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.sources.files import collect

_ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500, help="files of each kind")
    parser.add_argument("--megabytes", type=int, default=10, help="size of the large template")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for suffix, parse in (("yaml", _parse_yaml), ("json", json.loads)):
            many = Path(folder) / suffix
            many.mkdir()
            for number in range(arguments.files):
                (many / f"t{number}.{suffix}").write_text(_written(_template(number), suffix), encoding="utf-8")
            keys = Path(folder) / f"{suffix}-keys"
            keys.mkdir()
            for number in range(arguments.files):
                (keys / f"t{number}.{suffix}").write_text(_written(_template(10 * number), suffix), encoding="utf-8")
            large = Path(folder) / f"large.{suffix}"
            large.write_text(_large(arguments.megabytes * 1_000_000, suffix), encoding="utf-8")
            _measure(f"{arguments.files} {suffix} files, a tenth with a key", many, parse, arguments.rounds)
            _measure(f"{arguments.files} {suffix} files, all with a key", keys, parse, arguments.rounds)
            _measure(f"one {suffix} template of {large.stat().st_size / 1e6:.1f} MB", large, parse, arguments.rounds)
    return 0


def _measure(name: str, path: Path, parse: Callable[[str], object], rounds: int) -> None:
    """Both in turn over the same files."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    pairs: list[tuple[float, float]] = []
    found = 0
    for _ in range(rounds):
        started = time.perf_counter()
        found = sum(isinstance(item, Key) for item in collect([str(path)], settings=Settings()))
        between = time.perf_counter()
        for file in files:
            parse(file.read_text(encoding="utf-8"))
        pairs.append((between - started, time.perf_counter() - between))
    ours, theirs = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    ratio = median(pair[0] / pair[1] for pair in pairs)
    print(f"{name}: {ours:.2f} s for {found} keys; the parser alone {theirs:.2f} s; ratio {ratio:.2f}")


def _template(number: int, more: Mapping[str, object] = {}) -> dict[str, object]:
    """A template with `more` resources; every tenth has a key."""
    resources: dict[str, object] = {
        **more,
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": f"b{number}-${{AWS::AccountId}}"}}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}, "RoleName": f"r{number}"},
        },
    }
    if number % 10 == 0:
        resources["Key"] = _key()
        resources["Alias"] = {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": f"alias/k{number}", "TargetKeyId": {"Ref": "Key"}},
        }
    parameters = {"Admin": {"Type": "String"}, "Env": {"Type": "String", "Default": "dev"}}
    conditions = {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    return {"Parameters": parameters, "Conditions": conditions, "Resources": resources}


def _key() -> dict[str, object]:
    statements = [
        {"Effect": "Allow", "Principal": _ROOT, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "Admin"}}, "Action": ["kms:Describe*", "kms:Put*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "kms:GenerateDataKey*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    properties = {"EnableKeyRotation": {"Fn::If": ["IsProd", True, False]}, "KeyPolicy": policy}
    return {"Type": "AWS::KMS::Key", "Properties": properties}


def _large(size: int, suffix: str) -> str:
    """One template of that many characters: a key, and resources beside it."""
    other = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": "x" * 400, "Tags": {f"tag{number}": str(number) for number in range(12)}},
    }
    each = len(_written({"Resources": {"P1000": other}}, suffix))
    return _written(_template(0, {f"P{number}": other for number in range(size // each)}), suffix)


def _written(template: dict[str, object], suffix: str) -> str:
    """JSON, or YAML without anchors for what is the same object."""
    text = json.dumps(template, indent=2)
    return text if suffix == "json" else yaml.dump(json.loads(text), sort_keys=False)


def _parse_yaml(text: str) -> object:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  a safe loader


if __name__ == "__main__":
    sys.exit(main())
