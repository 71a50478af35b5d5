"""Files, folders and stdin: what is found, what is an error, what is passed over; and nothing hides the rest."""

import json
import os
import sys
from pathlib import Path

import pytest

from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources import files
from kmslint.sources.files import Found, Skipped, collect, configured_account

OWNER, PARTNER = "111122223333", "444455556666"
POLICY = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}],
})  # fmt: skip


def put(folder: Path, **contents: str | bytes) -> None:
    """Files by name; `__` in a name stands for a folder's end, `_json` for the suffix."""
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def found(*paths: str | Path, settings: Settings | None = None, **more: object) -> list[Found]:
    return list(collect([str(path) for path in paths], settings=settings or Settings(), **more))


def short(results: list[Found], folder: Path) -> list[tuple[str, ...]]:
    """Each result as (kind, path below `folder`, reason)."""
    shown: list[tuple[str, ...]] = []
    for result in results:
        if isinstance(result, Key):
            shown.append(("key", os.path.relpath(str(result.source.file), folder)))
        elif isinstance(result, SourceError):
            shown.append(("error", os.path.relpath(result.source, folder), result.message))
        else:
            shown.append(("skipped", os.path.relpath(result.source, folder), result.reason))
    return shown


# --- files


def test_a_named_file_is_a_key_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, a_json=POLICY, policy=POLICY, c_tpl=POLICY)
    results = found(tmp_path / "a.json", tmp_path / "policy", tmp_path / "c_tpl")
    assert short(results, tmp_path) == [("key", "a.json"), ("key", "policy"), ("key", "c_tpl")]


def test_a_named_file_that_is_no_key_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, a_json="{}", b_json='{"a": }', c_json="")
    results = found(tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.json", tmp_path / "missing.json")
    help = "`--type policy` reads it as a key policy all the same"
    assert results == [
        SourceError(str(tmp_path / "a.json"), None, None, "holds no key policy: no policy in it", help),
        SourceError(str(tmp_path / "b.json"), 1, 7, "found `}`, expected a value", None),
        SourceError(str(tmp_path / "c.json"), 1, 1, "found the end of the text, expected a value", None),
        SourceError(str(tmp_path / "missing.json"), None, None, "cannot be read: no such file or directory", None),
    ]
    assert isinstance(found(tmp_path / "a.json", type="policy")[0], Key)


def test_one_file_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, a_json=POLICY, b_json=POLICY)
    twice = [tmp_path / "b.json", tmp_path, tmp_path / "a.json", f"{tmp_path}/./a.json"]
    assert short(found(*twice), tmp_path) == [("key", "b.json"), ("key", "a.json")]


