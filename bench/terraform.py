"""How fast Terraform is read: 500 files of code, a repository of 20,000 files with 50 keys, a plan of 10 MB, one small file.

    python bench/terraform.py [--small] [--rounds 30] [--checkov /path/to/checkov]

Inputs are generated. Targets: under 1 s, under 3 s, under 1.5 s, and 8 times `python -c pass` for the whole process. With a
Checkov command (of an environment of its own: its dependencies are many), the same file is given to it in the same run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.sources.files import collect
from kmslint.sources.terraform_plan import keys_from_plan

_KEY = """
resource "aws_kms_key" "k{number}" {{
  description         = "key {number}"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.k{number}.json
}}

data "aws_iam_policy_document" "k{number}" {{
  statement {{
    actions   = ["kms:*"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = ["arn:aws:iam::${{data.aws_caller_identity.current.account_id}}:root"]
    }}
  }}
}}
"""
_OTHER = """
resource "aws_s3_bucket" "b{number}" {{
  bucket = "bucket-{number}"
  tags = {{
    Name = "b{number}"
  }}
}}

resource "aws_iam_role" "r{number}" {{
  name               = "role-{number}"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [] }})
}}
"""


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkov", help="a Checkov command to run beside kmslint on one file")
    parser.add_argument("--rounds", type=int, default=30, help="processes of each kind for the small file")
    parser.add_argument("--small", action="store_true", help="the small file only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if not arguments.small:
            _large(root)
        small = root / "small"
        small.mkdir()
        (small / "main.tf").write_text('data "aws_caller_identity" "current" {}\n' + _KEY.format(number=0), encoding="utf-8")
        _process(small, arguments.checkov, arguments.rounds)
    return 0


def _large(root: Path) -> None:
    """The figures that need large inputs."""
    _module(root / "code", 500)
    print(f"500 files of code: {_best(lambda: _keys(root / 'code')):.3f} s")
    _repository(root / "repository", 20_000, 50)
    print(f"20,000 files, 50 keys: {_best(lambda: _keys(root / 'repository'), 2):.3f} s")
    plan = _plan(10_000_000)
    print(f"a plan of {len(plan) / 1e6:.1f} MB: {_best(lambda: len(keys_from_plan(Text(plan)))):.3f} s")


def _module(folder: Path, files: int) -> None:
    folder.mkdir()
    (folder / "data.tf").write_text('data "aws_caller_identity" "current" {}\n', encoding="utf-8")
    for number in range(files):
        text = (_KEY if number % 10 == 0 else _OTHER * 3).format(number=number)
        (folder / f"f{number}.tf").write_text(text, encoding="utf-8")


def _repository(folder: Path, files: int, keys: int) -> None:
    for number in range(files):
        inside = folder / f"d{number // 200}" / f"e{number // 20 % 10}"
        inside.mkdir(parents=True, exist_ok=True)
        suffix = ("tf", "py", "json", "md")[number % 4]
        (inside / f"f{number}.{suffix}").write_text("{}" if suffix == "json" else "", encoding="utf-8")
    for number in range(keys):
        inside = folder / f"d{number}" / "e0"
        text = 'data "aws_caller_identity" "current" {}\n' + _KEY.format(number=number)
        (inside / "kms.tf").write_text(text, encoding="utf-8")


def _plan(size: int) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    resources = [{"address": "aws_kms_key.k", "mode": "managed", "type": "aws_kms_key", "values": {"policy": policy}}]
    other = {
        "mode": "managed",
        "type": "aws_x",
        "values": {"text": "x" * 700, "list": list(range(30)), "map": {"a": {"b": None}}},
    }
    count = size // len(json.dumps(other))
    resources += [{"address": f"aws_x.x{number}", **other} for number in range(count)]
    found = {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": resources}}}
    return json.dumps(found)


def _keys(folder: Path) -> int:
    return sum(isinstance(item, Key) for item in collect([str(folder)], settings=Settings()))


def _best(run: Callable[[], int], times: int = 3) -> float:
    found: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return min(found)


def _process(folder: Path, checkov: str | None, rounds: int) -> None:
    """The whole process for one small file, in turn with a Python that does nothing; and Checkov if it is given."""
    script = Path(sys.executable).with_name("kmslint")
    command = [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "kmslint"]
    command += ["check", str(folder / "main.tf"), "--no-config"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run(arguments: list[str]) -> int:
        return subprocess.run(arguments, check=False, capture_output=True, env=environment).returncode

    nothing = [sys.executable, "-c", "pass"]
    run(command)  # writes bytecode, fills the page cache
    pairs = [(_best(lambda: run(nothing), 1), _best(lambda: run(command), 1)) for _ in range(rounds)]
    bare, ours = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    ratio = median(pair[1] / pair[0] for pair in pairs)
    print(
        f"one small file: {ours * 1000:.0f} ms, {ratio:.1f} times `python -c pass` ({bare * 1000:.0f} ms); "
        f"least of each: {min(pair[1] for pair in pairs) / min(pair[0] for pair in pairs):.1f} times"
    )
    if checkov:
        theirs = _best(lambda: run([checkov, "--file", str(folder / "main.tf"), "--quiet", "--compact", "--skip-download"]), 3)
        print(f"checkov on the same file: {theirs * 1000:.0f} ms, {theirs / ours:.1f} times kmslint")


if __name__ == "__main__":
    sys.exit(main())
