"""`kmslint check` as users run it: a process of its own, judged by exit code, stdout and stderr."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

import kmslint
from kmslint.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((Path(kmslint.__file__).parent / "schemas" / "report-1.json").read_text())
OWNER = "111122223333"
EVIL = "\x1b]0;pwned\x07\x1b[31m[bold red]x[/] \u202edesrever\r\n::error::"


def allow(**more: object) -> dict[str, object]:
    return {
        "Sid": "S",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
        "Action": "kms:*",
        "Resource": "*",
        **more,
    }


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [allow(), *statements]}, indent=2)


FEW = "public-access,unbounded-wildcard,untrusted-account-access,iam-delegation"
"""Rules enough to fail, to pass and to give a notice."""
GOOD = policy()
PUBLIC = policy(allow(Sid="Open", Principal="*", Action="kms:Decrypt"))


class Done(NamedTuple):
    """How a run ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


def kmslint_run(
    *arguments: str, stdin: str | bytes = b"", cwd: Path = ROOT, env: dict[str, str] | None = None, code: str | None = None
) -> Done:
    """A run in a process of its own."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "kmslint"]), *arguments]
    clean = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "XDG_CONFIG_HOME", "COLUMNS"}
    }
    own = [str(ROOT)] if kmslint.__file__.startswith(str(ROOT)) else []
    path = os.pathsep.join(part for part in (*own, clean.get("PYTHONPATH", "")) if part)
    done = subprocess.run(
        command,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env={**clean, "HOME": str(cwd), **({"PYTHONPATH": path} if path else {}), **(env or {})},
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def report_of(done: Done) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def check(tmp_path: Path, files: dict[str, str | bytes], *arguments: str, **more: object) -> Done:
    """`kmslint check` in a process of its own, in a folder with `files`."""
    write(tmp_path, files)
    return kmslint_run("check", *arguments, cwd=tmp_path, **more)  # type: ignore[arg-type]


@pytest.fixture
def check_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """As `check`, but in this process, which is faster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NO_COLOR", "FORCE_COLOR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def run(files: dict[str, str | bytes], *arguments: str) -> Done:
        write(tmp_path, files)
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        code = main(["check", *arguments])
        return Done(code, *(stream.buffer.getvalue() for stream in streams))

    return run


# --- exit codes


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({"a.json": GOOD}, ["a.json"], 0),
        ({"a.json": PUBLIC}, ["a.json"], 1),
        ({"a.json": PUBLIC}, ["a.json", "--exit-zero"], 0),
        ({"a.json": PUBLIC}, ["a.json", "--fail-on", "never"], 0),
        (
            {"a.json": PUBLIC},
            ["a.json", "--ignore", "public-access,unbounded-wildcard,untrusted-account-access,confused-deputy"],
            0,
        ),
        ({"a.json": PUBLIC}, ["a.json", "--select", "public-access"], 1),
        ({"a.json": PUBLIC}, ["a.json", "--min-severity", "critical"], 1),
        ({"a.json": GOOD}, ["a.json", "--fail-on", "info"], 1),
        ({"a.json": PUBLIC}, ["."], 1),
        ({"a.json": PUBLIC}, [], 1),
        ({"a.json": "{}"}, ["."], 3),
        ({"a.json": "{}"}, [".", "--allow-empty"], 0),
        ({"a.json": "{}"}, ["a.json", "--allow-empty"], 3),
        ({}, ["missing.json"], 3),
        ({}, ["missing.json", "--allow-empty"], 3),
        ({"a.json": GOOD, "b.json": '{"Statement": ['}, ["a.json", "b.json"], 3),
        ({"a.json": PUBLIC, "b.json": '{"Statement": ['}, ["a.json", "b.json"], 1),
        ({"a.json": PUBLIC, "b.json": '{"Statement": ['}, ["a.json", "b.json", "--exit-zero"], 0),
        ({"a.json": GOOD}, ["a.json", "--bogus"], 2),
        ({"a.json": GOOD}, ["a.json", "--select", "no-such-rule"], 2),
        ({"a.json": GOOD}, ["a.json", "--config", "missing.toml"], 2),
        ({"a.json": GOOD, "kmslint.toml": "strct = true"}, ["a.json"], 2),
        ({"a.json": GOOD, "kmslint.toml": "strct = true"}, ["a.json", "--no-config"], 0),
        ({"a.json": GOOD}, ["a.json", "--rules", "missing"], 2),
        ({"a.json": GOOD}, ["a.json", "--output", "json=missing/x.json"], 2),
    ],
)
def test_exit_codes(check_here: Callable[..., Done], files: dict[str, str | bytes], arguments: list[str], code: int) -> None:
    few = () if "--select" in arguments else ("--select", FEW)
    done = check_here(files, *arguments, "--account", OWNER, *few)
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    if code in {2, 3}:
        assert done.stderr


