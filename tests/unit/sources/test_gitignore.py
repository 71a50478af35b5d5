"""What `.gitignore` leaves out, held to Git itself, and how a walk heeds it."""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.files import Skipped, collect
from kmslint.sources.gitignore import Ignored, read_patterns

PIECES = [
    "a",
    "b",
    "*",
    "**",
    "/",
    "?",
    "[ab]",
    "[!a]",
    "\\a",
    "!",
    "#",
    " ",
    "ab",
    ".x",
    "[a",
    "[[:alpha:]]",
    "[b-a]",
    "\\",
    "é",
]
NAMES = ("a", "b", "ab", "ba", "a.x", "aab", "#a", "!a", "a ", "é")


def ignored(lines: Sequence[str], path: str) -> bool:
    """Whether a path (a folder's ends with `/`), or a folder above it, is left out by the lines."""
    found = read_patterns(lines, "/")
    parts = path.rstrip("/").split("/")
    ways = ["/".join(parts[:count]) + "/" for count in range(1, len(parts))] + [path]
    return found is not None and any(found.decide(way) is True for way in ways)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("build", ["build", "build/", "x/build/", "build/a.json"], ["builds", "a/xbuild"]),
        ("build/", ["build/", "x/build/a"], ["build", "x/build"]),
        ("/build", ["build", "build/a"], ["x/build"]),
        ("a/b", ["a/b", "a/b/c"], ["x/a/b", "b"]),
        ("*.json", ["a.json", "x/y/.json"], ["a.jsonl"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb", "c/a/b"]),
        ("a/**", ["a/x", "a/x/y"], ["a", "a/", "b/a/x"]),
        ("**/a", ["a", "x/y/a"], ["xa"]),
        ("a/*", ["a/x", "a/x/y"], ["a/", "a"]),
        ("\\#a", ["#a"], ["a"]),
        ("a  ", ["a"], ["a "]),
        ("a\\ ", ["a "], ["a"]),
        ("[!a]b", ["cb", "x/cb"], ["ab", "b"]),
        ("[a", [], ["[a", "a"]),
        ("", [], ["a"]),
        ("# a", [], ["a", "# a"]),
    ],
)
def test_a_pattern(pattern: str, inside: list[str], outside: list[str]) -> None:
    assert [ignored([pattern], path) for path in inside] == [True] * len(inside)
    assert [ignored([pattern], path) for path in outside] == [False] * len(outside)


def test_the_last_pattern_decides_but_nothing_comes_back_into_a_folder_that_is_out() -> None:
    assert [ignored(["*.json", "!keep.json"], path) for path in ("a.json", "keep.json")] == [True, False]
    assert ignored(["!keep.json", "*.json"], "keep.json")
    assert ignored(["out/", "!out/keep.json"], "out/keep.json")
    assert [ignored(["out/*", "!out/keep.json"], path) for path in ("out/keep.json", "out/a.json")] == [False, True]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("seed", range(12))
def test_git_says_the_same(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=environment)
    paths = [*(f"{one}/{other}" for one in NAMES for other in NAMES), *(f"{one}/" for one in NAMES)]
    for one in NAMES:
        (tmp_path / one).mkdir()
        for other in NAMES:
            (tmp_path / one / other).touch()
    for _ in range(6):
        lines = ["".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6))) for _ in range(rng.randint(1, 4))]
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        asked = "".join(path.rstrip("/") + "\0" for path in paths)
        told = subprocess.run(
            ["git", "-C", str(tmp_path), "check-ignore", "-z", "--no-index", "--stdin"],
            input=asked.encode(), capture_output=True, check=False, env=environment,
        )  # fmt: skip
        theirs = set(told.stdout.decode().split("\0"))
        assert {path for path in paths if ignored(lines, path)} == {path for path in paths if path.rstrip("/") in theirs}, lines


@given(st.lists(st.text(max_size=12), max_size=4), st.text(min_size=1, max_size=12))
def test_any_text_is_a_list_of_patterns(lines: list[str], path: str) -> None:
    found = read_patterns(lines, "/")
    assert found is None or found.decide(path) in {True, False, None}


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(["*a", "**/a/", "a*?", "[a-z]*"]))
def test_a_pattern_made_to_be_slow_is_not(piece: str) -> None:
    found = read_patterns([piece * (4_000 // len(piece)) + "b"], "/")
    assert found is not None
    started = time.process_time()
    assert found.decide("a" * 250 + "/" + "a/" * 1_900 + "c") is None
    assert time.process_time() - started < 5


# --- a walk

POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}],
    }
)


