"""`kmslint ask`: one question about the policies of a key."""

import argparse
import os
from collections.abc import Iterable, Sequence

from kmslint import app
from kmslint.asking import EVERY, PROVEN, SOME, Judge, Verdict, forbid, require
from kmslint.cli import answers, inventories, messages
from kmslint.cli.ask_inputs import keys_of, read_text, tell, the_one_key
from kmslint.cli.ask_options import kind_of, parser
from kmslint.config import find_config, read_settings
from kmslint.errors import InputError, UsageError
from kmslint.inventory import Inventory, take
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.policy.evaluate import ALLOW, UNDETERMINED
from kmslint.policy.request import Request
from kmslint.sources.requests import Asked, action_of, principal_of, read_context, read_requests, read_statements

_CODES = {ALLOW: 0, PROVEN: 0, UNDETERMINED: 4}


def run(arguments: list[str]) -> int:
    """Answer what `arguments` ask; the exit code says it too."""
    found = parser().parse_intermixed_args(arguments)
    kind = kind_of(found)
    settings = _settings(found)
    keys, errors = keys_of(found, settings)
    if kind == "who":
        return _who(found, keys, errors)
    key = the_one_key(keys, errors, found.paths)
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
        return read_requests(read_text(found.request), found.request)
    try:
        principal = principal_of(None if found.principal == "null" else found.principal)
        action = action_of(found.action)
    except ValueError as fault:
        raise UsageError(str(fault), help=getattr(fault, "help", None)) from None
    return [Asked(Request(principal, action, read_context(found.context)))]


def _question(found: argparse.Namespace, key: Key, settings: Settings, kind: str) -> int:
    file = found.forbid if kind == "forbid" else found.require
    statements = read_statements(read_text(file), file)
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
    tell(errors)
    action = found.action if ":" in found.action or found.action == "*" else f"kms:{found.action}"
    found_by_key: list[Inventory] = [take(key, action) for key in keys]
    if found.format == "json":
        messages.write_stdout(inventories.as_document(action, found_by_key, errors))
    else:
        _print(line for one in found_by_key for line in inventories.as_text(action, one))
    if errors or not keys:
        if not errors:
            messages.show_error(InputError("no key was found", help="name files that hold key policies"))
        return 3
    return 4 if any(one.reasons for one in found_by_key) else 0


def _settings(found: argparse.Namespace) -> Settings:
    if found.config is not None and found.no_config:
        raise UsageError("`--config` and `--no-config` contradict each other", help="leave one out")
    if found.no_config:
        return Settings()
    try:
        file = found.config if found.config is not None else find_config(os.getcwd(), os.environ)
    except OSError:  # the working directory is gone
        file = None
    return Settings() if file is None else read_settings(file, today=app.now()[:10])


def _print(lines: Iterable[str]) -> None:
    messages.write_stdout("".join(f"{line}\n" for line in lines))
