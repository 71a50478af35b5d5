"""`kmslint init`: what a repository needs to be checked, each file written only where there is none.

Nothing that exists is changed, but for lines added at the end of a CODEOWNERS file. What somebody must add by hand is printed.
"""

import os

from kmslint import __version__
from kmslint.cli import messages
from kmslint.cli.options import Parser, account_id
from kmslint.errors import UsageError
from kmslint.typed import Final

WORKFLOW: Final = ".github/workflows/kmslint.yml"
CODEOWNERS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
GUARDED: Final = ("/kmslint.toml", "/kmslint-baseline.json", f"/{WORKFLOW}", "/.pre-commit-config.yaml")
"""What decides whether a change passes: its owners should see each change of it."""

_CONFIGURATION: Final = """\
# kmslint reads this file; an unknown key is an error that names the nearest one. Give it an owner in CODEOWNERS: who may
# change it decides what passes.

{account}
# Accounts and organizations that may use your keys. Without them every foreign account is a finding.
trusted_accounts = []
trusted_organizations = []

# Who administers keys (ARNs, * allowed): kmslint tells them from those who use keys.
# key_admins = ["arn:aws:iam::111122223333:role/KeyAdmin"]

# The least severity that fails a check: info, low, medium, high, critical or never.
fail_on = "medium"

# A finding that is accepted, until a date at most a year ahead:
# [[suppress]]
# rule = "untrusted-account-access"
# where = "policies/partner.json"
# reason = "partner under contract 2026-17"
# owner = "security@example.com"
# until = 2027-06-30
"""

_WORKFLOW: Final = """\
# Actions are pinned by commit and kmslint by version: a release may add a rule or widen one.
name: kmslint
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  kmslint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.12"
      - run: python -m pip install --quiet --disable-pip-version-check kmslint=={version}
      - run: kmslint check . --allow-empty --format github
"""

_GITLAB: Final = """\
kmslint:
  image: python:3.12-slim
  script:
    - python -m pip install --quiet --disable-pip-version-check kmslint=={version}
    - kmslint check . --allow-empty --output gitlab=gl-code-quality-report.json --output junit=kmslint-junit.xml
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: kmslint-junit.xml
"""

_HOOK: Final = """\
  - repo: local
    hooks:
      - id: kmslint
        name: kmslint
        entry: kmslint check --allow-empty
        args: ["."]
        language: python
        additional_dependencies: ["kmslint=={version}"]
        files: \\.(json|tf|ya?ml|toml)$
        pass_filenames: false
"""


def run(arguments: list[str]) -> int:
    """Write what is absent in the folder that `arguments` name; 0 unless something cannot be written."""
    parser = Parser("init", "[FOLDER]", "Write a configuration, a CI job and a pre-commit hook, where there is none yet.")
    parser.add_argument(
        "folder", nargs="?", default=os.curdir, metavar="FOLDER", help="the repository (default: the working directory)"
    )
    parser.add_argument("--account", metavar="ID", type=account_id, help="account that owns the keys")
    parser.add_argument(
        "--ci", choices=("github", "gitlab", "none"), help="whose CI to write a job for (default: by what is there)"
    )
    parser.add_argument(
        "--owner", metavar="NAME", type=_owner, help="who owns the configuration, for CODEOWNERS: @org/team or an address"
    )
    found = parser.parse_args(arguments)
    if not os.path.isdir(found.folder):
        raise UsageError(f"`{found.folder}` is no folder", help="name the folder of the repository")
    folder = _Folder(found.folder)
    _configuration(folder, found.account)
    _job(folder, found.ci)
    _hook(folder)
    _owners(folder, found.owner)
    return 0


class _Folder:
    """The repository, and what is said of each file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def place(self, name: str) -> str:
        return os.path.join(self.path, *name.split("/"))

    def has(self, name: str) -> bool:
        return os.path.lexists(self.place(name))

    def text(self, name: str) -> str:
        """The file's text; "" where it cannot be read."""
        try:
            with open(self.place(name), encoding="utf-8", errors="replace") as stream:
                return stream.read(1_000_000)
        except OSError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Create the file. Raises UsageError when it cannot be written."""
        try:
            os.makedirs(os.path.dirname(self.place(name)), exist_ok=True)
            with open(self.place(name), "x", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", source=self.place(name)) from None
        say(f"wrote {name}")

    def append(self, name: str, text: str) -> None:
        """Add lines at the end of the file. Raises UsageError when it cannot be written."""
        before = self.text(name)
        try:
            with open(self.place(name), "a", encoding="utf-8") as stream:
                stream.write(("" if not before or before.endswith("\n") else "\n") + text)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", source=self.place(name)) from None
        say(f"added to {name}:", text)


def say(line: str, text: str = "") -> None:
    """A line about one file, and lines that are written or to be written there."""
    messages.write_stdout(line + "\n" + "".join(f"    {one}\n" for one in text.splitlines()))


def _configuration(folder: _Folder, account: str | None) -> None:
    if folder.has("kmslint.toml"):
        say("kept kmslint.toml")
    elif "[tool.kmslint" in folder.text("pyproject.toml"):
        say("kept pyproject.toml, which holds [tool.kmslint]")
    else:
        line = f'account = "{account}"' if account else '# account = "111122223333"  # the owner of the keys'
        folder.write("kmslint.toml", _CONFIGURATION.format(account=line))


def _job(folder: _Folder, ci: str | None) -> None:
    kind = ci or ("gitlab" if folder.has(".gitlab-ci.yml") and not folder.has(".github") else "github")
    if kind == "github":
        if folder.has(WORKFLOW):
            say(f"kept {WORKFLOW}")
        else:
            folder.write(WORKFLOW, _WORKFLOW.format(version=__version__))
    elif kind == "gitlab":
        _entry(folder, ".gitlab-ci.yml", "", _GITLAB.format(version=__version__))


def _hook(folder: _Folder) -> None:
    _entry(folder, ".pre-commit-config.yaml", "repos:\n", _HOOK.format(version=__version__))


def _entry(folder: _Folder, name: str, head: str, entry: str) -> None:
    """The file with the entry, where there is no such file; else what to add to it, for kmslint does not edit YAML."""
    if not folder.has(name):
        folder.write(name, head + entry)
    elif "kmslint" in folder.text(name):
        say(f"kept {name}")
    else:
        say(f"add to {name}:", entry)


def _owners(folder: _Folder, owner: str | None) -> None:
    name = next((name for name in CODEOWNERS if folder.has(name)), CODEOWNERS[0])
    if "kmslint.toml" in folder.text(name):
        say(f"kept {name}")
        return
    width = max(len(path) for path in GUARDED)
    lines = "".join(f"{path:{width}} {owner or '@ORG/TEAM'}\n" for path in GUARDED)
    if owner is None:
        say(f"add to {name}, or pass --owner:", lines)
    elif folder.has(name):
        folder.append(name, lines)
    else:
        folder.write(name, lines)


def _owner(text: str) -> str:
    import argparse
    import re

    if re.fullmatch(r"@[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", text):
        return text
    raise argparse.ArgumentTypeError(f"`{text}` is not an owner such as @org/team or security@example.com")
