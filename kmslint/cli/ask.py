"""`kmslint ask`: one question about the policies of a key."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from kmslint import app
from kmslint.asking import EVERY, PROVEN, SOME, Judge, Verdict, forbid, require
from kmslint.aws.partitions import is_region
from kmslint.cli import answers, messages
from kmslint.cli.options import KeyArn, Parser, account_id, key_arn
from kmslint.config import find_config, read_settings
from kmslint.errors import InputError, UsageError
from kmslint.inventory import Inventory, take
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import ALLOW, UNDETERMINED
from kmslint.policy.request import Request
from kmslint.sources.files import MAX_BYTES, STDIN, Skipped, collect
from kmslint.sources.requests import Asked, action_of, principal_of, read_context, read_requests, read_statements

_CODES = {ALLOW: 0, PROVEN: 0, UNDETERMINED: 4}


def run(arguments: list[str]) -> int:
    """Answer what `arguments` ask; the exit code says it too."""
    found = _parser().parse_intermixed_args(arguments)
    kind = _kind(found)
    settings = _settings(found)
    keys, errors = _keys(found, settings)
    if kind == "who":
        return _who(found, keys, errors)
    key = _only(keys, errors, found.paths)
    if kind == "request":
        return _requests(found, key)
    return _question(found, key, settings, kind)


# the four questions


def _requests(found: argparse.Namespace, key: Key) -> int:
    asked = _asked(found)
    judge = Judge(key)
    decisions = [(one.request, judge.decide(one.request, has_key=one.has_key)) for one in asked]
    if found.format == "json":
        messages.write_stdout("".join(answers.decision_json(decision) for _, decision in decisions))
    elif len(decisions) == 1:
        _print(answers.decision_text(key, judge, *decisions[0], explain=found.explain))
    else:
        _print(line for number, one in enumerate(decisions) for line in answers.decision_line(number, *one))
    return _CODES.get(decisions[0][1].decision, 1) if len(decisions) == 1 else 0


def _asked(found: argparse.Namespace) -> list[Asked]:
    if found.request is not None:
        return read_requests(_read(found.request), found.request)
    try:
        principal = principal_of(None if found.principal == "null" else found.principal)
        action = action_of(found.action)
    except ValueError as fault:
        raise UsageError(str(fault), help=getattr(fault, "help", None)) from None
    return [Asked(Request(principal, action, read_context(found.context)))]


def _question(found: argparse.Namespace, key: Key, settings: Settings, kind: str) -> int:
    file = found.forbid if kind == "forbid" else found.require
    statements = read_statements(_read(file), file)
    quantifier = EVERY if found.every else SOME
    if kind == "forbid":
        verdict = forbid(key, statements, settings, grant=found.grant or "default", explain=found.explain, where=file)
    else:
        verdict = require(
            key, statements, settings, quantifier=quantifier, grant=found.grant or "any", explain=found.explain, where=file
        )
    _print_verdict(found, key, verdict, None if kind == "forbid" else quantifier)
    return _CODES.get(verdict.answer, 1)


def _print_verdict(found: argparse.Namespace, key: Key, verdict: Verdict, quantifier: str | None) -> None:
    if key.account_source == "inferred":
        messages.show_warning(f"the owner account {key.account} is inferred from the policy; pass --account to say which it is")
    if found.format == "json":
        messages.write_stdout(answers.verdict_json(verdict, explain=found.explain))
    elif quantifier is None:
        _print(answers.forbid_text(key, verdict))
    else:
        _print(answers.require_text(key, verdict, quantifier))


def _who(found: argparse.Namespace, keys: Sequence[Key], errors: Sequence[SourceError]) -> int:
    _tell(errors)
    action = found.action if ":" in found.action or found.action == "*" else f"kms:{found.action}"
    inventories: list[Inventory] = [take(key, action) for key in keys]
    if found.format == "json":
        messages.write_stdout(answers.inventories_json(action, inventories, errors))
    else:
        _print(line for one in inventories for line in answers.inventory_text(action, one))
    if errors or not keys:
        if not errors:
            messages.show_error(InputError("no key was found", help="name files that hold key policies"))
        return 3
    return 4 if any(one.reasons for one in inventories) else 0


# what is asked


def _kind(found: argparse.Namespace) -> str:
    """Which question the options ask. Raises UsageError unless it is one."""
    asked = [name for name in ("request", "who", "forbid", "require") if getattr(found, name)]
    if found.principal is not None:
        asked.append("principal")
    if len(asked) != 1:
        what = (
            "nothing is asked" if not asked else "options ask more than one question: " + ", ".join(f"--{name}" for name in asked)
        )
        raise UsageError(what, help="--principal with --action, --request, --who with --action, --forbid, or --require")
    kind = "request" if asked[0] == "principal" else asked[0]
    needs_action = asked[0] in {"principal", "who"}
    if needs_action != (found.action is not None):
        raise UsageError(f"`--{asked[0]}` {'needs' if needs_action else 'takes no'} `--action`")
    if found.context and asked[0] != "principal":
        raise UsageError("`--context` belongs to `--principal`", help="write the context into the request or the statement")
    if found.every and kind != "require":
        raise UsageError("`--every` belongs to `--require`")
    if found.grant and kind not in {"forbid", "require"}:
        raise UsageError("`--grant` belongs to `--forbid` and `--require`")
    if found.every and found.grant == "delegated":
        raise UsageError("`--every` cannot count delegated access alone", help="ask with --grant direct, and without")
    if [*found.paths, found.request, found.forbid, found.require].count(STDIN) > 1:
        raise UsageError("stdin is read once", help="put one of the two into a file")
    return kind


def _parser() -> Parser:
    parser = Parser("ask", "POLICY...", "Ask one question about one key policy; with --who, about all in files and folders.")
    parser.add_argument("paths", nargs="+", metavar="POLICY", help="a file, a folder (with --who), or - for stdin")
    one = parser.add_argument_group("may this request be made")
    one.add_argument(
        "--principal", metavar="ARN", help="who calls: an ARN, a service such as s3.amazonaws.com, or null for nobody"
    )
    one.add_argument("--action", metavar="ACTION", help="such as kms:Decrypt")
    one.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help="a condition key; repeat it for several values"
    )
    one.add_argument("--request", metavar="FILE", help="requests as JSON: one, a list, or one a line; - for stdin")
    sets = parser.add_argument_group("may any, or all, of these")
    sets.add_argument("--who", action="store_true", help="every class of callers that may call --action")
    sets.add_argument("--forbid", metavar="FILE", help="is nothing allowed that the statements in FILE describe")
    sets.add_argument("--require", metavar="FILE", help="is something allowed that the statements in FILE describe")
    sets.add_argument("--every", action="store_true", help="with --require: is all of it allowed")
    sets.add_argument("--grant", choices=("direct", "delegated", "any"), help="which allowed requests count")
    parser.add_argument("--explain", action="store_true", help="also why: the proof, or what each statement says")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format of the answer (default: text)")
    parser.add_argument(
        "--type", choices=("auto", "policy"), default="auto", help="what the input is (default: auto, by content)"
    )
    parser.add_argument("--account", metavar="ID", type=account_id, help="account that owns the key")
    parser.add_argument("--key", metavar="ARN", type=key_arn, help="ARN of the key")
    parser.add_argument("--address", metavar="ADDRESS", help="resource address of the key, where a file holds several")
    parser.add_argument("--region", metavar="REGION", type=_region, help="Region of the key")
    parser.add_argument("--config", metavar="FILE", help="configuration file (default: the nearest)")
    parser.add_argument("--no-config", action="store_true", help="read no configuration file")
    return parser


def _region(text: str) -> str:
    if is_region(text):
        return text
    raise argparse.ArgumentTypeError(f"`{text}` is not a Region such as eu-central-1")


# what is read


def _keys(found: argparse.Namespace, settings: Settings) -> tuple[list[Key], list[SourceError]]:
    keys: list[Key] = []
    errors: list[SourceError] = []
    arn: KeyArn | None = found.key
    if arn is not None and found.account not in {None, arn.account}:
        raise UsageError(f"`--account {found.account}` contradicts `--key`, which says `{arn.account}`", help="leave one out")
    places = [_place(path) for path in found.paths]
    lines = {line for _, line in places if line is not None}
    inputs = collect(
        tuple(path for path, _ in places),
        settings=settings,
        type=found.type,
        arn=arn.arn if arn else None,
        account=arn.account if arn else found.account,
        region=arn.region if arn else found.region,
        stdin=_stdin() if STDIN in found.paths else None,
    )
    for item in inputs:
        if isinstance(item, SourceError):
            errors.append(item)
        elif isinstance(item, Skipped) or (lines and item.source.line not in lines):
            continue
        elif found.address in {None, item.source.address}:
            keys.append(item._replace(id=f"k{len(keys) + 1}"))
    return keys, errors


def _place(path: str) -> tuple[str, int | None]:
    """A path and, as reports write it after a colon, the line where the key stands."""
    file, colon, line = path.rpartition(":")
    is_place = colon and line.isdecimal() and len(line) < 10 and not os.path.exists(path) and os.path.exists(file)
    return (file, int(line)) if is_place else (path, None)


def _only(keys: Sequence[Key], errors: Sequence[SourceError], paths: Sequence[str]) -> Key:
    """The one key that was asked about."""
    if errors:
        first = errors[0]
        _tell(errors[1:])
        raise InputError(first.message, source=first.source, line=first.line, column=first.column, help=first.help)
    if len(keys) == 1:
        return keys[0]
    if not keys:
        raise InputError("no key was found", source=", ".join(paths), help="name a file that holds a key policy")
    places = [f"{key.source.file}:{key.source.line}" + (f" ({key.source.address})" if key.source.address else "") for key in keys]
    shown = ", ".join(places[:8]) + (", …" if len(places) > 8 else "")
    raise InputError(f"{len(keys)} keys were found", source=", ".join(paths), help=f"ask about one: {shown}; --who takes several")


def _tell(errors: Iterable[SourceError]) -> None:
    for one in errors:
        messages.show_error(InputError(one.message, source=one.source, line=one.line, column=one.column, help=one.help))


def _settings(found: argparse.Namespace) -> Settings:
    if found.config is not None and found.no_config:
        raise UsageError("`--config` and `--no-config` contradict each other", help="leave one out")
    if found.no_config:
        return Settings()
    file = found.config if found.config is not None else find_config(os.getcwd(), os.environ)
    return Settings() if file is None else read_settings(file, today=app.now()[:10])


def _read(file: str) -> str:
    """The text of a file, or of stdin for `-`. Raises InputError when it cannot be read."""
    try:
        if file == STDIN:
            data = _stdin()
        else:
            with open(file, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES:,} bytes", source=file)
        return data.decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or 'unknown error').lower()}", source=file) from None
    except UnicodeDecodeError:
        raise InputError("the text is not UTF-8", source=file, help="save it as UTF-8") from None


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        return b""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _print(lines: Iterable[str]) -> None:
    messages.write_stdout("".join(f"{line}\n" for line in lines))