def test_undetermined_is_4_unless_allowed(check_here: Callable[..., Done]) -> None:
    """An account that nobody knows: whether the named account is the owner stays open."""
    stranger = allow(Principal={"AWS": "arn:aws:iam::444455556666:role/x"}, Action="kms:Decrypt")
    text = json.dumps({"Version": "2012-10-17", "Statement": [stranger]})
    arguments = ["a.json", "--select", "untrusted-account-access"]
    assert check_here({"a.json": text}, *arguments).returncode == 4
    assert check_here({"a.json": text}, *arguments, "--allow-undetermined").returncode == 0
    assert check_here({"a.json": text}, *arguments, "--exit-zero").returncode == 0
    assert check_here({"a.json": text}, *arguments, "--account", "444455556666").returncode == 0
    assert check_here({"a.json": text}, *arguments, "--account", OWNER).returncode == 1
    assert check_here({"a.json": text, "b.json": "{"}, *arguments, "b.json").returncode == 3


def test_a_bug_is_70_with_a_reproducer_and_no_traceback(tmp_path: Path) -> None:
    code = "import sys, kmslint.app, kmslint.cli.main as m\nkmslint.app.report_on = lambda *a, **k: 1 / 0\nsys.exit(m.main(sys.argv[1:]))"
    (tmp_path / "a.json").write_text(GOOD)
    done = kmslint_run("check", "a.json", code=code, cwd=tmp_path)
    assert done.returncode == 70
    assert done.stdout == b""
    assert b"this is a bug in kmslint: ZeroDivisionError" in done.stderr
    assert b"to reproduce: kmslint check a.json" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Traceback" in kmslint_run("check", "a.json", "-v", code=code, cwd=tmp_path).stderr


# --- what is read


def test_the_report_is_a_valid_document(tmp_path: Path) -> None:
    done = check(tmp_path, {"a.json": PUBLIC, "b.json": GOOD}, "a.json", "b.json", "--format", "json", "--as-of", "2026-11-24")
    document = report_of(done)
    assert document["as_of"] == "2026-11-24T00:00:00Z"
    assert [(key["id"], key["source"]["file"], key["account"], key["account_source"]) for key in document["keys"]] == [
        ("k1", "a.json", OWNER, "inferred"),
        ("k2", "b.json", OWNER, "inferred"),
    ]
    failed = [result for result in document["results"] if result["outcome"] == "FAIL" and result["rule"] == "public-access"]
    assert [(result["key"], result["severity"], result["locations"][0]["sid"]) for result in failed] == [
        ("k1", "critical", "Open")
    ]
    assert failed[0]["witness"]["action"] == "kms:Decrypt"
    assert all(result["controls"] for result in document["results"])
    ids = {result["rule"] for result in document["results"]}
    assert {"public-access", "no-durable-admin", "rotation-disabled"} <= ids
    assert document["tool"]["rules"] == len(ids)


