"""Comments that accept a finding: where they count, for what, and what is said of those that do not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.app import report_on
from kmslint.engine.loader import load_rules
from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import Outcome, Report
from kmslint.model.settings import Comment, Settings, SuppressionEntry
from kmslint.sources.files import collect, without_comments
from kmslint.sources.inline import comments_in

AS_OF = "2026-11-24T08:00:00Z"
RULES = tuple(rule for rule in load_rules() if rule.id in {"public-access", "rotation-disabled", "short-deletion-window"})
KNOWN = tuple(rule.id for rule in load_rules())
GOOD = "until=2027-03-01 owner=sec a reason"
HCL = """\
{head}
resource "aws_kms_key" "k" {{
  deletion_window_in_days = 7 {window}
  policy                  = data.aws_iam_policy_document.p.json
}}

data "aws_iam_policy_document" "p" {{
  {above}
  statement {{
    actions   = ["kms:Decrypt"] {inside}
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = ["*"]
    }}
  }}
}}
"""
YAML = """\
Resources:
  {head}
  Key:
    Type: AWS::KMS::Key
    Properties:
      PendingWindowInDays: 7 {window}
      KeyPolicy:
        Statement:
          {above}
          - Effect: Allow
            Principal: "*"
            Action: kms:Decrypt {inside}
            Resource: "*"
