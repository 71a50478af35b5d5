"""Expressions as `terraform console` evaluates them: a second opinion, where Terraform is installed."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
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
    'replace("abc", "/b(.)/", "<$1>")',
    'replace("a1b22", "/[0-9]+/", "#")',
    'replace("abc", "/(?P<x>b)/", "$x$x-$$1$9")',
    'replace("abc", "/x*/", "-")',
    'replace("a.b", "/\\\\./", "$0$0")',
    'regex("([a-z]+)-([0-9]+)", "ab-12")',
    'regex("[a-z]+", "12ab-cd")',
    'regex("(?P<account>[0-9]{12}):role/(?P<name>.*)$", "arn:aws:iam::111122223333:role/a/b")',
    'regex("a(b)?(c)?", "ac")',
    'regex("(a|ab)(c|bcd)(d*)", "abcd")',
    'regex("(?:a|ab)(?:c|bcd)?", "abcd")',
    'regex("a.*?c", "abcabc")',
    'regex("(?i)ARN:", "xarn:")',
    'regex("\\\\bb\\\\w*", "ab bc")',
    'regex("[^:]+$", "a:b\\n")',
    'regex("[a-c.-]{2,3}", "xa-bc")',
    'regexall("[a-z]", "a1b")',
    'regexall("a*", "baac")',
    'regexall("([a-z])([0-9])?", "a1b")',
    'regexall("(?P<k>[a-z])=(?P<v>[0-9])", "a=1,b=2")',
    'length(regexall("^arn:aws[\\\\w-]*:iam::\\\\d{12}:root$", "arn:aws-cn:iam::111122223333:root"))',
    'can(regex("^[0-9]+$", "12a"))',
    'try(regex("x", "y"), "none")',
    'base64decode("w6k=")',
    'base64sha256("a")',
    'sha512("a")',
    'indent(2, "a\\nb\\n\\nc")',
    'urlencode("a b/é~*-_.")',
    'index(["a", "b"], "b")',
    'try(index(["a"], "b"), -1)',
    'chunklist(["a", "b", "c"], 2)',
    "chunklist([], 2)",
    'chunklist(["a"], 0)',
    'matchkeys(["x", "y", "z"], ["a", "b", "a"], ["a"])',
    'transpose({ a = ["1", "2"], b = ["2"] })',
    "sum([1, 2, 3])",
    'title("aBC d-e_f g\'h 1i")',
    'lower("ÀÉ")',
    'length("éa")',
    'dirname("/a/b")',
    'dirname("/a")',
    'dirname("a/b/")',
    'dirname("a//b")',
    'basename("/a/b/")',
    'basename("/")',
    'basename("")',
    'dirname("")',
    'trimspace("\\u001fa\\u00a0")',
    'fileexists("main.tf")',
)  # fmt: skip

CASES = int(os.environ.get("KMSLINT_CASES", "150"))

OPEN = (
    'replace("abc", "/(b/", "<$1>")',
    'regex("(a*)*", "aa")',
    'regex("\\\\p{L}+", "ab")',
    'regexall("(?P<a>x)(y)", "xy")',
    'base64decode("%")',
    'base64decode("/w==")',
    'fileexists("nowhere")',
    'index(["a", timestamp()], "b")',
    'length("e\\u0301")',
    'upper("ß")',
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


def console(folder: Path, expressions: Sequence[str]) -> list[object]:
    """What Terraform makes of each expression."""
    names = [f"e{number}" for number in range(len(expressions))]
    code = "locals {\n" + "".join(f"  {name} = {text}\n" for name, text in zip(names, expressions, strict=True)) + "}\n"
    (folder / "main.tf").write_text(code)
    asked = "jsonencode([" + ", ".join(f"jsonencode(local.{name})" for name in names) + "])\n"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": ""}
    done = subprocess.run(
        ["terraform", "console"], input=asked, cwd=folder, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in json.loads(json.loads(done.stdout.strip().splitlines()[-1]))]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_says_the_same(tmp_path: Path) -> None:
    ours = [described(expression) for expression in EXPRESSIONS]
    assert [json.loads(str(text)) for text in ours] == console(tmp_path, EXPRESSIONS), ours


def pattern(rng: random.Random, depth: int) -> str:
    """A random pattern over two letters and a digit."""
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(["a", "b", "1", ".", "[ab]", "[^a]", "\\\\d", "\\\\w", "^", "$", "\\\\b", "[a-]", "[\\\\d-b]"])
    inner = [pattern(rng, depth - 1) for _ in range(3)]
    return rng.choice(
        [
            f"{inner[0]}{inner[1]}",
            f"({inner[0]})",
            f"(?:{inner[0]}|{inner[1]})",
            f"({inner[0]}|{inner[1]})",
            f"({inner[0]}){rng.choice(['*', '+', '?', '{2}', '{1,2}', '{0,2}?', '*?', '+?'])}",
            f"{inner[0]}{inner[1]}{inner[2]}",
        ]
    )


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_finds_the_same_matches(tmp_path: Path) -> None:
    rng = random.Random(20261124)
    pairs = [(pattern(rng, 3), "".join(rng.choices("ab1-", k=rng.randrange(8)))) for _ in range(CASES)]
    expressions = [f'try(jsonencode(regexall("{one}", "{text}")), "no pattern")' for one, text in pairs]
    expressions += [f'try(replace("{text}", "/{one}/", "<$1$0>"), "no pattern")' for one, text in pairs]
    ours = [described(expression) for expression in expressions]
    theirs = [answer for at in range(0, len(expressions), 300) for answer in console(tmp_path, expressions[at : at + 300])]
    known = [(asked, json.loads(str(mine)), other) for asked, mine, other in zip(expressions, ours, theirs, strict=True)
             if isinstance(mine, str)]  # fmt: skip
    assert len(known) > CASES
    assert [asked for asked, mine, other in known if mine != other] == []
