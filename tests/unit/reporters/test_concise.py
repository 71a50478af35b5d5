from kmslint.reporters import concise
from kmslint.reporters.view import View
from tests.unit.reporters.inputs import every_report
from tests.unit.reporters.reports import full


def test_one_line_a_finding() -> None:
    assert concise.render(full(), View(quiet=True, show_suppressed=True)) == (
        "policy.json:5:5: public-access [critical] `arn:aws:iam::999999999999:role/x` may call `kms:Decrypt`\n"
        "arn:aws:kms:eu-central-1:111122223333:key/1#policy/default:1:1: no-alias [low] the key has no alias (suppressed)\n"
        "policy.json:4:62: iam-delegation [info] IAM policies of `111122223333` may grant any action\n"
        "arn:aws:kms:eu-central-1:111122223333:key/1#policy/default:1:1: rotation-disabled [undetermined, medium] "
        "AccessDenied on kms:GetKeyRotationStatus\n"
    )


def test_a_last_line_sums_up_and_quiet_leaves_it_out() -> None:
    assert concise.render(every_report("empty"), View()) == "no key was found\n"
    assert concise.render(every_report("empty"), View(quiet=True)) == ""
    assert concise.render(full(), View()).splitlines()[-1].startswith("2 keys, 4 rules: 2 findings")
