"""`kmslint diff`: what a change of keys newly allows. Exit code 1 if there is any such access."""

import argparse
import os
import sys
from collections.abc import Iterator

from kmslint import app
from kmslint.aws.partitions import is_region
from kmslint.cli import messages
from kmslint.cli.changes import as_document, lines, plain
from kmslint.cli.emit import place, wants_color, write_atomically
from kmslint.cli.options import (
    KeyArn,
    Parser,
    TemplateValues,
    account_id,
    add_template_values,
    key_arn,
    read_template_values,
    undeclared,
)
from kmslint.config import find_config, read_settings
from kmslint.difference import GATES, Difference, Side, difference, exit_code, relative_to, side
from kmslint.errors import InputError, UsageError
from kmslint.gains import ANY
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.reporters.text import Line
from kmslint.sources.files import MAX_BYTES, STDIN, Found, collect
from kmslint.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kmslint.gitref import Revision

FORMATS = ("text", "json")


def run(arguments: list[str]) -> int:
    """Compare what `arguments` name; the exit code says whether there is new access."""
    found = _parser().parse_intermixed_args(arguments)
    _check(found)
    settings, notes = _trusted_settings(found)
    compared = _compare(found, settings)
    compared = compared._replace(notes=(*notes, *compared.notes))
    _emit(compared, found)
    code = exit_code(
        compared, found.fail_on_new_access, allow_undetermined=found.allow_undetermined, allow_empty=found.allow_empty
    )
    return 0 if found.exit_zero and code in {1, 4} else code


def _parser() -> Parser:
    parser = Parser(
        "diff",
        "OLD NEW | --base REF [PATH...]",
        "What NEW allows and OLD does not, key by key, each group with a request that shows it.",
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="OLD and NEW: two files or two folders; with --base what to compare"
    )
    parser.add_argument("--base", metavar="REF", help="compare the working tree with this git revision; nothing is checked out")
    parser.add_argument(
        "--fail-on-new-access", choices=GATES, default=ANY, help="new access that gives exit code 1 (default: any)"
    )
    parser.add_argument("--removed", action="store_true", help="also list the access that is gone")
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the report on stdout (default: text)")
    parser.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        type=_output,
        help="also write a report to FILE; may repeat",
    )
    parser.add_argument("--type", choices=("auto", "policy"), default="auto", help="what the inputs are (default: auto)")
    parser.add_argument("--account", metavar="ID", type=account_id, help="account that owns the keys")
    parser.add_argument("--key", metavar="ARN", type=key_arn, help="ARN of the key that the policies belong to")
    parser.add_argument("--region", metavar="REGION", type=_region, help="Region of the keys")
    parser.add_argument("--stdin-filename", metavar="FILE", default="<stdin>", help="name for stdin in the report")
    add_template_values(parser)
    parser.add_argument("--config", metavar="FILE", help="configuration file (default: the nearest)")
    parser.add_argument("--no-config", action="store_true", help="read no configuration file")
    parser.add_argument("--trusted-ref", metavar="REF", help="read the configuration from this git revision")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="NO_COLOR and FORCE_COLOR are heeded too"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="new access only")
    parser.add_argument("-v", "--verbose", action="store_true", help="all actions, all changed facts, what was skipped")
    parser.add_argument("--exit-zero", action="store_true", help="exit code 0 whatever is found")
    parser.add_argument("--allow-undetermined", action="store_true", help="exit code 0 instead of 4")
    parser.add_argument("--allow-empty", action="store_true", help="exit code 0 instead of 3 when there is no key")
    return parser


