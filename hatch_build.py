"""Build hook: compiles `rules/` into the one file that a wheel carries.

An editable install gets nothing: there the folders are read, so that an edit acts at once.
"""

import os
import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulesHook(BuildHookInterface[Any]):
    """Runs tools/compile_rules.py before a wheel is packed and removes its output afterwards."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write `kmslint/_rules/rules.json` and name it to the builder."""
        if version == "editable" or self.target_name != "wheel":
            return
        environment = os.environ | {"PYTHONPATH": self.root, "PYTHONDONTWRITEBYTECODE": "1"}
        script = os.path.join(self.root, "tools", "compile_rules.py")
        subprocess.run([sys.executable, script, self._output()], check=True, cwd=self.root, env=environment)
        build_data["artifacts"].append("/kmslint/_rules/rules.json")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Leave no compiled copy in the checkout: a stale one would hide edits to the folders."""
        if version != "editable" and os.path.exists(self._output()):
            os.remove(self._output())
            os.rmdir(os.path.dirname(self._output()))

    def _output(self) -> str:
        return os.path.join(self.root, "kmslint", "_rules", "rules.json")
