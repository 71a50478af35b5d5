"""`kmslint check`: files, folders and stdin. No network, no credentials."""

import os
import sys

from kmslint import app
from kmslint.cli.emit import emit
from kmslint.cli.options import (
    KeyArn,
    Options,
    Parser,
    add_shared,
    add_template_values,
    key_arn,
    read_shared,
    read_template_values,
    undeclared,
)
from kmslint.cli.setup import asked_of, compared, gate, settings_of
from kmslint.errors import UsageError
from kmslint.sources.files import MAX_BYTES, STDIN, collect, without_comments
from kmslint.sources.observed_files import LINES
from kmslint.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kmslint.cli.trusted import Trusted


def run(arguments: list[str]) -> int:
    """Check what `arguments` name; the exit code is the verdict."""
    found = _parser().parse_intermixed_args(arguments)
    options = _with_key(read_shared(found), found.key)
    if options.trusted_ref is None:
        return _check(found, options, None)
    from kmslint.cli.trusted import Trusted

    with Trusted(options.trusted_ref) as trusted:
        return _check(found, options, trusted)


def _check(found: "Namespace", given: Options, trusted: "Trusted | None") -> int:
    options = given if trusted is None else trusted.options(given)
    as_of = options.as_of or _observed(found.paths) or app.now()
    settings = settings_of(options, as_of) if trusted is None else trusted.settings(options, as_of)
    asked = asked_of(options, settings)
    paths = tuple(found.paths) or (os.curdir,)
    values = read_template_values(found)
    declared: set[str] = set()
    inputs = collect(
        paths,
        settings=settings,
        type=found.type,
        arn=found.key.arn if found.key else None,
        account=options.account,
        region=options.region,
        stdin=_read_stdin() if STDIN in paths else None,
        stdin_name=found.stdin_filename,
        var_files=values.var_files,
        parameters=values.parameters,
        declared=declared,
    )
    if trusted is not None:
        inputs = without_comments(inputs)
    report = app.report_on(
        inputs, rules=asked.rules, settings=settings, as_of=as_of, frameworks=asked.frameworks, known=asked.known
    )
    if values.parameters:
        report = report._replace(notes=(*report.notes, *undeclared(values, declared)))
    report = compared(report, options)
    report = report if trusted is None else trusted.told(report, settings, given._replace(as_of=as_of))
    emit(report, options)
    return gate(report, settings, options)


def _observed(paths: "Sequence[str]") -> str | None:
    """When a snapshot was taken, if it is all that is checked: then the time is part of what it reproduces."""
    if len(paths) != 1 or not paths[0].lower().endswith(LINES):
        return None
    from kmslint.sources.snapshot import moment_of

    return moment_of(paths[0])


def _read_stdin() -> bytes:
    """What is piped in, up to a byte more than is ever read of a file."""
    if sys.stdin is None or sys.stdin.closed:
        return b""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _parser() -> Parser:
    parser = Parser("check", "[PATH...]", "Check key policies in files, folders or stdin. No network, no credentials.")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a file, a folder, or - for stdin (default: the working directory)"
    )
    parser.add_argument(
        "--type", choices=("auto", "policy"), default="auto", help="what the inputs are (default: auto, by content)"
    )
    parser.add_argument("--stdin-filename", metavar="FILE", default="<stdin>", help="name for stdin in the report")
    parser.add_argument("--key", metavar="ARN", type=key_arn, help="ARN of the key that the policies belong to")
    add_template_values(parser)
    add_shared(parser)
    return parser


def _with_key(options: Options, key: KeyArn | None) -> Options:
    """The options with the account and Region that the key's ARN states. Raises UsageError where they disagree."""
    if key is None:
        return options
    for name, given, stated in (("--account", options.account, key.account), ("--region", options.region, key.region)):
        if given not in {None, stated}:
            raise UsageError(f"`{name} {given}` contradicts `--key`, which says `{stated}`", help="leave one out")
    return options._replace(account=key.account, region=key.region)
