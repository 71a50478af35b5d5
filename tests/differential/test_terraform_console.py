"""Expressions as `terraform console` evaluates them: a second opinion, where Terraform is installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.sources.terraform.shapes import facts, only_key

EXPRESSIONS = (
    '"a${1 + 2}b"',
    '"${true}-${1.50}"',
    '"%{ if 1 > 2 }x%{ else }y%{ endif }"',
    '"%{ for i in [1, 2] }${i},%{ endfor }"',
    "7 % 3 + 2 * 3 - 1",
    "-7 / 2",
    "1 == 1.0 && !(2 < 1) || false",
    'true ? "a" : "b"',
    '[for i, v in ["a", "b"] : "${i}${v}" if v != "a"]',
    "{ for k, v in { b = 1, a = 2 } : k => v + 1 }",
    '{ for v in ["ab", "ac", "b"] : substr(v, 0, 1) => v... }',
    "[{ n = 1 }, { n = 2 }][*].n",
    'concat(["a"], [], ["b", "c"])',
    "merge({ a = 1, b = 2 }, { b = 3 }, null)",
    'coalesce("", null, "x")',
    'coalescelist([], ["y"])',
    'compact(["a", "", "b"])',
    'distinct(["b", "a", "b"])',
    'flatten([["a", ["b"]], [], ["c"]])',
    'toset(["b", "a", "b"])',
    'sort(["b", "a", "B"])',
    "reverse([1, 2, 3])",
    'slice(["a", "b", "c"], 1, 3)',
    'element(["a", "b", "c"], 4)',
    'lookup({ a = 1 }, "b", 9)',
    'try({ a = 1 }.b, "none")',
    "can({ a = 1 }.a)",
    'contains(["a"], "a")',
    "keys({ b = 1, a = 2 })",
    "values({ b = 1, a = 2 })",
    'zipmap(["b", "a"], [1, 2])',
    "length({ a = 1 })",
    'format("%s-%03d-%q-%%", "x", 7, "y")',
    'formatlist("arn:%s", ["a", "b"])',
    'join("-", ["a", "b"])',
    'split(",", "a,b,")',
    'replace("a.b.c", ".", "-")',
    'trimspace("  a ")',
    'trimprefix("abc", "a")',
    'trimsuffix("abc", "c")',
    'upper("aé")',
    'title("ab cd")',
    'substr("hello", -3, 2)',
    'startswith("abc", "ab")',
    'jsondecode(jsonencode({ b = [1, null, "<&>"], a = "é" }))',
    'join(",", toset(["b", "a"]))',
    'join(",", distinct(["b", "a", "b"]))',
    'join(",", [for k, v in { b = 1, a = 2 } : "${k}${v}"])',
    'join(",", setunion(["b"], ["a"]))',
    'join(",", values({ b = 1, a = 2 }))',
    'jsondecode("{\\"a\\": [1, 2.5]}").a',
    'base64encode("é")',
    "tostring(1.0)",
    'tonumber("1.5")',
    "max(1, 5, 3)",
    'setunion(["a"], ["b"])',
    'setsubtract(["a", "b"], ["b"])',
    "range(1, 7, 2)",
    'strrev("abc")',
    'one(["a"])',
    "alltrue([true, true])",
    'sha256("a")',
)  # fmt: skip

OPEN = (
    'replace("abc", "/b(.)/", "<$1>")',
    'regex("([a-z]+)-([0-9]+)", "ab-12")',
    'regexall("[a-z]", "a1b")',
    'base64decode("w6k=")',
    'indent(2, "a\\nb")',
    "timestamp()",
)
"""Left open rather than guessed."""


def described(expression: str) -> object:
    code = f'locals {{\n  x = {expression}\n}}\nresource "aws_kms_key" "k" {{\n  description = jsonencode(local.x)\n}}\n'
    return facts(only_key(code))["description"]


@pytest.mark.parametrize("expression", OPEN)
def test_what_is_not_evaluated_is_a_symbol(expression: str) -> None:
    found = described(expression)
    assert isinstance(found, tuple)
    assert found[0] == "unread"


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_says_the_same(tmp_path: Path) -> None:
    names = [f"e{number}" for number in range(len(EXPRESSIONS))]
    code = "locals {\n" + "".join(f"  {name} = {text}\n" for name, text in zip(names, EXPRESSIONS, strict=True)) + "}\n"
    (tmp_path / "main.tf").write_text(code)
    asked = "jsonencode([" + ", ".join(f"jsonencode(local.{name})" for name in names) + "])\n"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": ""}
    done = subprocess.run(
        ["terraform", "console"], input=asked, cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    theirs = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    ours = [described(expression) for expression in EXPRESSIONS]
    assert [json.loads(str(text)) for text in ours] == [json.loads(text) for text in theirs], ours