def test_what_is_not_text(tmp_path: Path) -> None:
    put(
        tmp_path,
        a_json=b'{\n "\xc3\xa9": "\xe9"}',
        b_json=b"\x00\x01\x02",
        c_json=b"\xef\xbb\xbf" + POLICY.encode(),
        d_json=POLICY.encode("utf-16"),
    )
    a, b, c, d = found(*[tmp_path / f"{name}.json" for name in "abcd"])
    assert a == SourceError(str(tmp_path / "a.json"), 2, 8, "the byte `0xe9` is not UTF-8", None)
    assert b == SourceError(str(tmp_path / "b.json"), 1, 1, "found the character U+0000, expected a value", None)
    assert isinstance(c, Key)
    assert (c.source.line, c.source.column) == (1, 1)
    assert d == SourceError(str(tmp_path / "d.json"), None, None, "the text is UTF-16, expected UTF-8", "save it as UTF-8")


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", len(POLICY))
    put(tmp_path, a_json=POLICY, b_json=POLICY + "\n", c_json=" " * len(POLICY) + "\n")
    assert short(found(tmp_path), tmp_path) == [
        ("key", "a.json"),
        ("error", "b.json", f"larger than {len(POLICY):,} bytes"),
        ("skipped", "c.json", f"cannot be read: larger than {len(POLICY):,} bytes"),
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    put(tmp_path, a_json=POLICY, b_json=POLICY)
    (tmp_path / "a.json").chmod(0)
    assert short(found(tmp_path), tmp_path) == [("error", "a.json", "cannot be read: permission denied"), ("key", "b.json")]


def test_what_the_system_refuses_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, a_json=POLICY, b__c_json=POLICY, d_json=POLICY)
    scan, opened = os.scandir, os.open

    def refusing_scan(path: str) -> object:
        if str(path).endswith("b"):
            raise FileNotFoundError(2, "No such file or directory")
        return scan(path)

    def refusing_open(path: str, flags: int, *more: int) -> int:
        if str(path).endswith("a.json"):
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "scandir", refusing_scan)
    monkeypatch.setattr(os, "open", refusing_open)
    assert short(found(tmp_path), tmp_path) == [
        ("error", "a.json", "cannot be read: permission denied"),
        ("error", "b", "cannot be read: no such file or directory"),
        ("key", "d.json"),
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_in_a_folder_does_not_hang(tmp_path: Path) -> None:
    put(tmp_path, b_json=POLICY)
    os.mkfifo(tmp_path / "a.json")
    assert short(found(tmp_path), tmp_path) == [("skipped", "a.json", "not a regular file"), ("key", "b.json")]


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_a_name_that_is_not_utf_8_is_shown_with_escapes(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xff.json")
    try:
        Path(path).write_text(POLICY)
    except OSError:
        pytest.skip("this file system refuses such names")
    for result in (*found(tmp_path), *found(path)):
        assert isinstance(result, Key)
        assert result.source.file == f"{tmp_path}/\\xff.json"


# --- folders


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    put(
        tmp_path,
        b_json=POLICY,
        a__z_json=POLICY,
        a__b__c_json=POLICY,
        c__a_json=POLICY,
        readme="kms Statement",
        x_tf="Statement kms",
    )
    assert short(found(tmp_path), tmp_path) == [
        ("key", "a/b/c.json"),
        ("key", "a/z.json"),
        ("key", "b.json"),
        ("key", "c/a.json"),
    ]


def test_names_are_relative_to_the_folder_as_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, a__b_json=POLICY)
    monkeypatch.chdir(tmp_path)
    for path, name in ((".", "a/b.json"), ("./", "a/b.json"), ("a", "a/b.json"), ("./a", "./a/b.json"), ("a/", "a/b.json")):
        (key,) = found(path)
        assert isinstance(key, Key)
        assert key.source.file == name


def test_hidden_folders_are_not_entered_unless_named(tmp_path: Path) -> None:
    put(tmp_path, a_json=POLICY)
    for folder in (".git", ".terraform"):
        put(tmp_path / folder, b_json=POLICY)
    (tmp_path / ".c.json").write_text(POLICY)
    assert short(found(tmp_path), tmp_path) == [("key", ".c.json"), ("key", "a.json")]
    assert short(found(tmp_path / ".git"), tmp_path) == [("key", ".git/b.json")]


def test_links_to_folders_are_not_followed_and_links_to_files_are(tmp_path: Path) -> None:
    put(tmp_path, a__b_json=POLICY)
    try:
        (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "a" / "d.json").symlink_to(tmp_path / "a", target_is_directory=True)
        (tmp_path / "a" / "c.json").symlink_to(tmp_path / "a" / "b.json")
        (tmp_path / "a" / "z.json").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("no symbolic links here")
    assert short(found(tmp_path), tmp_path) == [
        ("key", "a/b.json"),
        ("key", "a/c.json"),
        ("error", "a/z.json", "cannot be read: no such file or directory"),
    ]
    assert short(found(tmp_path / "a" / "loop" / "a" / "b.json"), tmp_path) == [("key", "a/loop/a/b.json")]


def test_depth_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FOLDERS_DEEP", 2)
    put(tmp_path, a__b__c_json=POLICY, a__b__d__e_json=POLICY)
    assert short(found(tmp_path), tmp_path) == [("key", "a/b/c.json"), ("error", "a/b/d", "folders are nested more than 2 deep")]


def test_what_is_something_else_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    put(
        tmp_path,
        a_json='{"name": "x"}',
        b_json=POLICY.replace("kms:", "s3:"),
        c_json="{broken",
        d_json='{"Statement": [broken "kms:*"',
        e_json='{"KMS": 1, "Statement": [{"Action": "*"',
        f_json=b"\xff\x00 kms Statement",
        g_json=b"\xff\x00",
        h_json='{"\\u0053tatement": ' + POLICY.partition('"Statement": ')[2],
        i_json="",
    )
    results = found(tmp_path)
    assert short(results, tmp_path) == [
        ("skipped", "a.json", "no policy in it"),
        ("skipped", "b.json", "a policy of other services: `s3`"),
        ("skipped", "c.json", "no policy in it"),
        ("error", "d.json", "found `broken`, expected a value"),
        ("error", "e.json", "found the end of the text, expected `,` or `}`"),
        ("error", "f.json", "the byte `0xff` is not UTF-8"),
        ("skipped", "g.json", "cannot be read: the byte `0xff` is not UTF-8"),
        ("key", "h.json"),
        ("skipped", "i.json", "no policy in it"),
    ]
    assert results[3] == SourceError(str(tmp_path / "d.json"), 1, 16, "found `broken`, expected a value", None)


def test_type_policy_reads_all_as_policies(tmp_path: Path) -> None:
    put(tmp_path, a_json='{"name": "x"}', b_json=POLICY)
    assert short(found(tmp_path, type="policy"), tmp_path) == [("key", "a.json"), ("key", "b.json")]


def test_an_empty_folder_finds_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert found() == []


# --- stdin


def test_stdin_is_read_and_named() -> None:
    (key,) = found("-", stdin=POLICY.encode(), stdin_name="piped.json")
    assert isinstance(key, Key)
    assert key.source.file == "piped.json"
    assert found("-", stdin=b"") == [SourceError("<stdin>", 1, 1, "found the end of the text, expected a value", None)]
    assert found("-", stdin=b"{}", stdin_name="x")[0] == SourceError(
        "x", None, None, "holds no key policy: no policy in it", "`--type policy` reads it as a key policy all the same"
    )
    assert len(found("-", "-", stdin=POLICY.encode())) == 1


# --- the owner


def test_the_owner_is_given_or_configured_or_told(tmp_path: Path) -> None:
    put(tmp_path, prod__a_json=POLICY)

    def owner(**more: object) -> tuple[str | None, str | None]:
        (key,) = found(tmp_path, **more)
        assert isinstance(key, Key)
        return key.account, key.account_source

    assert owner() == (OWNER, "inferred")
    assert owner(settings=Settings(account=PARTNER)) == (PARTNER, "configured")
    assert owner(settings=Settings(account=PARTNER), account="777788889999") == ("777788889999", "given")
    file = str(tmp_path / "kmslint.toml")
    assert owner(settings=Settings(accounts=(("prod", PARTNER),), file=file)) == (PARTNER, "configured")
    assert owner(settings=Settings(accounts=(("test", PARTNER),), file=file)) == (OWNER, "inferred")
    arn = f"arn:aws:kms:us-east-1:{OWNER}:key/x"
    assert owner(settings=Settings(account=PARTNER), arn=arn) == (OWNER, "arn")


def test_the_configured_account_of_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = (("prod/*.json", "1"), ("./prod/", "2"), ("*/eu/*", "3"))
    settings = Settings(account="0", accounts=accounts, file=str(tmp_path / "kmslint.toml"))
    asked = ["prod/a.json", "prod/a.txt", "prod/b/c.txt", "test/eu/x", "test/us/x", "production/a.json"]
    assert [configured_account(settings, str(tmp_path / path)) for path in asked] == ["1", "2", "2", "3", "0", "0"]
    monkeypatch.chdir(tmp_path)
    assert configured_account(settings._replace(file=None), "prod/a.txt") == "2"


def test_a_skipped_input_is_a_value() -> None:
    assert Skipped("a", "b") == ("a", "b")
