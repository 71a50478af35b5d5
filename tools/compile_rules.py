"""Compiles rules/ into the two files that a wheel carries: kmslint/_rules/rules.json and pages.json.

    python tools/compile_rules.py [FOLDER] [--rules DIR]

Without FOLDER it writes into kmslint/_rules of this checkout, which is used while it is younger than the folders. Every rule
is read and checked on the way; a rule that is none stops it. The same folders give the same bytes.
"""

import argparse
import os
import sys

from kmslint.engine import compiled, loader
from kmslint.engine.rule_file import read_page
from kmslint.errors import RuleError


def main(arguments: list[str] | None = None) -> int:
    """Write the catalogue; the exit code is 2 when a rule is wrong."""
    parser = argparse.ArgumentParser(description="Compile rules/ into the catalogue of a wheel.")
    parser.add_argument("folder", nargs="?", default=loader.COMPILED)
    parser.add_argument("--rules", default=loader.FOLDERS, metavar="DIR")
    found = parser.parse_args(arguments)
    try:
        rules, frameworks = loader.read_folder(found.rules)
        catalogue = loader.build(rules, frameworks)
        pages = {str(source.table["id"]): _page(source) for source in rules}
        os.makedirs(found.folder, exist_ok=True)
        compiled.write(found.folder, catalogue.rules, [source.table for source in frameworks], pages)
    except RuleError as error:
        print(f"{error}\n  help: {error.help}" if error.help else str(error), file=sys.stderr)
        return error.exit_code
    return 0


def _page(source: loader.Source) -> dict[str, object]:
    folder = source.folder or ""
    return {"page": read_page(folder), "cases": loader.read_cases(folder)}


if __name__ == "__main__":
    sys.exit(main())
