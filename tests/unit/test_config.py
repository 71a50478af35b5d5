"""The configuration: what is read, where it is looked for, and that every mistake names its line and its remedy."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.config import digest, find_config, read_settings
from kmslint.errors import ConfigError
from kmslint.model.settings import Integration, Settings, SuppressionEntry

TODAY = "2026-11-24"


def read(folder: Path, text: str, name: str = "kmslint.toml") -> Settings:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_settings(str(file), today=TODAY)


def complaint(folder: Path, text: str, name: str = "kmslint.toml") -> tuple[int | None, str, str | None]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, name)
    assert caught.value.source == str(folder / name)
    assert caught.value.exit_code == 2
    return caught.value.line, caught.value.message, caught.value.help


def outcome(file: Path) -> Settings | ConfigError:
    try:
        return read_settings(str(file), today=TODAY)
    except ConfigError as error:
        return error


EVERYTHING = """
account = "111122223333"
trusted_accounts = ["222233334444", "333344445555", "222233334444"]
trusted_organizations = ["o-a1b2c3d4e5"]
key_admins = ["arn:aws:iam::111122223333:role/admin-*"]
break_glass = ["arn:aws:iam::*:role/break-glass"]
regions = ["eu-central-1", "us-gov-west-1"]
multi_region = false
required_tags = ["team"]
services_only = ["s3.*.amazonaws.com"]
rotation_days = 90
manual_rotation_days = 400
deletion_window_days = 7
approved_deletions = ["1234abcd-12ab-34cd-56ef-1234567890ab"]
material_expiry_days = 14
unused_days = 60
max_grant_age_days = 30
sensitive_patterns = ["[0-9]{9}"]
log_retention_days = 3000
evidence_store = "s3://evidence"
strict = true
fail_on = "high"

[severity]
"no-alias" = "medium"
public-access = "high"

[[accounts]]
path = "prod/**"
account = "444455556666"

[[integrations]]
service = "cloudtrail-trail"
source = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

[[suppress]]
rule = "no-alias"
where = "keys/a.json"
reason = "made by hand"
owner = "platform"
until = 2027-03-01
alternative = "an inventory"
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, EVERYTHING) == Settings(
        account="111122223333",
        accounts=(("prod/**", "444455556666"),),
        trusted_accounts=("222233334444", "333344445555"),
        trusted_organizations=("o-a1b2c3d4e5",),
        key_admins=("arn:aws:iam::111122223333:role/admin-*",),
        break_glass=("arn:aws:iam::*:role/break-glass",),
        regions=("eu-central-1", "us-gov-west-1"),
        multi_region=False,
        required_tags=("team",),
        integrations=(Integration("cloudtrail-trail", None, "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"),),
        services_only=("s3.*.amazonaws.com",),
        rotation_days=90,
        manual_rotation_days=400,
        deletion_window_days=7,
        approved_deletions=("1234abcd-12ab-34cd-56ef-1234567890ab",),
        material_expiry_days=14,
        unused_days=60,
        max_grant_age_days=30,
        sensitive_patterns=("[0-9]{9}",),
        log_retention_days=3000,
        evidence_store="s3://evidence",
        strict=True,
        fail_on="high",
        severity={"no-alias": "medium", "public-access": "high"},
        suppress=(SuppressionEntry("no-alias", "keys/a.json", "made by hand", "platform", "2027-03-01", "an inventory", 36),),
        file=str(tmp_path / "kmslint.toml"),
    )


def test_every_setting_can_be_configured(tmp_path: Path) -> None:
    """A field of Settings that no configuration can set is a promise not kept."""
    default, read_back = Settings(), read(tmp_path, EVERYTHING)
    unset = [name for name in Settings._fields if getattr(default, name) == getattr(read_back, name)]
    assert unset == ["sha256"]


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings(file=str(tmp_path / "kmslint.toml"))


def test_pyproject_holds_the_same_under_tool_kmslint(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "x"\n[tool.kmslint]\nstrict = true\n[[tool.kmslint.accounts]]\npath = "a"\naccount = "111122223333"\n'
    )
    assert read(tmp_path, text, "pyproject.toml") == Settings(
        strict=True, accounts=(("a", "111122223333"),), file=str(tmp_path / "pyproject.toml")
    )


