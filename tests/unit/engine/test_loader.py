"""Where rules are found, and what is said of folders that hold none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kmslint.engine import compiled, loader
from kmslint.engine.frameworks import Framework, Requirement, parse_framework
from kmslint.errors import RuleError
from kmslint.model.result import Control

RULE = """
id = "{id}"
title = "A rule"
severity = "low"
since = "0.1.0"
needs = ["policy"]
[[forbid]]
Principal = "*"
[[controls]]
id = "{control}"
why = "because"
"""


def write_rule(folder: Path, id: str, text: str | None = None, control: str = "hipaa/164.312(b)") -> Path:
    path = folder / id
    (path / "cases").mkdir(parents=True)
    (path / "rule.toml").write_text(text if text is not None else RULE.format(id=id, control=control))
    (path / "rule.md").write_text(f"# {id}\n\n## Fix\n\nNothing.\n")
    (path / "cases" / "pass-x.json").write_text('{"expect": [{"outcome": "PASS"}]}')
    return path


def test_the_rules_of_the_checkout_are_all_there_by_id(root: Path) -> None:
    folders = sorted(file.parent.name for file in (root / "rules").glob("*/rule.toml"))
    assert [rule.id for rule in loader.load_rules()] == folders
    assert "public-access" in folders


def test_a_users_rule_comes_beside_them(tmp_path: Path) -> None:
    path = write_rule(tmp_path, "my-rule")
    own = {rule.id for rule in loader.load_rules()}
    rules = {rule.id: rule for rule in loader.load_rules([str(tmp_path)])}
    assert rules.keys() == own | {"my-rule"}
    assert rules["my-rule"].folder == str(path)
    assert rules["my-rule"].controls == (Control("hipaa/164.312(b)", "Audit controls", "standard", "because"),)
    assert loader.page(rules["my-rule"]) == "# my-rule\n\n## Fix\n\nNothing.\n"
    assert loader.cases(rules["my-rule"]) == {"pass-x": {"expect": [{"outcome": "PASS"}]}}


def test_a_rules_own_folder_may_be_named(tmp_path: Path) -> None:
    path = write_rule(tmp_path, "my-rule")
    assert "my-rule" in {rule.id for rule in loader.load_rules([str(path)])}


def test_a_users_framework_comes_beside_theirs(tmp_path: Path) -> None:
    write_rule(tmp_path, "my-rule", control="ours/7")
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "ours.toml").write_text(
        'id = "ours"\ntitle = "Ours"\n[[controls]]\nid = "7"\ntitle = "Seven"\nmanual = "the signed form"\n'
    )
    catalogue = loader.load_catalogue([str(tmp_path)])
    assert catalogue.frameworks[-1] == Framework(
        "ours", "Ours", "", "", (Requirement("7", "Seven", "", manual="the signed form"),)
    )
    mine = next(rule for rule in catalogue.rules if rule.id == "my-rule")
    assert mine.controls == (Control("ours/7", "Seven", "", "because"),)


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("id = ", "is not TOML: invalid value (at end of document)", None),
        ("a = " + "[" * 3000, "is not TOML", None),
        (
            RULE.format(id="other", control="hipaa/164.312(b)"),
            "`id` is `other`, but the folder is called `my-rule`",
            "give both one name",
        ),
        (
            RULE.format(id="my-rule", control="hipaa/164.312(z)"),
            "`hipaa` has no control `164.312(z)`",
            "did you mean `164.312(b)`?",
        ),
        (
            RULE.format(id="my-rule", control="hippa/164.312(b)"),
            "unknown framework `hippa` of control `hippa/164.312(b)`",
            "did you mean `hipaa`?",
        ),
        (
            'folds_into = ["nothing"]' + RULE.format(id="my-rule", control="hipaa/164.312(b)"),
            "`folds_into` names an unknown rule `nothing`",
            None,
        ),
        ("#" * 1_000_001, "is larger than 1000000 bytes", None),
    ],
    ids=["toml", "deep", "name", "control", "framework", "fold", "large"],
)
def test_a_wrong_rule_is_told(tmp_path: Path, text: str, message: str, help: str | None) -> None:
    path = write_rule(tmp_path, "my-rule", text)
    with pytest.raises(RuleError) as caught:
        loader.load_rules([str(tmp_path)])
    assert caught.value.source == str(path / "rule.toml")
    assert caught.value.message.startswith(message) or caught.value.message == "is nested too deeply"
    assert help is None or caught.value.help == help


def test_a_rule_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = write_rule(tmp_path, "my-rule")
    (path / "rule.toml").write_bytes(b"\xff")
    with pytest.raises(RuleError, match="is not UTF-8 text"):
        loader.load_rules([str(tmp_path)])


def test_an_id_that_is_taken_is_told(tmp_path: Path) -> None:
    write_rule(tmp_path, "public-access")
    with pytest.raises(RuleError, match=r"`public-access` is already the id in .*public-access.rule\.toml"):
        loader.load_rules([str(tmp_path)])


def test_an_empty_folder_and_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="holds no rule"):
        loader.load_rules([str(tmp_path)])
    with pytest.raises(RuleError, match="cannot be read: No such file or directory"):
        loader.load_rules([str(tmp_path / "none")])


def test_a_page_or_case_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = write_rule(tmp_path, "my-rule")
    rule = next(rule for rule in loader.load_rules([str(tmp_path)]) if rule.id == "my-rule")
    (path / "rule.md").unlink()
    (path / "cases" / "pass-x.json").write_text("{")
    with pytest.raises(RuleError, match="cannot be read"):
        loader.page(rule)
    with pytest.raises(RuleError, match="is not JSON"):
        loader.cases(rule)


def test_all_pages_at_once_are_the_pages_one_by_one_without_those_that_cannot_be_read(tmp_path: Path) -> None:
    mine = write_rule(tmp_path, "my-rule")
    bare = write_rule(tmp_path, "no-page")
    (bare / "rule.md").unlink()
    rules = loader.load_rules([str(tmp_path)])
    pages = loader.pages(rules)
    assert pages == {rule.id: loader.page(rule) for rule in rules if rule.id != "no-page"}
    assert pages["my-rule"] == (mine / "rule.md").read_text()


def test_a_compiled_catalogue_holds_the_same_rules(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "kmslint" / "_rules"
    script = str(root / "tools" / "compile_rules.py")
    environment = os.environ | {"PYTHONPATH": str(root)}
    bytes_of = []
    for _ in range(2):
        subprocess.run([sys.executable, script, str(output), "--rules", str(root / "rules")], check=True, env=environment)
        bytes_of.append([(path.name, path.read_bytes()) for path in sorted(output.iterdir())])
    assert bytes_of[0] == bytes_of[1]
    assert [name for name, _ in bytes_of[0]] == ["pages.json", "rules.json"]
    from_folders = loader.build(*loader.read_folder(str(root / "rules")))
    monkeypatch.setattr(loader, "COMPILED", str(output))
    monkeypatch.setattr(loader, "FOLDERS", str(tmp_path / "rules"))
    catalogue = loader.load_catalogue()
    assert catalogue.frameworks == from_folders.frameworks
    assert catalogue.rules == loader.load_rules() == tuple(rule._replace(folder=None) for rule in from_folders.rules)
    assert repr(catalogue.rules) == repr(tuple(rule._replace(folder=None) for rule in from_folders.rules))
    for rule, original in zip(catalogue.rules, from_folders.rules, strict=True):
        assert loader.page(rule) == loader.page(original)
        assert loader.cases(rule) == loader.cases(original)


def test_compiling_a_wrong_rule_stops(root: Path, tmp_path: Path) -> None:
    write_rule(tmp_path, "my-rule", "id = 3")
    script = str(root / "tools" / "compile_rules.py")
    done = subprocess.run(
        [sys.executable, script, str(tmp_path / "out"), "--rules", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert (done.returncode, done.stdout, (tmp_path / "out").exists()) == (2, "", False)
    assert "`id` is `3`" in done.stderr


def test_a_broken_catalogue_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "COMPILED", str(tmp_path))
    monkeypatch.setattr(loader, "FOLDERS", str(tmp_path / "rules"))
    for name, load in (("rules.json", loader.load_rules), ("pages.json", loader.load_catalogue)):
        with pytest.raises(RuleError, match="cannot be read: No such file or directory"):
            load()
        for text in ("{", "[]", '{"format": "kmslint-rules/0"}', '{"format": "kmslint-rules/2", "rules": 3}'):
            (tmp_path / name).write_text(text)
            with pytest.raises(RuleError, match="is no catalogue of rules"):
                load()


def test_a_users_rule_comes_beside_a_compiled_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, mine = tmp_path / "own", tmp_path / "mine"
    (own / "frameworks").mkdir(parents=True)
    (own / "frameworks" / "ours.toml").write_text('id = "ours"\ntitle = "Ours"\n[[controls]]\nid = "1"\ntitle = "One"\n')
    write_rule(own, "own-rule", control="ours/1")
    catalogue = loader.build(*loader.read_folder(str(own)))
    frameworks = [source.table for source in loader.read_folder(str(own))[1]]
    compiled.write(str(tmp_path), catalogue.rules, frameworks, {"own-rule": {"page": "# own-rule", "cases": {}}})
    monkeypatch.setattr(loader, "COMPILED", str(tmp_path))
    monkeypatch.setattr(loader, "FOLDERS", str(tmp_path / "none"))
    write_rule(mine, "my-rule", control="ours/1")
    rules = loader.load_rules([str(mine)])
    assert [(rule.id, rule.controls) for rule in rules] == [
        (name, (Control("ours/1", "One", "", "because"),)) for name in ("my-rule", "own-rule")
    ]
    assert loader.page(rules[1]) == "# own-rule"
    write_rule(mine, "own-rule", control="ours/1")
    with pytest.raises(RuleError, match=r"`own-rule` is already the id in rules/own-rule/rule\.toml"):
        loader.load_rules([str(mine)])


def test_a_catalogue_beside_folders_counts_while_it_is_younger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders, catalogue = tmp_path / "rules", tmp_path / "rules.json"
    path = write_rule(folders, "my-rule", control="ours/1")
    (folders / "frameworks").mkdir()
    (folders / "frameworks" / "ours.toml").write_text('id = "ours"\ntitle = "Ours"\n[[controls]]\nid = "1"\ntitle = "One"\n')
    table = {
        "id": "compiled-rule",
        "title": "t",
        "severity": "low",
        "since": "0.1.0",
        "needs": [],
        "forbid": [{"Principal": "*"}],
    }
    (rule,) = loader.build([loader.Source(table, "here", None)], []).rules
    compiled.write(str(tmp_path), [rule], [], {})
    monkeypatch.setattr(loader, "COMPILED", str(tmp_path))
    monkeypatch.setattr(loader, "FOLDERS", str(folders))
    monkeypatch.setattr(sys, "path", [])
    old = 1_000_000_000
    for place in (folders, *folders.rglob("*")):
        os.utime(place, (old, old))
    assert [rule.id for rule in loader.load_rules()] == ["compiled-rule"]
    for touched in (path / "rule.toml", path, folders):
        os.utime(touched)
        os.utime(catalogue, (old + 1, old + 1))
        assert [rule.id for rule in loader.load_rules()] == ["my-rule"]
        os.utime(touched, (old, old))


def _publish(site: Path, value: str) -> None:
    info = site / "their_rules-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[kmslint.rules]\ntheirs = {value}\n")


def test_an_installed_package_publishes_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, "their_rules")
    (tmp_path / "their_rules").mkdir()
    (tmp_path / "their_rules" / "__init__.py").write_text("raise RuntimeError('never run')")
    write_rule(tmp_path / "their_rules", "their-rule")
    monkeypatch.syspath_prepend(tmp_path)
    assert "their-rule" in {rule.id for rule in loader.load_rules()}


def test_an_entry_point_that_names_no_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, "no_such_package.inner")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuleError, match=r"the entry point `theirs` of kmslint\.rules names no package"):
        loader.load_rules()


def test_without_published_rules_the_reader_of_metadata_is_not_imported(root: Path) -> None:
    code = "import sys; from kmslint.engine import loader; list(loader._published_folders(sys.path)); print('importlib.metadata' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": "f", "title": "F", "control": []}, "unknown key `control`"),
        ({"id": "f", "title": "F", "controls": {}}, "`controls` is not a list of tables"),
        ({"id": "f", "title": "F", "controls": [{"id": "1"}]}, "`controls[0].title` is not a text"),
        ({"id": "f", "title": "F", "controls": [{"id": "1", "title": "t", "tilte": "x"}]}, "unknown key `controls[0].tilte`"),
        ({"id": "f", "title": "F", "controls": [{"id": "1", "title": "t"}] * 2}, "the control `1` stands twice"),
        ({"title": "F"}, "`id` is not a text"),
    ],
)
def test_a_wrong_framework_is_told(table: dict[str, object], message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_framework(table, "f.toml")
    assert (caught.value.message, caught.value.source) == (message, "f.toml")
