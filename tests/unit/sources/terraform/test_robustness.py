"""Half-written and hostile code: the keys that can be read, an error with its place for the rest, and an end to it."""

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.model.key import Key
from kmslint.sources.hcl import folder
from kmslint.sources.hcl.folder import Folder
from kmslint.sources.terraform_hcl import keys_from_directories, keys_from_directory
from tests.unit.sources.terraform.shapes import facts, read

GOOD = 'resource "aws_kms_key" "good" {\n  deletion_window_in_days = 7\n}\n'


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ('resource "aws_kms_key" "bad" {\n  policy = jsonencode({ a = \n}\n', 1),
        ('resource "aws_kms_key" "bad" {\n  policy = \n}\n', 2),
        ('resource "aws_kms_key" "bad" {\n  policy = <<EOT\n{ "a": \n', 1),
        ("locals {\n  x = [1, 2\n}\n", 1),
        ('variable "x" {\n  default = "open\n}\n', 1),
    ],
)
def test_half_written_block_hides_no_other(broken: str, line: int) -> None:
    for code, offset in ((GOOD + broken, 3), (broken + GOOD, 0)):
        keys, errors = read(code)
        assert "aws_kms_key.good" in [key.source.address for key in keys]
        assert errors
        assert all(error.source == "main.tf" and error.line is not None and error.column is not None for error in errors)
        assert errors[0].line is not None
        assert errors[0].line >= offset + line


def test_block_header_in_a_heredoc_is_no_block() -> None:
    code = GOOD + 'locals {\n  x = <<EOT\nresource "aws_kms_key" "text" {\nEOT\n}\nlocals { y = }\n'
    keys, errors = read(code)
    assert [key.source.address for key in keys] == ["aws_kms_key.good"]
    assert [(error.line, error.source) for error in errors] == [(9, "main.tf")]


def test_policy_that_is_no_json_is_an_error_at_its_place() -> None:
    code = 'resource "aws_kms_key" "k" {\n  policy = <<EOT\n{\n  "Version": "2012-10-17",\n  "Statement" [\n}\nEOT\n}\n'
    keys, errors = read(code)
    assert len(keys) == 1
    assert keys[0].policies[0].policy.unknown == ("the policy is not JSON: found `[`, expected `:`",)
    assert [(error.line, error.column, error.message) for error in errors] == [(5, 15, "found `[`, expected `:`")]


@pytest.mark.parametrize(
    "code",
    [
        "locals {\n  a = local.b\n  b = local.a\n}\n",
        "locals {\n  a = [local.a]\n}\n",
        (
            'data "aws_iam_policy_document" "a" {\n  source_policy_documents = [data.aws_iam_policy_document.a.json]\n}\n'
            "locals {\n  a = data.aws_iam_policy_document.a.json\n}\n"
        ),
    ],
)
def test_what_refers_to_itself_is_an_error_and_a_symbol(code: str) -> None:
    keys, errors = read(code + 'resource "aws_kms_key" "k" {\n  description = local.a\n}\n')
    assert facts(keys[0])["description"] == ("unread", "`local.a` could not be resolved")
    assert len(errors) == 1
    assert "refers to itself" in errors[0].message
    assert errors[0].line is not None


def test_module_that_calls_itself_is_an_error() -> None:
    keys, errors = read({"m/main.tf": GOOD + 'module "again" { source = "../m" }\n'}, "m")
    assert [key.source.address for key in keys] == ["aws_kms_key.good"]
    assert [error.message for error in errors] == ["the module `m` calls itself"]


def test_modules_in_a_ring() -> None:
    files = {
        "a/main.tf": GOOD + 'module "b" { source = "../b" }\n',
        "b/main.tf": GOOD + 'module "a" { source = "../a" }\n',
    }
    from kmslint.sources.hcl.folder import Memory

    found = list(keys_from_directories(Memory(files), ("a", "b")))
    keys = [item.source.address for item in found if isinstance(item, Key)]
    assert "aws_kms_key.good" in keys
    assert next(item.message for item in found if not isinstance(item, Key)).endswith("calls itself")


