"""`kmslint scan`: live keys, read through the AWS API with the caller's own credentials. Reads only."""

import argparse
import sys

from kmslint import app
from kmslint.baseline import content_of
from kmslint.cli import messages
from kmslint.cli.emit import emit
from kmslint.cli.options import Options, Parser, add_shared, read_shared
from kmslint.cli.setup import Asked, asked_of, compared, gate, settings_of
from kmslint.errors import UsageError
from kmslint.model.result import Report
from kmslint.model.settings import Settings
from kmslint.sources.kms_client import caller_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kmslint.cli.trusted import Trusted
    from kmslint.sources.aws import Observed


def run(arguments: list[str]) -> int:
    """Read the keys that `arguments` name and check them; the exit code is the verdict."""
    found = _parser().parse_args(arguments)
    options = read_shared(found)
    if bool(found.key_id) == found.all:
        raise UsageError("`scan` needs either `--key-id` or `--all`", help="kmslint scan --key-id alias/NAME")
    if options.trusted_ref is None:
        return _scan(found, options, None)
    from kmslint.cli.trusted import Trusted

    with Trusted(options.trusted_ref) as trusted:
        return _scan(found, options, trusted)


def _scan(found: argparse.Namespace, given: Options, trusted: "Trusted | None") -> int:
    options = given if trusted is None else trusted.options(given)
    as_of = options.as_of or app.now()
    settings = settings_of(options, as_of) if trusted is None else trusted.settings(options, as_of)
    asked = asked_of(options, settings)
    if found.evidence is None:
        report = _compared(_read(found, options, settings, asked, as_of, None), settings, given, options, trusted)
        emit(report, options)
        return gate(report, settings, options)
    from kmslint.evidence import Asked as AskedFor
    from kmslint.evidence import Evidence
    from kmslint.sources.snapshot import Header

    baseline = None if options.baseline is None else content_of(options.baseline)
    with Evidence(found.evidence, Header(as_of, options.account or settings.account)) as evidence:
        report = _read(found, options, settings, asked, as_of, evidence.note)
        report = _compared(report, settings, given, options, trusted)
        caller = caller_of(found.profile, options.region) if found.endpoint_url is None else None
        how = AskedFor(settings, asked.rules, asked.frameworks, baseline, as_of, app.now(), caller)
        digest = evidence.finish(report, how)
    emit(report, options)
    if not options.quiet:
        messages.show(f"evidence: {found.evidence}, SHA-256 of its manifest: {digest}")
    return gate(report, settings, options)


def _read(
    found: argparse.Namespace, options: Options, settings: Settings, asked: Asked, as_of: str, observed: "Observed | None"
) -> Report:
    """The report on the keys that were asked for."""
    return app.scan_keys(
        None if found.all else tuple(found.key_id),
        region=options.region,
        profile=found.profile,
        endpoint_url=found.endpoint_url,
        account=options.account,
        include=tuple(name for names in found.include for name in names.split(",")),
        settings=settings,
        rules=asked.rules,
        frameworks=asked.frameworks,
        as_of=as_of,
        progress=None if options.quiet else messages.progress_on(sys.stderr),
        observed=observed,
    )


def _compared(report: Report, settings: Settings, given: Options, options: Options, trusted: "Trusted | None") -> Report:
    """The report, what the baseline accepts set apart, with what a trusted revision makes of it."""
    report = compared(report, options)
    return report if trusted is None else trusted.told(report, settings, given._replace(as_of=report.as_of))


def _parser() -> Parser:
    parser = Parser(
        "scan",
        "--key-id ID | --all",
        "Check live keys through the AWS API. Reads only; uses the credentials that the AWS CLI would use.",
    )
    parser.add_argument(
        "--key-id", action="append", default=[], metavar="ID", help="key id, key ARN, alias name or alias ARN; may repeat"
    )
    parser.add_argument("--all", action="store_true", help="every key of the account in the Region")
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS configuration")
    parser.add_argument("--endpoint-url", metavar="URL", help="another KMS endpoint")
    parser.add_argument(
        "--include", action="append", default=[], metavar="WHAT", help="also read what has a small quota: rotations, last-usage"
    )
    parser.add_argument(
        "--evidence", metavar="DIR", help="keep what was read, asked and found in a new folder, which `kmslint verify` verifies"
    )
    add_shared(parser)
    return parser
