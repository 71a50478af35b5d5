"""Compiles rules/ into the one JSON file that a wheel carries: kmslint/_rules/rules.json.

    python tools/compile_rules.py [OUTPUT] [--rules DIR]

Without OUTPUT it writes kmslint/_rules/rules.json of this checkout, which is used while it is younger than the folders. Every
rule is read and checked on the way; a rule that is none stops it. The same folders give the same bytes.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping

from kmslint.engine import loader
from kmslint.engine.rule import read_page
from kmslint.errors import RuleError


def main(arguments: list[str] | None = None) -> int:
    """Write the catalogue; the exit code is 2 when a rule is wrong."""
    parser = argparse.ArgumentParser(description="Compile rules/ into one JSON file.")
    parser.add_argument("output", nargs="?", default=loader.COMPILED)
    parser.add_argument("--rules", default=loader.FOLDERS, metavar="DIR")
    found = parser.parse_args(arguments)
    try:
        text = compiled(found.rules)
    except RuleError as error:
        print(f"{error}\n  help: {error.help}" if error.help else str(error), file=sys.stderr)
        return error.exit_code
    os.makedirs(os.path.dirname(os.path.abspath(found.output)), exist_ok=True)
    with open(found.output, "w", encoding="utf-8") as stream:
        stream.write(text)
    return 0


def compiled(folder: str) -> str:
    """The catalogue of the rules in `folder` as JSON text. Raises RuleError when one is wrong."""
    rules, frameworks = loader.read_folder(folder)
    loader.build(rules, frameworks)
    pages = {str(source.table["id"]): _page(source) for source in rules}
    catalogue: Mapping[str, object] = {
        "format": loader.FORMAT,
        "rules": [source.table for source in rules],
        "frameworks": [source.table for source in frameworks],
        "pages": _dump(pages),  # a text within the text: parsed only when a page is asked for
    }
    return _dump(catalogue) + "\n"


def _page(source: loader.Source) -> dict[str, object]:
    folder = source.folder or ""
    return {"page": read_page(folder), "cases": loader.read_cases(folder)}


def _dump(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError as error:
        raise RuleError(f"a value is not JSON: {error}", help="write dates in quotes") from None


if __name__ == "__main__":
    sys.exit(main())
