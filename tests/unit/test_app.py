"""The pipeline without a command line, and the Python API."""

import json
import subprocess
import sys

import pytest

import kmslint
from kmslint import Key, Report, Request, Result, Settings, app, check_policy, load_rules
from kmslint.engine.rule import Rule
from kmslint.errors import ConfigError, InputError, UsageError
from kmslint.model.key import KeyPolicy, Source
from kmslint.model.result import SEVERITIES, Outcome, SourceError, Suppression
from kmslint.model.settings import SuppressionEntry
from kmslint.sources.files import Skipped

OWNER = "111122223333"
MOMENT = "2026-11-24T08:00:00Z"


def policy(principal: object) -> str:
    statement = {"Sid": "S", "Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


PUBLIC = policy("*")
OWN = policy({"AWS": f"arn:aws:iam::{OWNER}:root"})


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return load_rules()


def outcomes(report: Report) -> dict[str, str]:
    return {result.rule: result.outcome.value for result in report.results}


def test_a_policy_is_checked_from_python(rules: tuple[Rule, ...]) -> None:
    report = check_policy(PUBLIC, account=OWNER, rules=rules, as_of=MOMENT)
    assert isinstance(report, Report)
    assert report.as_of == MOMENT
    assert report.rules == len(rules)
    assert [(key.id, key.account, key.account_source, key.as_of) for key in report.keys] == [("k1", OWNER, "given", MOMENT)]
    assert outcomes(report)["public-access"] == "FAIL"
    assert outcomes(check_policy(OWN, account=OWNER, rules=rules, as_of=MOMENT))["public-access"] == "PASS"


def test_the_owner_may_come_from_the_settings_or_the_text(rules: tuple[Rule, ...]) -> None:
    configured = check_policy(PUBLIC, settings=Settings(account=OWNER), rules=rules, as_of=MOMENT)
    assert configured.keys[0].account_source == "configured"
    assert check_policy(OWN, rules=rules, as_of=MOMENT).keys[0].account_source == "inferred"
    assert check_policy(PUBLIC, rules=rules, as_of=MOMENT).keys[0].account is None


def test_what_is_no_policy_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        check_policy('{"Statement": ')
    assert (caught.value.line, caught.value.column) == (1, 15)
    with pytest.raises(InputError):
        check_policy("")


def test_json_of_another_shape_is_a_policy_with_a_fault(rules: tuple[Rule, ...]) -> None:
    few = app.choose_rules(rules, ["ineffective-statement", "public-access"], [])
    for text in ("[]", "1", "{}"):
        found = outcomes(check_policy(text, account=OWNER, rules=few, as_of=MOMENT))
        assert found["ineffective-statement"] == "FAIL", text
        assert found["public-access"] != "FAIL", text


def test_the_same_call_gives_an_equal_report(rules: tuple[Rule, ...]) -> None:
    first, second = (check_policy(PUBLIC, account=OWNER, rules=rules, as_of=MOMENT) for _ in range(2))
    assert (first.results, first.config_sha256) == (second.results, second.config_sha256)


def test_importing_the_package_imports_nothing() -> None:
    code = "import sys, kmslint; kmslint.__version__; sys.exit(any(name.startswith('kmslint.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_names_are_there_and_no_others() -> None:
    assert set(kmslint.__all__) <= set(dir(kmslint))
    for name in kmslint.__all__:
        assert getattr(kmslint, name) is not None
    assert (kmslint.Key, kmslint.Request, kmslint.Result) == (Key, Request, Result)
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
        _ = kmslint.frobnicate  # type: ignore[attr-defined]


def key() -> Key:
    return Key("", Source("policy", "a.json"), (), {})


def test_keys_are_numbered_and_the_rest_is_kept_apart() -> None:
    error, skipped = SourceError("b", 1, 2, "broken"), Skipped("c", "no policy")
    old = key()._replace(as_of="2020-01-01T00:00:00Z")
    report = app.report_on([key(), error, skipped, old], rules=(), settings=Settings(), as_of=MOMENT)
    assert [(one.id, one.as_of) for one in report.keys] == [("k1", MOMENT), ("k2", "2020-01-01T00:00:00Z")]
    assert report.errors == (error,)
    assert report.skipped == (("c", "no policy"),)
    assert report.results == ()


def test_a_suppression_of_a_rule_that_is_not_asked_is_not_called_useless(rules: tuple[Rule, ...]) -> None:
    entry = SuppressionEntry("no-alias", "nowhere", "r", "o", "2027-01-01")
    settings = Settings(suppress=(entry,))
    some = app.choose_rules(rules, ["public-access"], [])
    assert app.report_on([key()], rules=some, settings=settings, as_of=MOMENT).notes == ()
    assert len(app.report_on([key()], rules=rules, settings=settings, as_of=MOMENT).notes) == 1


def test_rules_are_chosen_by_name(rules: tuple[Rule, ...]) -> None:
    assert app.choose_rules(rules, [], []) == rules
    assert [rule.id for rule in app.choose_rules(rules, ["no-alias", "public-access"], ["no-alias"])] == ["public-access"]
    with pytest.raises(UsageError) as caught:
        app.choose_rules(rules, [], ["no-alais"])
    assert (caught.value.message, caught.value.help) == (
        "`--ignore` names an unknown rule `no-alais`",
        "did you mean `no-alias`?",
    )


def test_the_configuration_names_only_rules_that_exist(rules: tuple[Rule, ...]) -> None:
    app.check_rule_names(rules, Settings(severity={"no-alias": "high"}))
    entry = SuppressionEntry("no-alais", "w", "r", "o", "2027-01-01", line=7)
    with pytest.raises(ConfigError) as caught:
        app.check_rule_names(rules, Settings(suppress=(entry,), file="kmslint.toml"))
    assert (str(caught.value), caught.value.help) == ("kmslint.toml:7: unknown rule `no-alais`", "did you mean `no-alias`?")
    with pytest.raises(ConfigError):
        app.check_rule_names(rules, Settings(severity={"zzz": "high"}))


def result(outcome: Outcome, severity: str, *, suppressed: bool = False) -> Result:
    found = Result("r", "t", outcome, severity, "k1", "m")
    return found._replace(suppressed=Suppression("r", "o", "2027-01-01")) if suppressed else found


def code(
    *results: Result, errors: int = 0, keys: int = 1, fail_on: str = "medium", undetermined: bool = False, empty: bool = False
) -> int:
    named = Key("k1", Source("policy"), (KeyPolicy("default", None),), {})  # type: ignore[arg-type]
    report = Report((named,) * keys, results, (SourceError("x", None, None, "m"),) * errors, (), MOMENT, "", 1)
    return app.exit_code(report, Settings(fail_on=fail_on), allow_undetermined=undetermined, allow_empty=empty)


FAIL, UNDETERMINED = Outcome.FAIL, Outcome.UNDETERMINED


def test_the_exit_code_is_that_of_the_gravest_end() -> None:
    assert code() == 0
    assert code(result(FAIL, "medium")) == 1
    assert code(result(FAIL, "low")) == 0
    assert code(result(FAIL, "medium", suppressed=True)) == 0
    assert code(result(FAIL, "medium"), result(UNDETERMINED, "high"), errors=1) == 1
    assert code(result(UNDETERMINED, "high"), errors=1) == 3
    assert code(result(UNDETERMINED, "high")) == 4
    assert code(result(UNDETERMINED, "low")) == 0
    assert code(result(UNDETERMINED, "high", suppressed=True)) == 0
    assert code(result(UNDETERMINED, "high"), undetermined=True) == 0
    assert code(result(UNDETERMINED, "high"), undetermined=True, errors=1) == 3
    assert code(keys=0) == 3
    assert code(keys=0, empty=True) == 0
    assert code(keys=0, empty=True, errors=1) == 3
    assert all(code(result(outcome, "critical")) == 0 for outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.MANUAL))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", [*SEVERITIES, "never"])
def test_fail_on_is_the_least_severity_that_counts(severity: str, fail_on: str) -> None:
    reached = fail_on != "never" and SEVERITIES.index(severity) >= SEVERITIES.index(fail_on)
    assert code(result(FAIL, severity), fail_on=fail_on) == (1 if reached else 0)
    assert code(result(UNDETERMINED, severity), fail_on=fail_on) == (4 if reached else 0)


def test_a_folded_finding_fails_the_run_all_the_same() -> None:
    assert code(result(FAIL, "high")._replace(folded_into="0" * 64)) == 1
