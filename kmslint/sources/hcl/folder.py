"""The files that a Terraform module may read: those below one folder, whatever links and paths say."""

import os
import stat
from collections.abc import Mapping, Sequence

from kmslint.location import Text
from kmslint.typed import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from io import BufferedReader

MAX_BYTES: Final = 5_000_000
"""Bytes of one file that is read. A policy has at most 32,768; a module's largest file has some 100,000."""

MAX_SEARCHED: Final = 20_000_000
"""Bytes of a larger file that are searched for the name of a resource."""

_PIECE: Final = 1_000_000
_KMS: Final = b"aws_kms_"


class Files(Protocol):
    """Where texts come from. Paths use `/`."""

    def text(self, path: str) -> Text | None:
        """The text of a regular file inside the root, or None where there is none that may be read."""

    def names(self, directory: str) -> Sequence[str]:
        """The names of the files in a directory inside the root, in order; () for anything else."""

    def fault(self, path: str) -> str | None:
        """Why a file inside the root that speaks of KMS has no text; None where it has one, or none that matters."""


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

    def fault(self, path: str) -> str | None:
        """Every file has a text."""
        return None if os.path.normpath(path) in self.texts else "there is no such file"


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

    def fault(self, path: str) -> str | None:
        """Too large, or not UTF-8. The file is searched for a resource of KMS piece by piece."""
        normal = os.path.normpath(path)
        if self.text(normal) is not None or not self._is_inside(normal):
            return None
        try:
            if not stat.S_ISREG(os.stat(normal).st_mode):
                return None
            size = os.stat(normal).st_size
            with open(normal, "rb") as file:
                speaks = _speaks(file)
        except (OSError, ValueError):
            return "the file cannot be read"
        if not speaks:
            return None
        return f"the file has {size:,} bytes, more than {MAX_BYTES:,}" if size > MAX_BYTES else "the file is not UTF-8 text"

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


def _speaks(file: "BufferedReader") -> bool:
    """Whether the first bytes of a file, as many as any source reads, name a resource of KMS."""
    before = b""
    for _ in range(MAX_SEARCHED // _PIECE):
        piece = file.read(_PIECE)
        if _KMS in before + piece:
            return True
        if len(piece) < _PIECE:
            return False
        before = piece[-len(_KMS) :]
    return False