def laid_out(top: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(content)


def found_in(folder: Path, top: Path | None = None) -> tuple[list[str], list[tuple[str, str]]]:
    """The files with keys, and what was skipped."""
    found = list(collect([str(folder)], settings=Settings()))
    assert [item for item in found if isinstance(item, SourceError)] == []
    relative = str(top or folder) + os.sep
    keys = [str(item.source.file).removeprefix(relative) for item in found if isinstance(item, Key)]
    return sorted(keys), sorted((item.source.removeprefix(relative), item.reason) for item in found if isinstance(item, Skipped))


TERRAFORM = f'resource "aws_kms_key" "k" {{\n  policy = <<EOT\n{POLICY}\nEOT\n}}\n'


def test_a_walk_leaves_out_what_the_repository_leaves_out(tmp_path: Path) -> None:
    laid_out(
        tmp_path,
        {
            ".gitignore": "build/\n*.bak.json\n",
            "a.json": POLICY,
            "a.bak.json": POLICY,
            "build/b.json": POLICY,
            "build/main.tf": TERRAFORM,
            "deep/.gitignore": "/secret.json\n!wanted.bak.json\n",
            "deep/secret.json": POLICY,
            "deep/wanted.bak.json": POLICY,
            "deep/er/secret.json": POLICY,
            "infra/main.tf": TERRAFORM,
        },
    )
    assert found_in(tmp_path) == (
        ["a.json", "deep/er/secret.json", "deep/wanted.bak.json", "infra/main.tf"],
        [(name, "left out by .gitignore") for name in ("a.bak.json", "build", "deep/secret.json")],
    )


def test_without_the_file_nothing_is_left_out(tmp_path: Path) -> None:
    laid_out(tmp_path, {"a.json": POLICY, "build/b.json": POLICY})
    assert found_in(tmp_path) == (["a.json", "build/b.json"], [])


def test_a_folder_of_a_repository_heeds_the_files_above_it(tmp_path: Path) -> None:
    laid_out(tmp_path, {".git/info/exclude": "mine.json\n", ".gitignore": "*.out.json\n/sub/b.json\n"})
    laid_out(tmp_path, {f"sub/{name}": POLICY for name in ("a.json", "a.out.json", "b.json", "mine.json")})
    assert found_in(tmp_path / "sub")[0] == ["a.json"]


def test_outside_a_repository_the_files_above_say_nothing(tmp_path: Path) -> None:
    laid_out(tmp_path, {".gitignore": "*.json\n", "sub/a.json": POLICY})
    if any((folder / ".git").exists() for folder in tmp_path.parents):
        pytest.skip("the temporary folder is in a repository")
    assert found_in(tmp_path / "sub")[0] == ["a.json"]


def test_what_the_user_names_is_read_all_the_same(tmp_path: Path) -> None:
    laid_out(tmp_path, {".git/HEAD": "", ".gitignore": "build/\n*.json\n!build/*.json", "build/b.json": POLICY, "a.json": POLICY})
    assert found_in(tmp_path / "build")[0] == ["b.json"]
    found = list(collect([str(tmp_path / "a.json")], settings=Settings()))
    assert [type(item) for item in found] == [Key]


def test_a_list_that_is_no_file_is_no_list(tmp_path: Path) -> None:
    laid_out(tmp_path, {"a.json": POLICY})
    os.mkfifo(tmp_path / ".gitignore")
    assert found_in(tmp_path)[0] == ["a.json"]
    (tmp_path / ".gitignore").unlink()
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe*\n\x00\n" + b"#" * 100)
    assert found_in(tmp_path)[0] == ["a.json"]


def test_an_ignored_name_may_hold_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.json")
    (tmp_path / ".gitignore").write_bytes(b"\xff.json\n")
    assert Ignored(str(tmp_path)).holds(str(tmp_path), name, is_folder=False)
