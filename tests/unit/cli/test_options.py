from pathlib import Path

import pytest

from kmslint.cli.options import (
    KeyArn,
    Options,
    Parser,
    TemplateValues,
    add_shared,
    add_template_values,
    key_arn,
    read_shared,
    read_template_values,
)
from kmslint.errors import UsageError


def parse(*arguments: str) -> Options:
    parser = Parser("check", "[PATH...]", "test")
    add_shared(parser)
    return read_shared(parser.parse_args(list(arguments)))


PLAIN = Options(
    format="text",
    outputs=(),
    select=(),
    ignore=(),
    strict=False,
    min_severity="info",
    fail_on=None,
    exit_zero=False,
    account=None,
    region=None,
    as_of=None,
    config=None,
    no_config=False,
    rules=(),
    allow_undetermined=False,
    allow_empty=False,
    show_suppressed=False,
    color="auto",
    quiet=False,
    verbose=False,
)


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        ([], {}),
        (["--format", "json"], {"format": "json"}),
        (["--output", "json=a=b.json", "--output", "text=t"], {"outputs": (("json", "a=b.json"), ("text", "t"))}),
        (["--select", "a,b", "--select", "c"], {"select": ("a", "b", "c")}),
        (["--ignore", "a, b"], {"ignore": ("a", "b")}),
        (["--account", "111122223333", "--region", "us-gov-west-1"], {"account": "111122223333", "region": "us-gov-west-1"}),
        (["--as-of", "2026-11-24"], {"as_of": "2026-11-24T00:00:00Z"}),
        (["--as-of", "2026-11-24T08:09:10Z"], {"as_of": "2026-11-24T08:09:10Z"}),
        (["--rules", "x", "--rules", "y"], {"rules": ("x", "y")}),
        (["--fail-on", "never", "-q", "-v"], {"fail_on": "never", "quiet": True, "verbose": True}),
        (["--exit-zero", "--strict", "--no-config"], {"exit_zero": True, "strict": True, "no_config": True}),
    ],
)
def test_options_become_one_value(arguments: list[str], changed: dict[str, object]) -> None:
    assert parse(*arguments) == PLAIN._replace(**changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--format", "xml"], "invalid choice: 'xml'"),
        (["--output", "xml=a"], "`xml` is not a format; choose from text, "),
        (["--output", "json"], "`json` names no file; write json=FILE"),
        (["--output", "json=a", "--output", "text=a"], "two `--output` options name the same file"),
        (["--account", "11112222333"], "`11112222333` is not an account id of 12 digits"),
        (["--account", "\u0661" * 12], "is not an account id of 12 digits"),
        (["--region", "Mars"], "`Mars` is not a Region such as eu-central-1"),
        (["--as-of", "2026-13-01"], "`2026-13-01` is not a date such as"),
        (["--as-of", "2026-11-24T08:00:00+01:00"], "is not a date such as"),
        (["--select", "a,,b"], "`a,,b` holds an empty rule id"),
        (["--config", "x", "--no-config"], "`--config` and `--no-config` contradict each other"),
        (["--forma", "json"], "unrecognized arguments"),
        (["--bogus"], "unrecognized arguments: --bogus"),
    ],
)
def test_wrong_options_are_usage_errors(arguments: list[str], part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*arguments)
    assert part in caught.value.message
    assert caught.value.help


def test_a_key_arn_is_taken_apart() -> None:
    arn = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd"
    parser = Parser("check", "[PATH...]", "test")
    parser.add_argument("--key", type=key_arn)
    assert parser.parse_args(["--key", arn]).key == KeyArn(arn, "us-gov-west-1", "111122223333", "mrk-1234abcd")
    for wrong in ("alias/x", arn.replace("key/", "alias/"), arn + "\n", arn.replace("111122223333", "*")):
        with pytest.raises(UsageError, match="is not a key ARN"):
            parser.parse_args(["--key", wrong])


def values(*arguments: str) -> TemplateValues:
    parser = Parser("check", "[PATH...]", "test")
    add_template_values(parser)
    return read_template_values(parser.parse_args(list(arguments)))


def test_values_of_templates(tmp_path: Path) -> None:
    file = tmp_path / "prod.tfvars"
    file.write_text("")
    assert values() == TemplateValues({}, ())
    assert values("--param", "a=b=c", "--param=x_1-y=", "--param", "a=b=c") == TemplateValues({"a": "b=c", "x_1-y": ""}, ())
    assert values("--var-file", str(file), f"--var-file={file}") == TemplateValues({}, (str(file), str(file)))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--param", "a"], "`a` is not of the form NAME=VALUE"),
        (["--param", "=a"], "`=a` is not of the form NAME=VALUE"),
        (["--param", "a b=c"], "`a b=c` is not of the form NAME=VALUE"),
        (["--param", "a=1", "--param", "a=2"], "`--param` gives `a` two values"),
        (["--var-file", "nowhere.tfvars"], "`nowhere.tfvars` is not a file that can be read"),
        (["--var-file", "."], "`.` is not a file that can be read"),
    ],
)
def test_values_of_templates_that_are_none(arguments: list[str], part: str) -> None:
    with pytest.raises(UsageError) as caught:
        values(*arguments)
    assert part in caught.value.message
