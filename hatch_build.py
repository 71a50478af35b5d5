"""Build hook: compiles `rules/` into the two files that a wheel carries.

An editable install gets nothing: there the folders are read, so that an edit acts at once. Nothing is written into the
checkout either: a stale compiled copy would hide edits to the folders.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulesHook(BuildHookInterface[Any]):
    """Runs tools/compile_rules.py into a folder of its own, which lives until the wheel is packed."""

    _folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the rules and name the file to the builder."""
        if version == "editable":
            return
        self._folder = tempfile.mkdtemp(prefix="kmslint-rules-")
        script = os.path.join(self.root, "tools", "compile_rules.py")
        environment = os.environ | {"PYTHONPATH": self.root, "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, script, self._folder], check=True, cwd=self.root, env=environment)
        for name in sorted(os.listdir(self._folder)):
            build_data["force_include"][os.path.join(self._folder, name)] = f"kmslint/_rules/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder)
