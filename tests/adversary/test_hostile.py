"""Input that wants to harm: no traceback, no hang, no unbounded memory, nothing that a terminal or a CI system obeys."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kmslint.cli.main import main
from tests.adversary.policies import OWNER, policy, statement

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "junit", "github", "gitlab", "markdown", "html", "csv", "ocsf", "oscal")
EVIL = (
    "\x1b[31mred\x1b[0m\r\n::error file=x::pwn\n##[error]pwn\n[bold red]markup[/] [/nothing] \u202eabc\u2066 \x07 \x9b31m"
    " <script>alert(1)</script> `x` | ![i](http://x) =cmd() \u2028 %0A::set-output name=x::y ]]> {{7*7}}"
)
ROOT = statement(principal={"AWS": OWNER}, action="kms:*")

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs `kmslint check` in an empty folder: the exit code, stdout and stderr. At most ten seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str) -> tuple[int, str, str]:
        begun = time.monotonic()
        code = main(["check", "--no-config", "--account", OWNER, *arguments])
        assert time.monotonic() - begun < 10
        left = capsys.readouterr()
        assert "Traceback" not in left.out + left.err
        return code, left.out, left.err

    return run


def _assert_tame(text: str) -> None:
    forbidden = {"\x1b", "\x07", "\x00", "\x9b", "\u202e", "\u2066", "\u2028"}
    assert not forbidden.intersection(text)


def _evil_policy() -> str:
    condition = {"StringEquals": {f"aws:{EVIL}": EVIL}, EVIL: {"aws:UserAgent": EVIL}}
    return json.dumps(
        policy(
            statement(Sid=EVIL, action=["kms:Decrypt", f"kms:{EVIL}"]),
            statement(principal={"AWS": f"arn:aws:iam::{OWNER}:role/{EVIL}", EVIL: EVIL}, condition=condition, Sid=EVIL),
            {**ROOT, EVIL: EVIL, "Resource": EVIL},
        )
    )


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_smuggled_through_a_report(name: str, check: Check, tmp_path: Path) -> None:
    folder = tmp_path / "e\x1b[31m\n::error::x[bold]\u202e"
    folder.mkdir()
    (folder / "k<b>.json").write_text(_evil_policy(), encoding="utf-8")
    code, out, err = check("--format", name, "--output", f"{name}=report", str(folder.name))
    assert code == 1
    assert (tmp_path / "report").read_text(encoding="utf-8") == out
    _assert_tame(out)
    _assert_tame(err)
    if name == "github":
        assert all(line.startswith(("::error ", "::warning ", "::notice ", "kmslint: ")) for line in out.splitlines())
    else:
        assert not any(line.lstrip().startswith(("::", "##[")) for line in (out + err).splitlines())
    if name in {"html", "markdown", "junit"}:
        assert "<script>alert" not in out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", 3),
        (b" \r\n", 3),
        (b"null", 3),
        (b"\0" * 100_000, 3),
        (b"[" * 100_000 + b"]" * 100_000, 3),
        (b'{"Statement":' * 100_000, 3),
        (b'{"Statement":[{"Sid":"\xff","Principal":"*","Action":"kms:*"}]}', 3),
        (b'{"Statement":[{"Sid":"a\x00b","Principal":"*","Action":"kms:*"}]}', 3),
        (b'{"Statement":[{"Sid":"\\ud800","Principal":"*","Action":"kms:*"}]}', 3),
        (json.dumps(policy(statement())).encode("utf-16"), 3),
        (b"\xef\xbb\xbf" + json.dumps(policy(statement()), indent=1).replace("\n", "\r\n").encode(), 1),
        (b'{"Statement":[{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}', 1),
    ],
    ids=[
        *("empty", "blank", "null", "zeros", "deep lists", "deep objects", "not UTF-8", "NUL", "half a pair", "UTF-16"),
        *("mark and CRLF", "a key twice"),
    ],
)
def test_odd_texts(text: bytes, code: int, check: Check) -> None:
    Path("k.json").write_bytes(text)
    found, _, err = check("k.json")
    assert found == code
    assert code != 3 or err.startswith("error: k.json")


def test_a_mark_and_windows_line_ends_change_no_place(check: Check) -> None:
    plain = json.dumps(policy(ROOT, statement()), indent=1)
    found = []
    for text in (plain.encode(), b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()):
        Path("k.json").write_bytes(text)
        report = json.loads(check("--format", "json", "k.json")[1])
        found.append([(one["rule"], one["outcome"], one["locations"]) for one in report["results"]])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "built",
    [
        lambda: policy(*[statement(principal={"AWS": f"arn:aws:iam::{n:012d}:role/r"}) for n in range(10_000)]),
        lambda: policy(
            ROOT, statement(condition={"StringEquals": {"aws:PrincipalAccount": [f"{n:012d}" for n in range(100_000)]}})
        ),
        lambda: policy(ROOT, statement(condition={"StringNotLike": {"aws:PrincipalArn": [f"*{n}*" for n in range(20_000)]}})),
        lambda: policy(ROOT, statement(condition={"StringLike": {"aws:UserAgent": "*a" * 5_000}})),
        lambda: policy(ROOT, statement(condition={"StringLike": {"aws:UserAgent": "${aws:username}" * 3_000}})),
        lambda: policy(ROOT, statement(Sid="x" * 2_000_000)),
        lambda: policy(
            ROOT, statement(), *[statement("Deny", condition={"StringLike": {"aws:PrincipalArn": f"*/{n}*"}}) for n in range(100)]
        ),
    ],
    ids=["statements", "values", "patterns", "stars", "variables", "a long Sid", "denies"],
)
def test_sheer_size(built: Callable[[], dict[str, object]], check: Check) -> None:
    Path("k.json").write_text(json.dumps(built()), encoding="utf-8")
    code, out, _ = check("k.json")
    assert code == 1
    assert len(out) < 100_000


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)),
        "Resources: &r\n  K:\n    Type: AWS::KMS::Key\n    Properties: &p\n      KeyPolicy: *p\n",
        "Resources:\n  K:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: " + "[" * 20_000,
    ],
    ids=["bomb", "knot", "depth"],
)
def test_yaml_that_grows(text: str, check: Check) -> None:
    Path("k.yaml").write_text(text + "\n# AWS::KMS::Key Statement\n", encoding="utf-8")
    assert check("k.yaml")[0] == 3


@pytest.mark.parametrize(
    "text",
    [
        "locals {\n" + "".join(f'  l{n} = "${{local.l{n + 1}}}${{local.l{n + 1}}}"\n' for n in range(60)) + '  l60 = "xx"\n}\n',
        "locals {\n  l0 = local.l1\n  l1 = local.l0\n}\n",
        "locals {\n  l0 = " + "(" * 20_000 + "1" + ")" * 20_000 + "\n}\n",
    ],
    ids=["bomb", "knot", "depth"],
)
def test_terraform_that_grows(text: str, check: Check) -> None:
    Path("tf").mkdir()
    Path("tf/main.tf").write_text(text + 'resource "aws_kms_key" "k" {\n  policy = local.l0\n}\n', encoding="utf-8")
    code, out, _ = check("--format", "json", "--select", "public-access", "tf")
    assert code in {3, 4}
    assert all(one["outcome"] != "PASS" for one in json.loads(out)["results"])


def test_files_that_are_no_files(check: Check) -> None:
    folder = Path("f")
    folder.mkdir()
    (folder / "k.json").write_text(json.dumps(policy(statement())), encoding="utf-8")
    (folder / "loop").symlink_to("../f")
    (folder / "self.json").symlink_to("self.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.json")
    code, out, _ = check("--format", "json", "f")
    assert code == 1
    assert len(json.loads(out)["keys"]) == 1
    assert check("f/self.json")[0] == 3
    assert check("f/zero.json")[0] == 3


@pytest.mark.parametrize("path", ["y" * 100_000, "x\x1b[31m[red]\n::error::y.json", "a\udcffb"])
def test_odd_arguments(path: str, check: Check) -> None:
    code, out, err = check(path)
    assert code == 3
    _assert_tame(out + err)
    assert not any(line.startswith("::") for line in (out + err).splitlines())