@pytest.mark.parametrize(
    ("text", "line", "message", "help"),
    [
        ("strict = true\ntrusted_acounts = []\n", 2, "unknown key `trusted_acounts`", "did you mean `trusted_accounts`?"),
        ("[sevrity]\n", 1, "unknown key `sevrity`", "did you mean `severity`?"),
        ("[[suppress]]\nrule = 'x'\nwher = 'y'\n", 3, "unknown key `wher` in `[[suppress]]`", "did you mean `where`?"),
        ("account = 111122223333", 1, "`account` is `111122223333`, expected an account id of 12 digits in quotes", None),
        ("account = '11112222333'", 1, "`account` is `11112222333`, expected an account id of 12 digits in quotes", None),
        (
            "account = '\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11'",
            1,
            "`account` is `\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11`, expected an account id of 12 digits in quotes",
            None,
        ),
        (
            "\n\ntrusted_accounts = ['111122223333', 'x']",
            3,
            "`trusted_accounts` is `x`, expected an account id of 12 digits in quotes",
            None,
        ),
        (
            "trusted_accounts = '111122223333'",
            1,
            "`trusted_accounts` is `111122223333`, expected a list in square brackets",
            None,
        ),
        ("strict = 1", 1, "`strict` is `1`, expected true or false", None),
        ("strict = 'true'", 1, "`strict` is `true`, expected true or false", None),
        ("rotation_days = true", 1, "`rotation_days` is `true`, expected a whole number from 1 to 36500", None),
        ("rotation_days = 90.0", 1, "`rotation_days` is `90.0`, expected a whole number from 1 to 36500", None),
        ("deletion_window_days = 6", 1, "`deletion_window_days` is `6`, expected a whole number from 7 to 30", None),
        ("deletion_window_days = 31", 1, "`deletion_window_days` is `31`, expected a whole number from 7 to 30", None),
        ("fail_on = 'worst'", 1, "`fail_on` is `worst`, expected one of info, low, medium, high, critical, never", None),
        (
            "[severity]\na = 'high'\nb = 'never'",
            3,
            "`severity.b` is `never`, expected one of info, low, medium, high, critical",
            None,
        ),
        ("severity = 'high'", 1, "`severity` is not a table", 'write `[severity]` and below it `rule-id = "high"`'),
        ("suppress = 'all'", 1, "`suppress` is not a list of tables", "write `[[suppress]]` above each entry"),
        ("[suppress]\nrule = 'x'", 1, "`suppress` is not a list of tables", "write `[[suppress]]` above each entry"),
        (
            "[[integrations]]\nprincipal = 'arn:aws:iam::1:role/x'",
            1,
            "`[[integrations]]` has no `service`",
            "each entry needs `service`",
        ),
        ("regions = ['mars']", 1, "`regions` is `mars`, expected a Region such as eu-central-1", None),
        (
            "trusted_organizations = ['o-A']",
            1,
            "`trusted_organizations` is `o-A`, expected an organization id such as o-a1b2c3d4e5",
            None,
        ),
        ("evidence_store = ' '", 1, "`evidence_store` is ` `, expected text that is not empty", None),
        ("a = 1\na = 2\n", 2, "is not TOML: cannot overwrite a value", None),
        ("a = ", 1, "is not TOML: invalid value", None),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str, help: str | None) -> None:
    found_line, found_message, found_help = complaint(tmp_path, text)
    assert (found_line, found_message, found_help) == (line, message, help)


def test_the_line_is_that_of_the_right_entry(tmp_path: Path) -> None:
    entry = '[[suppress]]\nrule = "r"\nwhere = "w"\nreason = "x"\nowner = "o"\nuntil = 2027-01-01\n'
    text = entry + "\n" + entry.replace("2027-01-01", "2028-01-01")
    assert complaint(tmp_path, text)[0] == 13


def test_the_line_in_pyproject_counts_from_its_top(tmp_path: Path) -> None:
    text = "[project]\nname = 'x'\n\n[tool.kmslint]\nstrict = 'no'\n"
    assert complaint(tmp_path, text, "pyproject.toml")[0] == 5


@pytest.mark.parametrize(
    ("until", "good"),
    [("2027-11-24", True), ("2027-11-25", True), ("2027-11-26", False), ("2020-01-01", True), ("9999-12-31", False)],
)
def test_a_suppression_ends_at_most_a_year_ahead(tmp_path: Path, until: str, good: bool) -> None:
    text = f'[[suppress]]\nrule = "r"\nwhere = "w"\nreason = "x"\nowner = "o"\nuntil = {until}\n'
    if good:
        assert read(tmp_path, text).suppress[0].until == until
    else:
        assert complaint(tmp_path, text) == (
            6,
            f"`suppress.until` is `{until}`, more than a year ahead",
            "choose a date at most a year from now",
        )


@pytest.mark.parametrize("until", ["2027-02-29", "soon", "2027-3-1", "2027-03-01T00:00:00Z"])
def test_until_is_a_date(tmp_path: Path, until: str) -> None:
    text = f'[[suppress]]\nrule = "r"\nwhere = "w"\nreason = "x"\nowner = "o"\nuntil = "{until}"\n'
    assert complaint(tmp_path, text)[1] == f"`suppress.until` is `{until}`, expected a date such as 2027-03-01"


@pytest.mark.parametrize("missing", ["rule", "where", "reason", "owner", "until"])
def test_a_suppression_lacks_nothing(tmp_path: Path, missing: str) -> None:
    fields = {"rule": "'r'", "where": "'w'", "reason": "'x'", "owner": "'o'", "until": "2027-01-01"}
    del fields[missing]
    text = "[[suppress]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items())
    assert complaint(tmp_path, text)[1] == f"`[[suppress]]` has no `{missing}`"


def test_hostile_files_are_errors_not_crashes(tmp_path: Path) -> None:
    assert complaint(tmp_path, "a = " + "[" * 100_000)[1] == "is nested too deeply"
    assert complaint(tmp_path, "#" + "x" * 1_000_001)[1] == "is larger than 1000000 bytes"
    assert complaint(tmp_path, "unused_days = " + "9" * 5000)[1].startswith("is not TOML: ")
    (tmp_path / "b.toml").write_bytes(b"account = 'x'\n\xff")
    with pytest.raises(ConfigError) as caught:
        read_settings(str(tmp_path / "b.toml"), today=TODAY)
    assert (caught.value.line, caught.value.message) == (2, "is not UTF-8 text")
    with pytest.raises(ConfigError) as caught:
        read_settings(str(tmp_path), today=TODAY)
    assert caught.value.message == "cannot be read: Is a directory"


def test_the_nearest_configuration_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "kmslint.toml").write_text("")
    assert find_config(str(inner), {}) == str(tmp_path / "kmslint.toml")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_config(str(inner), {}) == str(tmp_path / "kmslint.toml")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.kmslint]\n")
    assert find_config(str(inner), {}) == str(tmp_path / "a" / "pyproject.toml")
    (tmp_path / "a" / "kmslint.toml").write_text("")
    assert find_config(str(inner), {}) == str(tmp_path / "a" / "kmslint.toml")