"""
SOURCES = {"main.tf": HCL, "key.yaml": YAML}


def report(folder: Path, content: str, name: str, *, trusted: bool = False) -> Report:
    (folder / name).write_text(content)
    found = collect([str(folder)], settings=Settings())
    found = without_comments(found) if trusted else found
    return report_on(found, rules=RULES, settings=Settings(), as_of=AS_OF, known=KNOWN)


def filled(name: str, **places: str) -> str:
    return SOURCES[name].format(**{"head": "", "window": "", "above": "", "inside": "", **places})


def accepted(found: Report) -> list[str]:
    return sorted(result.rule for result in found.results if result.suppressed)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("place", "rule", "expected"),
    [
        ("above", "public-access", ["public-access"]),
        ("inside", "public-access", ["public-access"]),
        ("window", "short-deletion-window", ["short-deletion-window"]),
        ("head", "rotation-disabled", ["rotation-disabled"]),
        ("head", "public-access", ["public-access"]),
        ("head", "rotation-disabled, public-access", ["public-access", "rotation-disabled"]),
        ("above", "rotation-disabled", []),
        ("window", "public-access", []),
        ("inside", "short-deletion-window", []),
    ],
)
def test_a_comment_counts_for_what_it_stands_beside(
    tmp_path: Path, name: str, place: str, rule: str, expected: list[str]
) -> None:
    bare = report(tmp_path, filled(name), name)
    assert accepted(bare) == []
    assert bare.notes == ()
    found = report(tmp_path, filled(name, **{place: f"# kmslint: ignore[{rule}] {GOOD}"}), name)
    assert accepted(found) == expected
    assert found.errors == ()
    assert [note for note in found.notes if not note.endswith("matches no finding; remove it")] == []
    assert bool(found.notes) == (not expected)
    assert {result.suppressed for result in found.results if result.suppressed} == {
        (("a reason", "sec", "2027-03-01", None, f"{tmp_path / name}:{_line(tmp_path / name)}")) for _ in expected[:1]
    }


def _line(file: Path) -> int:
    return next(number for number, line in enumerate(file.read_text().split("\n"), 1) if "kmslint:" in line)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("until=2026-11-23 owner=sec old", "expired on 2026-11-23; the finding counts again"),
        ("until=2028-01-01 owner=sec long", "ends on 2028-01-01, more than a year ahead, and is not applied"),
    ],
)
def test_an_end_that_is_past_or_too_far_brings_the_finding_back(tmp_path: Path, name: str, said: str, told: str) -> None:
    found = report(tmp_path, filled(name, above=f"# kmslint: ignore[public-access] {said}"), name)
    line = _line(tmp_path / name)
    assert accepted(found) == []
    assert found.notes == (f"the suppression of `public-access` at `{tmp_path / name}:{line}` (owner sec) {told}",)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ignore", "the comment names no rule in brackets"),
        (f"ignore[] {GOOD}", "the comment names no rule in brackets"),
        (f"ignore[Public] {GOOD}", "the comment names no rule in brackets"),
        (f"ignore[public-access]{GOOD}", "the comment names no rule in brackets"),
        ("ignore[public-access] owner=sec why", "the comment has no `until=`, and accepts nothing"),
        ("ignore[public-access] until=2027-03-01 why", "the comment has no `owner=`, and accepts nothing"),
        ("ignore[public-access] until=2027-03-01 owner=sec", "the comment has no reason, and accepts nothing"),
        ("ignore[public-access] why until=2027-03-01 owner=sec", "the comment has no `until=`, and accepts nothing"),
        ("ignore[public-access] until=tomorrow owner=sec why", "`until=tomorrow` is not a date such as 2027-03-01"),
        ("ignore[public-access] until=20270301 owner=sec why", "`until=20270301` is not a date such as 2027-03-01"),
        ('ignore[public-access] until=2027-03-01 owner="" why', "`owner=` is empty"),
        ("ignore[public-access] owner=a owner=b until=2027-03-01 why", "the comment says `owner=` twice"),
    ],
)
def test_a_comment_that_lacks_something_is_an_error_at_its_line(tmp_path: Path, name: str, said: str, told: str) -> None:
    found = report(tmp_path, filled(name, above=f"# kmslint: {said}"), name)
    assert [(error.source, error.line, error.message) for error in found.errors] == [
        (str(tmp_path / name), _line(tmp_path / name), told)
    ]
    assert accepted(found) == []
    assert [result.rule for result in found.results if result.outcome is Outcome.FAIL].count("public-access") == 1


@pytest.mark.parametrize("name", SOURCES)
def test_a_rule_that_does_not_exist_is_told(tmp_path: Path, name: str) -> None:
    found = report(tmp_path, filled(name, above=f"# kmslint: ignore[public-acess] {GOOD}"), name)
    place = f"{tmp_path / name}:{_line(tmp_path / name)}"
    assert found.notes == (f"{place}: the comment accepts an unknown rule `public-acess`; kmslint rules lists the rules",)
    assert report(tmp_path, filled(name, above=f"# kmslint: ignore[no-alias] {GOOD}"), name).notes == ()


@pytest.mark.parametrize("name", SOURCES)
def test_a_change_does_not_weaken_its_own_gate(tmp_path: Path, name: str) -> None:
    found = report(tmp_path, filled(name, above=f"# kmslint: ignore[public-access] {GOOD}"), name, trusted=True)
    assert accepted(found) == []
    (key,) = found.keys
    place = f"{tmp_path / name}:{_line(tmp_path / name)}"
    assert key.notes[-1] == f"the comments at {place} accept findings and do not count under --trusted-ref"


def test_every_way_to_write_one() -> None:
    said = "ignore[a,b-2] owner=\"two words\" alternative='' until=2027-03-01   it  is so"
    entry = SuppressionEntry("a", "x.tf:2", "it is so", "two words", "2027-03-01", "''", 0)
    content = f"\n## kmslint:{said}\n// else\n\nx = 1\n"
    assert comments_in(Text(content, file="x.tf")).found == (
        Comment(entry, "x.tf", 5),
        Comment(entry._replace(rule="b-2"), "x.tf", 5),
    )
    assert [found.line for found in comments_in(Text(f"x = 1 // kmslint: {said}\ny = 2\n", file="x.tf")).found] == [1, 1]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("x.tf", f'x = "# kmslint: ignore[a] {GOOD}"\n'),
        ("x.tf", f"x = <<EOT\n# kmslint: ignore[a] {GOOD}\nEOT\n"),
        ("x.tf", "# kmslint: see the page\n"),
        ("x.tf", f"# see kmslint: ignore[a] {GOOD}\n"),
        ("x.tf", f"/* kmslint: ignore[a] {GOOD} */\n"),
        ("x.yaml", f'x: "# kmslint: ignore[a] {GOOD}"\n'),
        ("x.yaml", f"x: |\n  # kmslint: ignore[a] {GOOD}\n"),
        ("x.yaml", f"x: a# kmslint: ignore[a] {GOOD}\n"),
        ("x.yaml", f'{{"x": "y"}} # kmslint: ignore[a] {GOOD}\n'),
        ("x.json", f"# kmslint: ignore[a] {GOOD}\n"),
        ("x.tf.json", f"# kmslint: ignore[a] {GOOD}\n"),
    ],
)
def test_what_only_looks_like_one(file: str, content: str) -> None:
    assert comments_in(Text(content, file=file)) == ((), ())


@pytest.mark.parametrize("file", ["x.tf", "x.yaml"])
def test_half_a_file_keeps_the_comments_before_the_fault(file: str) -> None:
    fault = 'resource "a" {' if file == "x.tf" else "a: [\n"
    found = comments_in(Text(f"# kmslint: ignore[a] {GOOD}\nx{' = 1' if file == 'x.tf' else ': 1'}\n{fault}\n", file=file))
    assert [comment.line for comment in found.found] == [2]


@given(st.text("#/ \n\"'x:=[]{}|", max_size=40), st.sampled_from(["x.tf", "x.yaml"]))
def test_any_text_has_comments_or_none(around: str, file: str) -> None:
    found = comments_in(Text(f"{around}\n# kmslint: ignore[a] {GOOD}\n{around}", file=file))
    assert len(found.found) <= 1


def test_comments_of_a_named_file_alone(tmp_path: Path) -> None:
    (tmp_path / "other.tf").write_text('# kmslint: ignore[a]\nresource "aws_kms_key" "o" {}\n')
    (tmp_path / "main.tf").write_text(filled("main.tf"))
    found = list(collect([str(tmp_path / "main.tf")], settings=Settings()))
    assert [type(item) for item in found] == [Key]