@pytest.mark.parametrize(
    "expression",
    [
        "[" * 5_000 + "]" * 5_000,
        "(" * 5_000 + "1" + ")" * 5_000,
        '"${' * 500 + "1" + '}"' * 500,
        " + ".join(["1"] * 5_000),
        "!" * 5_000 + "true",
        "a" + ".b" * 5_000,
        "f(" * 3_000 + ")" * 3_000,
        "a ? b : " * 3_000 + "c",
    ],
)
def test_deep_nesting_ends(expression: str) -> None:
    started = time.perf_counter()
    keys, errors = read(f'resource "aws_kms_key" "k" {{\n  description = {expression}\n}}\n')
    assert len(keys) + len(errors) >= 1
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "code",
    [
        "\n".join(["locals { a0 = [1, 1] }", *(f"locals {{ a{n + 1} = concat(local.a{n}, local.a{n}) }}" for n in range(60))]),
        "\n".join(['locals { a0 = "xx" }', *(f'locals {{ a{n + 1} = "${{local.a{n}}}${{local.a{n}}}" }}' for n in range(60))]),
        "\n".join(["locals { a0 = [1, 1] }", *(f"locals {{ a{n + 1} = [local.a{n}, local.a{n}] }}" for n in range(60))]),
        "\n".join(["locals { a0 = [1, 1] }", *(f"locals {{ a{n + 1} = [local.a{n}, local.a{n}] }}" for n in range(40))])
        + "\nlocals { a60 = local.a40 }",
        "locals { a60 = data.aws_iam_policy_document.d19.json }\n"
        'data "aws_iam_policy_document" "d0" {\n statement {\n actions = ["a"]\n }\n}\n'
        + "\n".join(
            f'data "aws_iam_policy_document" "d{n + 1}" {{\n'
            f" source_policy_documents = [data.aws_iam_policy_document.d{n}.json, data.aws_iam_policy_document.d{n}.json]\n}}"
            for n in range(19)
        ),
        "locals { a60 = [for a in range(1000) : [for b in range(1000) : a]] }",
        "locals { a60 = range(100000000) }",
        "locals { a60 = setproduct(range(9000), range(9000)) }",
        'locals { a60 = replace(join(",", range(9000)), ",", join(",", range(9000))) }',
    ],
)
def test_explosions_end(code: str) -> None:
    started = time.perf_counter()
    keys, _ = read(code + '\nresource "aws_kms_key" "k" {\n  description = jsonencode(local.a60)\n}\n')
    assert facts(keys[0])["description"][0] == "unread"  # type: ignore[index]
    assert time.perf_counter() - started < 20


def test_files_outside_the_root_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "main.tf").write_text(GOOD)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.json").symlink_to(tmp_path / "secret.json")
    (inside / "loop").symlink_to(inside)
    (inside / "main.tf").write_text(
        'resource "aws_kms_key" "a" { policy = file("../secret.json") }\n'
        'resource "aws_kms_key" "b" { policy = file("link.json") }\n'
        f'resource "aws_kms_key" "c" {{ policy = file("{tmp_path}/secret.json") }}\n'
        'module "m" { source = "../outside" }\n'
    )
    found = list(keys_from_directory(Folder(str(inside)), str(inside)))
    keys = [item for item in found if isinstance(item, Key)]
    assert [key.source.address for key in keys] == ["aws_kms_key.a", "aws_kms_key.b", "aws_kms_key.c"]
    assert all("could not be resolved" in key.policies[0].policy.unknown[0] for key in keys)
    twin = list(keys_from_directory(Folder(str(tmp_path)), str(inside)))
    assert [item.policies[0].policy.unknown for item in twin if isinstance(item, Key)][:3] == [(), (), ()]


def test_fifo_and_directory_are_no_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "main.tf").write_text(
        'resource "aws_kms_key" "a" { policy = file("pipe.json") }\nresource "aws_kms_key" "b" { policy = file("folder.json") }\n'
    )
    found = [item for item in keys_from_directory(Folder(str(tmp_path)), str(tmp_path)) if isinstance(item, Key)]
    assert len(found) == 2


def test_offsets_are_characters_not_bytes() -> None:
    code = '# ünïcödé 😀\nresource "aws_kms_key" "k" {\n  description = "é😀" # 😀\n  deletion_window_in_days = 7\n}\n'
    keys, errors = read(code)
    assert errors == []
    location = keys[0].facts["deletion.window_days"].location  # type: ignore[union-attr]
    assert (location.line, location.column, location.end_column) == (4, 3, 30)  # type: ignore[union-attr]
    assert facts(keys[0])["description"] == "é😀"


def test_line_ends_of_windows_and_byte_order_mark() -> None:
    keys, errors = read("\ufeff" + GOOD.replace("\n", "\r\n"))
    assert errors == []
    location = keys[0].facts["deletion.window_days"].location  # type: ignore[union-attr]
    assert (location.line, location.column) == (2, 3)  # type: ignore[union-attr]


