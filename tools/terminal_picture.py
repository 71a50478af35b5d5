"""Draws docs/images/check.svg: what a terminal shows of `kmslint check examples/policy.json`, by rich's export.

    python tools/terminal_picture.py

The picture loads no font: a viewer's own monospaced one is used.
"""

import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ("check", "examples/policy.json", "--account", "111122223333", "--min-severity", "high", "--no-config")
WIDTH = 116


def main() -> None:
    """Draw it."""
    done = subprocess.run(
        [sys.executable, "-m", "kmslint", *COMMAND, "--color", "always"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ kmslint {' '.join(COMMAND[:4])} --min-severity high"), highlight=False)
    console.print(Text.from_ansi(done.stdout), highlight=False)
    picture = console.export_svg(title="kmslint", unique_id="kmslint")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL).replace("Fira Code, ", "").replace("Fira Code,", "")
    (ROOT / "docs" / "images" / "check.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