def test_the_personal_configuration_is_the_last_resort(tmp_path: Path) -> None:
    personal = tmp_path / "xdg" / "kmslint" / "kmslint.toml"
    work = tmp_path / "work"
    work.mkdir()
    assert find_config(str(work), {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}) is None
    personal.parent.mkdir(parents=True)
    personal.write_text("")
    assert find_config(str(work), {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == str(personal)
    assert find_config(str(work), {"HOME": str(tmp_path)}) is None
    assert find_config(str(work), {}) is None
    (work / "kmslint.toml").write_text("")
    assert find_config(str(work), {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == str(work / "kmslint.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_pyproject_is_not_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.kmslint]\n")
    file.chmod(stat.S_IWUSR)
    with pytest.raises(ConfigError):
        find_config(str(tmp_path), {})


def test_the_digest_is_of_what_is_set_and_not_of_where() -> None:
    plain = Settings()
    assert digest(plain) == digest(plain._replace(file="x", sha256="y"))
    assert digest(plain) != digest(plain._replace(strict=True))
    one = plain._replace(severity={"a": "low", "b": "high"})
    assert digest(one) == digest(plain._replace(severity={"b": "high", "a": "low"}))
    entry = SuppressionEntry("r", "w", "x", "o", "2027-01-01", None, 3)
    assert digest(plain._replace(suppress=(entry,))) == digest(plain._replace(suppress=(entry._replace(line=9),)))
    assert digest(plain._replace(suppress=(entry,))) != digest(plain._replace(suppress=(entry._replace(rule="s"),)))


def test_no_toml_reader_without_a_file() -> None:
    code = "import sys, kmslint.config as c; c.find_config('/', {}); sys.exit('tomllib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.text(max_size=200))
def test_any_text_gives_settings_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert isinstance(outcome(file), Settings | ConfigError)


_VALUES = st.recursive(
    st.sampled_from(["1", "-1", "true", "''", "'x'", "1.5", "nan", "1979-05-27", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
    max_leaves=5,
)


@given(st.sampled_from(sorted({*Settings._fields, "x"})), _VALUES)
def test_any_value_for_any_key_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(f"{key} = {value}")
    found = outcome(file)
    assert isinstance(found, Settings) or (found.line, found.source) == (1, str(file))