def test_the_same_input_is_the_same_report_under_every_hash_seed(tmp_path: Path) -> None:
    runs = {
        check(
            tmp_path, {"a.json": PUBLIC}, "a.json", "--format", "json", "--as-of", "2026-11-24", env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(runs) == 1


def test_stdin_is_read_and_named(tmp_path: Path) -> None:
    done = kmslint_run("check", "-", "--format", "json", "--stdin-filename", "piped.json", stdin=PUBLIC, cwd=tmp_path)
    assert done.returncode == 1
    assert report_of(done)["keys"][0]["source"]["file"] == "piped.json"
    assert kmslint_run("check", "-", stdin="", cwd=tmp_path).returncode == 3
    assert kmslint_run("check", "-", stdin=b"\xff\xfe\x00", cwd=tmp_path).returncode == 3


def test_one_broken_file_does_not_hide_the_rest(tmp_path: Path) -> None:
    files = {"a.json": PUBLIC, "b.json": '{\n  "Statement": [}', "c.json": GOOD}
    done = check(tmp_path, files, "a.json", "b.json", "c.json", "--format", "json")
    document = report_of(done)
    assert [key["source"]["file"] for key in document["keys"]] == ["a.json", "c.json"]
    assert [(error["source"], error["line"], error["column"]) for error in document["errors"]] == [("b.json", 2, 17)]
    assert b"error: b.json:2:17: " in done.stderr


def test_what_is_plainly_something_else_is_counted(tmp_path: Path) -> None:
    done = check(tmp_path, {"a.json": GOOD, "package.json": '{"name": "x"}'}, ".", "-v")
    assert b"1 file skipped" in done.stdout
    assert b"skipped: " in done.stderr
    assert b"package.json" in done.stderr


def test_a_key_arn_gives_account_and_region(tmp_path: Path) -> None:
    arn = f"arn:aws:kms:eu-central-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    key = report_of(check(tmp_path, {"a.json": GOOD}, "a.json", "--format", "json", "--key", arn))["keys"][0]
    assert (key["arn"], key["account"], key["account_source"], key["region"]) == (arn, OWNER, "arn", "eu-central-1")
    done = check(tmp_path, {"a.json": GOOD}, "a.json", "--key", arn, "--account", "444455556666")
    assert done.returncode == 2


def test_the_owner_is_a_warning_until_it_is_given(tmp_path: Path) -> None:
    done = check(tmp_path, {"a.json": GOOD}, "a.json")
    assert b"warning: a.json: the owner account 111122223333 is inferred from the policy; pass --account" in done.stderr
    assert b"is inferred from the policy; pass --account" in done.stdout
    given = check(tmp_path, {"a.json": GOOD}, "a.json", "--account", OWNER)
    assert b"inferred" not in given.stdout + given.stderr


def test_suppression_keeps_the_finding_and_clears_the_gate(check_here: Callable[..., Done]) -> None:
    entry = '[[suppress]]\nrule = "{}"\nwhere = "a.json"\nreason = "a demonstration"\nowner = "platform"\nuntil = 2027-06-01\n'
    rules = ("public-access", "unbounded-wildcard", "untrusted-account-access")
    files = {"a.json": PUBLIC, "kmslint.toml": "".join(entry.format(rule) for rule in rules)}
    arguments = ("a.json", "--account", OWNER, "--select", FEW)
    done = check_here(files, *arguments, "--as-of", "2026-11-24")
    assert done.returncode == 0
    assert b"a demonstration (platform, until 2027-06-01)" in done.stdout
    assert (
        b"--> a.json" not in done.stdout.split(b"suppressed:")[0]
        or b"public-access [critical]:" not in done.stdout.split(b"suppressed:")[0]
    )
    document = report_of(check_here(files, *arguments, "--as-of", "2026-11-24", "--format", "json"))
    assert document["summary"]["suppressed"] >= 1
    assert check_here(files, *arguments, "--as-of", "2027-06-02").returncode == 1


# --- what is shown


def test_a_finding_is_shown_with_its_source(tmp_path: Path) -> None:
    shown = check(tmp_path, {"a.json": PUBLIC}, "a.json").stdout.decode()
    assert "a.json: public-access [critical]: " in shown
    assert "--> a.json:13:5 statement `Open`" in shown
    assert '"Sid": "Open"' in shown
    assert "witness: " in shown
    assert "why: HIPAA 164.312(a)(1)" in shown
    assert "help: " in shown
    assert "key     PASS  FAIL" in shown
    assert "complian" not in shown.lower()


def test_piped_output_is_plain(tmp_path: Path) -> None:
    files = {"a.json": PUBLIC}
    assert b"\x1b" not in check(tmp_path, files, "a.json").stdout
    assert b"\x1b[" in check(tmp_path, files, "a.json", env={"FORCE_COLOR": "1"}).stdout
    assert b"\x1b" not in check(tmp_path, files, "a.json", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert b"\x1b[" in check(tmp_path, files, "a.json", "--color", "always").stdout
    assert b"\x1b" not in check(tmp_path, files, "a.json", "--color", "always", "--format", "json").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
@pytest.mark.parametrize(
    ("env", "coloured"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)], ids=["plain", "no-color"]
)
def test_a_terminal_gets_colours(tmp_path: Path, env: dict[str, str], coloured: bool) -> None:
    import pty

    (tmp_path / "a.json").write_text(PUBLIC)
    main, child = pty.openpty()
    command = [sys.executable, "-m", "kmslint", "check", str(tmp_path / "a.json"), "--no-config"]
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    with subprocess.Popen(
        command, stdout=child, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=ROOT, env={**clean, **env}
    ) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert process.wait(30) == 1
    os.close(main)
    assert (b"\x1b[" in shown) is coloured
    assert b"public-access" in shown


@pytest.mark.parametrize("format", ["text", "json"])
def test_hostile_text_is_harmless(tmp_path: Path, format: str) -> None:
    text = policy(
        allow(Sid=EVIL, Principal={"AWS": ["*", EVIL]}, Action=["kms:Decrypt", EVIL], Condition={EVIL: {EVIL: EVIL}}),
        allow(Sid=EVIL, Principal="*"),
    )
    name = "a\x1b[31m\n[red]\u202e.json"
    done = check(tmp_path, {name: text}, name, "--format", format, "-v", env={"FORCE_COLOR": ""})
    assert done.returncode in {1, 4}
    for stream in (done.stdout, done.stderr):
        assert all(line.isprintable() for line in stream.decode("utf-8").split("\n"))
    folder = check(tmp_path, {}, ".", "--format", format)
    assert all(line.isprintable() for line in folder.stdout.decode("utf-8").split("\n"))


def test_a_file_name_that_is_not_text_is_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.json")
    done = check(tmp_path, {name: PUBLIC}, ".", "--format", "json")
    assert report_of(done)["keys"][0]["source"]["file"].endswith("\\xff\\xfe.json")
    assert check(tmp_path, {}, ".").returncode == 1


@pytest.mark.parametrize(
    "locale",
    [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1:strict"}],
    ids=range(3),
)
def test_a_poor_locale_breaks_nothing(tmp_path: Path, locale: dict[str, str]) -> None:
    text = policy(allow(Sid="Größe鍵", Principal="*"))
    done = check(tmp_path, {"ä.json": text}, ".", env=locale)
    assert done.returncode == 1
    assert "statement `Größe鍵`" in done.stdout.decode("utf-8")


def test_reports_go_to_files_as_well(tmp_path: Path) -> None:
    done = check(tmp_path, {"a.json": PUBLIC}, "a.json", "--output", "json=r.json", "--output", "text=r.txt")
    assert done.returncode == 1
    assert (tmp_path / "r.txt").read_bytes() == done.stdout
    jsonschema.validate(json.loads((tmp_path / "r.json").read_text()), SCHEMA)
    assert sorted(os.listdir(tmp_path)) == ["a.json", "r.json", "r.txt"]


# --- the worst inputs


def test_ten_megabytes_are_read(tmp_path: Path) -> None:
    filler = [
        allow(Sid=f"S{n}", Principal={"AWS": f"arn:aws:iam::{OWNER}:role/{'r' * 900}{n}"}, Action="kms:DescribeKey")
        for n in range(10)
    ]
    text = policy(*filler, allow(Sid="Open", Principal="*")) + " " * 10_000_000
    done = check(tmp_path, {"a.json": text}, "a.json", "--format", "json")
    assert done.returncode in {1, 3}
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    report_of(done)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"Statement":' * 100_000,
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": ' + "[" * 5000 + "]" * 5000 + "}]}",
        '{"Statement": "' + "x" * 100,
        "\x00" * 1000,
        '{"Statement": [{"Sid": "\\ud800", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}',
        '{"Statement": [1e999999, -0, 123456789012345678901234567890' + "0" * 5000 + "]}",
    ],
    ids=["arrays", "objects", "nested", "open", "zeros", "surrogate", "numbers"],
)
@pytest.mark.parametrize("format", ["text", "json"])
def test_malformed_inputs_end_in_a_verdict_not_a_crash(check_here: Callable[..., Done], text: str, format: str) -> None:
    done = check_here({"a.json": text}, "a.json", "--format", format)
    assert done.returncode in {0, 1, 3, 4}
    assert b"bug in kmslint" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_changes_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(policy(*(allow(Sid=f"Open{n}", Principal="*") for n in range(400))))
    command = [sys.executable, "-m", "kmslint", "check", str(tmp_path / "a.json"), "--no-config", "--select", "public-access"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()
        assert process.wait(60) == 1
    assert b"BrokenPipe" not in complaints
    assert b"Exception ignored" not in complaints


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(GOOD)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kmslint", "check", str(tmp_path / "a.json"), "--no-config"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 2
    assert b"the report cannot be written to stdout" in done.stderr
    assert b"Exception ignored" not in done.stderr


HEAVY = (
    "rich",
    "boto3",
    "botocore",
    "yaml",
    "dataclasses",
    "pathlib",
    "logging",
    "importlib.metadata",
    "inspect",
    "difflib",
    "socket",
)


def test_the_check_path_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom kmslint.cli.main import main\n"
        f"before = set(sys.modules)\nmain(sys.argv[1:])\nprint([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    (tmp_path / "a.json").write_text(GOOD)
    done = kmslint_run("check", "a.json", "--format", "json", "--account", OWNER, code=code, cwd=tmp_path)
    assert done.stderr.decode().strip().split("\n")[-1] == "[]"


# --- the examples and the other commands


@pytest.mark.parametrize(("name", "code"), [("policy.json", 1), ("good.json", 0)])
def test_the_examples_are_what_they_claim(name: str, code: int) -> None:
    done = kmslint_run("check", f"examples/{name}", "--no-config")
    assert done.returncode == code, done.stdout.decode()


def test_the_bad_example_shows_each_kind_of_mistake() -> None:
    document = report_of(kmslint_run("check", "examples/policy.json", "--no-config", "--format", "json"))
    failed = {
        (result["rule"], (result["locations"] or [{}])[0].get("sid"))
        for result in document["results"]
        if result["outcome"] == "FAIL"
    }
    assert {
        ("public-access", "OnlyOurOrganization"),
        ("untrusted-account-access", "AnalyticsPartner"),
        ("confused-deputy", "TrailDelivery"),
        ("via-service-on-service-principal", "LambdaEnvironment"),
        ("unknown-action", "OnlyOurOrganization"),
    } <= failed


def lines(done: Done) -> Sequence[str]:
    return done.stdout.decode().split("\n")


def test_rules_lists_the_catalogue() -> None:
    done = kmslint_run("rules", "--format", "json")
    rules = json.loads(done.stdout)
    assert done.returncode == 0
    assert [rule["id"] for rule in rules] == sorted(rule["id"] for rule in rules)
    public = next(rule for rule in rules if rule["id"] == "public-access")
    assert {"id", "title", "severity", "needs", "controls"} <= public.keys()
    assert public["severity"] == "critical"
    assert public["needs"] == ["policy"]
    assert any(control["id"] == "hipaa/164.312(a)(1)" and control["why"] for control in public["controls"])
    assert any(line.startswith("public-access ") for line in lines(kmslint_run("rules")))


def test_explain_shows_a_rule_and_a_control() -> None:
    page = kmslint_run("explain", "public-access")
    assert page.returncode == 0
    assert [
        heading
        for heading in ("What it checks", "Why it matters", "When it is silent", "Fix", "References")
        if heading not in page.stdout.decode()
    ] == []
    assert "Fails" in page.stdout.decode()
    assert "Passes" in page.stdout.decode()
    for name in ("hipaa/164.312(a)(1)", "164.312(a)(1)"):
        control = kmslint_run("explain", name)
        assert control.returncode == 0
        assert "Access control" in control.stdout.decode()
        assert "public-access" in control.stdout.decode()
    wrong = kmslint_run("explain", "public-acess")
    assert wrong.returncode == 2
    assert b"did you mean `public-access`?" in wrong.stderr
