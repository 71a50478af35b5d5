"""The files that a Terraform module may read: those below one folder, whatever links and paths say."""

import os
import stat
from collections.abc import Mapping, Sequence

from kmslint.location import Text
from kmslint.typed import Final, Protocol

MAX_BYTES: Final = 5_000_000
"""Bytes of one file that is read. A policy has at most 32,768; a module's largest file has some 100,000."""


class Files(Protocol):
    """Where texts come from. Paths use `/`."""

    def text(self, path: str) -> Text | None:
        """The text of a regular file inside the root, or None where there is none that may be read."""

    def names(self, directory: str) -> Sequence[str]:
        """The names of the files in a directory inside the root, in order; () for anything else."""


class Memory:
    """Files that are held in memory."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = {os.path.normpath(path): Text(content, file=path) for path, content in texts.items()}

    def text(self, path: str) -> Text | None:
        """The text at a path."""
        return self.texts.get(os.path.normpath(path))

    def names(self, directory: str) -> Sequence[str]:
        """The names of the files whose path lies directly in a directory."""
        wanted = os.path.normpath(directory)
        return sorted(os.path.basename(path) for path in self.texts if (os.path.dirname(path) or ".") == wanted)


class Folder:
    """Files below a folder of this machine. Nothing outside it is read, by whatever link."""

    def __init__(self, root: str, *, named: Sequence[str] = ()) -> None:
        """`named` are files that the user named, which may lie anywhere."""
        self.root = os.path.realpath(root)
        self._named = {os.path.normpath(path) for path in named}
        self._texts: dict[str, Text | None] = {}

    def text(self, path: str) -> Text | None:
        """The text of a regular UTF-8 file inside the root."""
        normal = os.path.normpath(path)
        if normal not in self._texts:
            self._texts[normal] = self._read(normal)
        return self._texts[normal]

    def names(self, directory: str) -> Sequence[str]:
        """The names of the files in a directory inside the root."""
        if not self._is_inside(directory or "."):
            return ()
        try:
            with os.scandir(directory or ".") as entries:
                return sorted(entry.name for entry in entries if os.path.isfile(entry.path))
        except OSError:
            return ()

    def _read(self, path: str) -> Text | None:
        try:
            is_wanted = path in self._named or self._is_inside(path)
            if not is_wanted or not stat.S_ISREG(os.stat(path).st_mode) or os.stat(path).st_size > MAX_BYTES:
                return None
            with open(path, encoding="utf-8", newline="") as file:
                return Text(file.read(), file=path)
        except (OSError, ValueError):
            return None

    def _is_inside(self, path: str) -> bool:
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return False
        return real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)
