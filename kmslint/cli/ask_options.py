"""The options of `kmslint ask`, and which question they ask."""

import argparse

from kmslint.aws.partitions import is_region
from kmslint.cli.options import Parser, account_id, add_template_values, key_arn
from kmslint.errors import UsageError
from kmslint.sources.files import STDIN


def kind_of(found: argparse.Namespace) -> str:
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


def parser() -> Parser:
    """The options of `kmslint ask`."""
    options = Parser("ask", "POLICY...", "Ask one question about one key policy; with --who, about all in files and folders.")
    options.add_argument("paths", nargs="+", metavar="POLICY", help="a file, a folder (with --who), or - for stdin")
    one = options.add_argument_group("may this request be made")
    one.add_argument(
        "--principal", metavar="ARN", help="who calls: an ARN, a service such as s3.amazonaws.com, or null for nobody"
    )
    one.add_argument("--action", metavar="ACTION", help="such as kms:Decrypt")
    one.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help="a condition key; repeat it for several values"
    )
    one.add_argument("--request", metavar="FILE", help="requests as JSON: one, a list, or one a line; - for stdin")
    sets = options.add_argument_group("may any, or all, of these")
    sets.add_argument("--who", action="store_true", help="every class of callers that may call --action")
    sets.add_argument("--forbid", metavar="FILE", help="is nothing allowed that the statements in FILE describe")
    sets.add_argument("--require", metavar="FILE", help="is something allowed that the statements in FILE describe")
    sets.add_argument("--every", action="store_true", help="with --require: is all of it allowed")
    sets.add_argument("--grant", choices=("direct", "delegated", "any"), help="which allowed requests count")
    options.add_argument("--explain", action="store_true", help="also why: the proof, or what each statement says")
    options.add_argument("--format", choices=("text", "json"), default="text", help="format of the answer (default: text)")
    options.add_argument(
        "--type", choices=("auto", "policy"), default="auto", help="what the input is (default: auto, by content)"
    )
    options.add_argument("--account", metavar="ID", type=account_id, help="account that owns the key")
    options.add_argument("--key", metavar="ARN", type=key_arn, help="ARN of the key")
    options.add_argument("--address", metavar="ADDRESS", help="resource address of the key, where a file holds several")
    options.add_argument("--region", metavar="REGION", type=_region, help="Region of the key")
    options.add_argument("--stdin-filename", metavar="FILE", default="<stdin>", help="name for stdin, by which its kind is told")
    add_template_values(options)
    options.add_argument("--config", metavar="FILE", help="configuration file (default: the nearest)")
    options.add_argument("--no-config", action="store_true", help="read no configuration file")
    return options


def _region(text: str) -> str:
    if is_region(text):
        return text
    raise argparse.ArgumentTypeError(f"`{text}` is not a Region such as eu-central-1")
