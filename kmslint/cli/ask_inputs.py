"""What `kmslint ask` reads: keys, requests and statements, from files and stdin."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from kmslint.cli import messages
from kmslint.cli.options import KeyArn, read_template_values, undeclared
from kmslint.errors import InputError, UsageError
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.model.settings import Settings
from kmslint.sources.files import MAX_BYTES, STDIN, Skipped, collect


def keys_of(found: argparse.Namespace, settings: Settings) -> tuple[list[Key], list[SourceError]]:
    """The keys in the paths that are named, and what could not be read."""
    keys: list[Key] = []
    errors: list[SourceError] = []
    arn: KeyArn | None = found.key
    if arn is not None and found.account not in {None, arn.account}:
        raise UsageError(f"`--account {found.account}` contradicts `--key`, which says `{arn.account}`", help="leave one out")
    places = [_place(path) for path in found.paths]
    values = read_template_values(found)
    declared: set[str] = set()
    lines = {line for _, line in places if line is not None}
    inputs = collect(
        tuple(path for path, _ in places),
        settings=settings,
        type=found.type,
        arn=arn.arn if arn else None,
        account=arn.account if arn else found.account,
        region=arn.region if arn else found.region,
        stdin=_stdin() if STDIN in found.paths else None,
        stdin_name=found.stdin_filename,
        var_files=values.var_files,
        parameters=values.parameters,
        declared=declared,
    )
    for item in inputs:
        if isinstance(item, SourceError):
            errors.append(item)
        elif isinstance(item, Skipped) or (lines and item.source.line not in lines):
            continue
        elif found.address in {None, item.source.address}:
            keys.append(item._replace(id=f"k{len(keys) + 1}"))
    for note in undeclared(values, declared):
        messages.show_warning(note)
    return keys, errors


def _place(path: str) -> tuple[str, int | None]:
    """A path and, as reports write it after a colon, the line where the key stands."""
    file, colon, line = path.rpartition(":")
    is_place = colon and line.isdecimal() and len(line) < 10 and not os.path.exists(path) and os.path.exists(file)
    return (file, int(line)) if is_place else (path, None)


def the_one_key(keys: Sequence[Key], errors: Sequence[SourceError], paths: Sequence[str]) -> Key:
    """The one key that was asked about."""
    if errors:
        first = errors[0]
        tell(errors[1:])
        raise InputError(first.message, source=first.source, line=first.line, column=first.column, help=first.help)
    if len(keys) == 1:
        return keys[0]
    if not keys:
        raise InputError("no key was found", source=", ".join(paths), help="name a file that holds a key policy")
    places = [f"{key.source.file}:{key.source.line}" + (f" ({key.source.address})" if key.source.address else "") for key in keys]
    shown = ", ".join(places[:8]) + (", …" if len(places) > 8 else "")
    raise InputError(f"{len(keys)} keys were found", source=", ".join(paths), help=f"ask about one: {shown}; --who takes several")


def tell(errors: Iterable[SourceError]) -> None:
    """Show each error on stderr."""
    for one in errors:
        messages.show_error(InputError(one.message, source=one.source, line=one.line, column=one.column, help=one.help))


def read_text(file: str) -> str:
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
