import pytest

from kmslint.model.key import Key, KeyPolicy, Source
from kmslint.model.result import Report
from kmslint.reporters import rich_text, text
from kmslint.reporters.view import View
from tests.unit.reporters.reports import empty, full, hostile

VIEWS = [View(), View(verbose=True), View(show_suppressed=True), View(quiet=True), View(min_severity="high"), View(width=20)]


@pytest.mark.parametrize("view", VIEWS, ids=range(len(VIEWS)))
def test_nothing_hostile_reaches_the_terminal(view: View) -> None:
    printed = text.render(hostile(), view)
    assert all(line.isprintable() for line in printed.split("\n"))
    assert "[bold red]link[/]" in printed
    printed.encode("utf-8")


@pytest.mark.parametrize("view", VIEWS, ids=range(len(VIEWS)))
def test_in_colour_only_our_own_escapes_are_drawn(view: View) -> None:
    drawn = rich_text.render(hostile(), view)
    own = drawn.replace("\x1b[0m", "")
    parts = own.split("\x1b[")
    assert all(part.split("m")[0].replace(";", "").isdigit() for part in parts[1:])
    assert all(char.isprintable() or char in "\n\x1b" for char in drawn)
    assert "[bold red]link[/]" in drawn


def test_colours_change_nothing_but_the_table() -> None:
    import re

    plain = text.render(full(), View(quiet=True))
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", rich_text.render(full(), View(quiet=True)))
    assert [line.rstrip() for line in drawn.split("\n")] == plain.split("\n")


def test_rich_leaves_a_long_command_on_one_line() -> None:
    drawn = rich_text.render(full(), View(width=30))
    assert "aws kms put-key-policy --key-id KEY --policy file://policy.json" in drawn


def test_an_empty_report_says_that_nothing_was_found() -> None:
    assert text.render(empty(), View()) == "no key was found\n"
    assert text.render(empty()._replace(skipped=(("a", "b"),)), View()) == "no key was found, 1 file skipped\n"


def test_the_summary_never_speaks_of_compliance() -> None:
    for view in VIEWS:
        for report in (full(), empty(), full()._replace(results=())):
            assert "complian" not in text.render(report, view).lower()


def test_a_witness_is_a_sentence() -> None:
    assert (
        text.witness_sentence({"principal": None, "action": "kms:Encrypt", "context": {}})
        == "a caller without credentials calls `kms:Encrypt`"
    )
    assert (
        text.witness_sentence({"principal": "p", "action": "a", "context": {"k": "v", "l": ["x", "y"]}})
        == "`p` calls `a` with k = `v`, l = [`x`, `y`]"
    )


def many(count: int) -> Report:
    keys = tuple(
        Key(f"k{n}", Source("policy", f"{n}.json"), (), {}, account="1", account_source="given") for n in range(1, count + 1)
    )
    report = full()
    failed = report.results[1]._replace(key="k3", locations=())
    return report._replace(keys=keys, results=(failed,))


def test_a_long_table_leaves_out_keys_without_findings() -> None:
    assert text.outcome_table(many(40), View()).left_out == 0
    table = text.outcome_table(many(41), View())
    assert table.rows == (("3.json", "0", "1", "0", "0"),)
    assert table.left_out == 40
    assert "and 40 keys without findings" in text.render(many(41), View())
    assert "and 40 keys without findings" in rich_text.render(many(41), View())


def test_an_owner_that_nobody_gave_is_said_once() -> None:
    printed = text.render(full(), View())
    assert printed.count("inferred") == 1
    assert "policy.json: the owner account 111122223333 is inferred from the policy; pass --account to say which it is" in printed
    assert printed.index("is inferred") < printed.index("service control policies were not read")


def test_a_policy_without_text_has_no_excerpt() -> None:
    report = full()
    bare = report.keys[0]._replace(
        policies=tuple(KeyPolicy(p.name, p.policy._replace(node=None)) for p in report.keys[0].policies)
    )
    assert "--> policy.json:5:5 statement `Open`\n  witness:" in text.render(report._replace(keys=(bare, report.keys[1])), View())