SNIPPETS = st.sampled_from(
    [
        'resource "aws_kms_key" "k" {',
        "}",
        "policy = ",
        "jsonencode({",
        "})",
        "<<EOT\n",
        "EOT\n",
        '"${',
        '}"',
        "[for x in ",
        ":",
        "\n",
        "%{ if x }",
        "%{ endif }",
        "locals {",
        "a = local.a",
        'dynamic "statement" {',
        "content {",
        "😀",
        "\0",
        "\\",
        '"',
        "...",
        "=",
        "null",
    ]
)


@given(st.lists(SNIPPETS, max_size=25).map("".join))
def test_any_text_is_read_without_an_exception(code: str) -> None:
    keys, errors = read(code)
    for key in keys:
        assert key.source.line >= 1
    for error in errors:
        assert error.message


@given(st.text(max_size=60), st.integers(0, 400))
def test_any_damage_is_survived(noise: str, at: int) -> None:
    code = 'locals { a = ["x"] }\n' + GOOD + 'data "aws_iam_policy_document" "d" {\n  statement { actions = local.a }\n}\n'
    code += 'resource "aws_kms_key" "k" {\n  policy = data.aws_iam_policy_document.d.json\n}\n'
    at = min(at, len(code))
    keys, errors = read(code[:at] + noise + code[at:])
    assert keys or errors


def test_a_file_that_cannot_be_read_is_told_if_it_speaks_of_kms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folder, "MAX_BYTES", 1_000)
    for name, content in {
        "large": b"#" * 1_000 + GOOD.encode(),
        "other": b"#" * 1_000 + b'resource "aws_s3_bucket" "b" {}',
        "latin": b"# \xe9\n" + GOOD.encode(),
        "plain": b"# \xc3\xa9\n" + GOOD.encode(),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_bytes(content)

    def told(name: str) -> list[object]:
        found = keys_from_directory(Folder(str(tmp_path)), name)
        return [item.source.address if isinstance(item, Key) else (item.source, item.message) for item in found]

    assert told("large") == [("large/main.tf", f"the file has {1_000 + len(GOOD):,} bytes, more than 1,000")]
    assert told("latin") == [("latin/main.tf", "the file is not UTF-8 text")]
    assert (told("other"), told("plain")) == ([], ["aws_kms_key.good"])


def test_a_name_across_two_pieces_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_PIECE", 10)
    place = tmp_path / "main.tf"
    for shift in range(12):
        place.write_bytes(b"\xff" + b"#" * shift + b"aws_kms_key")
        assert Folder(str(tmp_path)).fault(str(place)) == "the file is not UTF-8 text"
        place.write_bytes(b"\xff" + b"#" * shift + b"aws_kmskey")
        assert Folder(str(tmp_path)).fault(str(place)) is None


def chain(kind: str, length: int) -> dict[str, str]:
    """A key whose policy is at the end of a chain of references, all of one kind."""
    links = {
        "bucket": ('resource "aws_s3_bucket" "x{n}" {{\n bucket = {last}\n}}\n', "aws_s3_bucket.x{n}.bucket"),
        "module": ('module "x{n}" {{\n source = "./m"\n i = {last}\n}}\n', "module.x{n}.o"),
        "local": ("locals {{\n x{n} = {last}\n}}\n", "local.x{n}"),
        "template": ('data "template_file" "x{n}" {{\n template = {last}\n}}\n', "data.template_file.x{n}.rendered"),
        "document": (
            'data "aws_iam_policy_document" "x{n}" {{\n source_policy_documents = [{last}]\n}}\n',
            "data.aws_iam_policy_document.x{n}.json",
        ),
    }
    block, reference = links[kind]
    last = '"{}"'
    code = ""
    for number in range(length):
        code += block.format(n=number, last=last)
        last = reference.format(n=number)
    key = f'resource "aws_kms_key" "k" {{\n description = "d"\n policy = {last}\n}}\n'
    return {"main.tf": key + code, "m/main.tf": 'variable "i" {}\noutput "o" {\n value = var.i\n}\n'}


@pytest.mark.parametrize("kind", ["bucket", "module", "local", "template", "document"])
def test_a_chain_of_references_ends_before_the_stack_does(kind: str) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(900)
    try:
        (long,), errors = read(chain(kind, 200))
    finally:
        sys.setrecursionlimit(limit)
    assert [error.message for error in errors] == ["references and expressions are nested more than 110 deep"]
    assert "could not be resolved" in str(long.policies[0].policy.unknown)
    (short,), errors = read(chain(kind, 20))
    assert (errors, "could not be resolved" in str(short.policies[0].policy.unknown)) == ([], False)
