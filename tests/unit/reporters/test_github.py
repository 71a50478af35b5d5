import re

from hypothesis import given

from kmslint.reporters import github
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import every_report, texts, with_text
from tests.unit.reporters.reports import full

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)\Z")


def commands(printed: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands as the runner reads them: it splits properties at commas and unescapes."""
    found = []
    for line in printed.splitlines()[:-1]:
        match = COMMAND.match(line)
        assert match, line
        pairs = dict(part.split("=", 1) for part in match[2].split(","))
        found.append((match[1], {name: unescaped(value) for name, value in pairs.items()}, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_the_worst_come_first_with_their_place() -> None:
    assert commands(github.render(full(), View())) == [
        ("error", {"file": "broken.json", "line": "3", "col": "7", "endColumn": "7", "title": "kmslint: input"},
         "not read: expected `,` or `}`"),
        ("error", {"file": "policy.json", "line": "5", "endLine": "11", "title": "public-access [critical]"},
         ("`arn:aws:iam::999999999999:role/x` may call `kms:Decrypt`\n"
         "witness: `arn:aws:sts::999999999999:assumed-role/x/s` calls `kms:Decrypt` with "
         "aws:PrincipalAccount = `999999999999`, aws:TagKeys = [`a`, `b`]\n"
         "help: name the principals, or require aws:PrincipalOrgID in a Condition")),
        ("warning", {"title": "rotation-disabled [undetermined, medium]"}, "AccessDenied on kms:GetKeyRotationStatus"),
        ("notice", {"file": "policy.json", "line": "4", "col": "62", "endColumn": "94", "title": "iam-delegation [info]"},
         "IAM policies of `111122223333` may grant any action"),
    ]  # fmt: skip


def test_ten_at_most_and_the_rest_is_counted() -> None:
    found = commands(github.render(every_report("real"), View()))
    assert len(found) == github.MAX_ANNOTATIONS + 1
    kind, properties, message = found[-1]
    assert (kind, properties) == ("notice", {"title": "kmslint"})
    assert re.fullmatch(r"[0-9]+ more; the job summary and the other reports hold all of them", message)
    assert "more;" not in github.render(full(), View())


@given(texts)
def test_no_text_ends_a_command_or_begins_one(text: str) -> None:
    for report in (with_text(text), with_text(text + "%0A::error::x"), with_text("\r\n::stop-commands::" + text)):
        printed = github.render(report, View())
        found = commands(printed)
        assert [kind for kind, _, _ in found] == ["error", "error", "warning"]
        assert all(set(properties) <= {"file", "line", "endLine", "col", "endColumn", "title"} for _, properties, _ in found)
        assert printed.splitlines()[-1].startswith("kmslint: ")


def test_nothing_to_say_is_one_line() -> None:
    assert github.render(every_report("empty"), View()) == "kmslint: no key was found\n"