def _output(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if name not in FORMATS or not file:
        raise argparse.ArgumentTypeError(f"`{text}` is not FORMAT=FILE; formats are {', '.join(FORMATS)}")
    return name, file


def _region(text: str) -> str:
    if is_region(text):
        return text
    raise argparse.ArgumentTypeError(f"`{text}` is not a Region such as eu-central-1")


def _check(found: argparse.Namespace) -> None:
    if found.base is None and len(found.paths) != 2:
        raise UsageError("`diff` compares two inputs", help="kmslint diff OLD NEW, or kmslint diff --base REF [PATH...]")
    if STDIN in found.paths and (found.base is not None or found.paths[0] == found.paths[1]):
        raise UsageError("standard input can be one of two inputs only", help="write it to a file")
    if found.key is not None and found.account not in {None, found.key.account}:
        raise UsageError(
            f"`--account {found.account}` contradicts `--key`, which says `{found.key.account}`", help="leave one out"
        )
    if found.config is not None and found.no_config:
        raise UsageError("`--config` and `--no-config` contradict each other", help="leave one out")


def _settings(found: argparse.Namespace) -> Settings:
    if found.no_config:
        return Settings()
    file = found.config if found.config is not None else find_config(os.getcwd(), os.environ)
    return Settings() if file is None else read_settings(file, today=app.now()[:10])


def _trusted_settings(found: argparse.Namespace) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and what `--trusted-ref` kept the working tree from changing in them."""
    if found.trusted_ref is None or found.no_config:
        return _settings(found), ()
    from kmslint.cli.trusted import Trusted

    with Trusted(found.trusted_ref) as trusted:
        return trusted.configuration(found.config, lambda: _settings(found), app.now()[:10])


# reading both sides


class _Values(NamedTuple):
    """Values of the variables of templates, and the names of the variables that were met."""

    given: TemplateValues
    declared: set[str]


def _compare(found: argparse.Namespace, settings: Settings) -> Difference:
    values = _Values(read_template_values(found), set())
    if found.base is not None:
        compared = _with_base(found, settings, values)
    else:
        old, new = (_side(path, found, settings, values) for path in found.paths)
        compared = difference(old, new, removed=found.removed)
    return compared._replace(notes=(*compared.notes, *undeclared(values.given, values.declared)))


def _side(path: str, found: argparse.Namespace, settings: Settings, values: _Values) -> Side:
    """One of two inputs. The keys of two folders are matched by their paths in them, those of two files by their order."""
    name = relative_to(path) if os.path.isdir(path) else _the_file
    stdin = _stdin() if path == STDIN else None
    return side(_collected((path,), found, settings, stdin, values), name)


def _the_file(key: Key) -> str:
    del key
    return ""


def _with_base(found: argparse.Namespace, settings: Settings, values: _Values) -> Difference:
    """The working tree against a revision. A path that exists on one side only is new, or gone."""
    from kmslint.gitref import Revision, relabelled

    paths: tuple[str, ...] = tuple(found.paths) or (os.curdir,)
    with Revision(found.base, os.getcwd()) as revision:
        relative = {path: revision.relative(path) for path in paths}
        missing = [path for path in paths if not os.path.lexists(path) and not revision.files(relative[path])]
        if missing:
            raise InputError(f"neither the working tree nor `{found.base}` has it", source=missing[0])
        revision.lay_out_inputs(tuple(relative.values()))
        there = tuple(place for path in paths if os.path.lexists(place := revision.place(relative[path])))
        then, notes = _values_then(revision, values)
        moved = settings._replace(file=None if settings.file is None else revision.twin(settings.file))
        before = [relabelled(item, revision.label) for item in _collected(there, found, moved, None, then)]
        old = side(before, lambda key: (key.source.file or "").removeprefix(revision.label(revision.root)))
        here = tuple(path for path in paths if os.path.lexists(path))
        new = side(_collected(here, found, settings, None, values), relative_to(revision.top))
        return difference(old, new, removed=found.removed)._replace(notes=notes)


def _values_then(revision: "Revision", values: _Values) -> tuple[_Values, tuple[str, ...]]:
    """The values with each `--var-file` of the repository as the revision has it; without those that it lacks, which are told."""
    files: list[str] = []
    notes: list[str] = []
    for path in values.given.var_files:
        inside = revision.inside(path)
        if inside is None:
            files.append(path)
        elif blobs := revision.files(inside):
            revision.lay_out(blobs)
            files.append(revision.place(inside))
        else:
            notes.append(f"`{revision.ref}` has no `{inside}`: the variables that it sets have no value there")
    return values._replace(given=values.given._replace(var_files=tuple(files))), tuple(notes)


def _collected(
    paths: tuple[str, ...], found: argparse.Namespace, settings: Settings, stdin: bytes | None, values: _Values
) -> Iterator[Found]:
    arn: KeyArn | None = found.key
    return collect(
        paths,
        settings=settings,
        type=found.type,
        arn=arn.arn if arn else None,
        account=arn.account if arn else found.account,
        region=arn.region if arn else found.region,
        stdin=stdin,
        stdin_name=found.stdin_filename,
        var_files=values.given.var_files,
        parameters=values.given.parameters,
        declared=values.declared,
    )


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        return b""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


# telling


def _emit(compared: Difference, found: argparse.Namespace) -> None:
    for error in compared.errors:
        messages.show(f"error: {place(error)}: {error.message}")
        if error.help:
            messages.show(f"  help: {error.help}")
    if not (compared.changes or compared.errors or found.allow_empty):
        messages.show_error(InputError("no key was found", help="name files that hold key policies, or pass --allow-empty"))
    for format, file in found.output:
        write_atomically(file, as_document(compared) if format == "json" else plain(_lines(compared, found)))
    if found.format == "json":
        messages.write_stdout(as_document(compared))
    elif wants_color(found.color, sys.stdout, os.environ):
        from kmslint.reporters import rich_text

        messages.write_stdout(rich_text.draw(_lines(compared, found)))
    else:
        messages.write_stdout(plain(_lines(compared, found)))


def _lines(compared: Difference, found: argparse.Namespace) -> Iterator[Line]:
    return lines(compared, verbose=found.verbose, quiet=found.quiet)
