"""What kmslint says beside the report: errors, warnings and its own bugs, on stderr; and stdout made safe to write."""

import os
import sys
from collections.abc import Callable, Sequence

from kmslint.errors import KmslintError, UsageError
from kmslint.reporters.visible import visible
from kmslint.typed import TextIO


def prepare_streams() -> None:
    """Make both streams UTF-8, whatever the locale, and writing never fail for a character."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def write_stdout(text: str) -> None:
    """Print a whole report. A reader that has gone (`| head`) is no error: the verdict is known all the same.

    Raises UsageError when stdout cannot take it (a full disk).
    """
    if not _is_open(sys.stdout):
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as error:
        _abandon_stdout()
        raise UsageError(f"the report cannot be written to stdout: {error.strerror}") from None


def _is_open(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed


def _abandon_stdout() -> None:
    """Let nothing more reach stdout, so that the interpreter's own flush at exit cannot fail."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    except (OSError, ValueError, AttributeError):
        return


def show(text: str) -> None:
    """One line on stderr. A stderr that is gone or full takes nothing away from the run."""
    if not _is_open(sys.stderr):
        return
    try:
        sys.stderr.write(visible(text) + "\n")
        sys.stderr.flush()
    except OSError:
        return


def show_error(error: KmslintError) -> None:
    """An error as `error: place: message`, its remedy on a line of its own."""
    show(f"error: {error}")
    if error.help:
        show(f"  help: {error.help}")


def show_warning(text: str) -> None:
    """Something that the user should know, and that changed no outcome."""
    show(f"warning: {text}")


def flush() -> None:
    """Send on what was written to both streams; one that is gone takes nothing away from the run."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if _is_open(stream):
                stream.flush()
        except OSError:
            continue


def progress_on(stream: TextIO | None) -> Callable[[int, int], None] | None:
    """A function to tell of keys read and known of, drawn as one line that rewrites itself; None where nobody would see it."""
    if stream is None or not _is_open(stream) or not stream.isatty():
        return None

    def draw(done: int, known: int) -> None:
        end = "\r\x1b[K" if done == known else ""
        try:
            stream.write(f"\r{done} of {known} keys read{end}")
            stream.flush()
        except OSError:
            return

    return draw


def report_bug(error: Exception, arguments: Sequence[str]) -> int:
    """Say that kmslint failed, where, and how to see it again; the exit code is 70. The traceback only with -v."""
    import platform
    import shlex
    import traceback

    from kmslint import __version__

    where = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    place = f" at {os.path.basename(where.filename)}:{where.lineno}" if where else ""
    what = f": {error}" if isinstance(error, KmslintError) else ""
    show(f"error: this is a bug in kmslint: {type(error).__name__}{place}{what}")
    show(f"  to reproduce: kmslint {shlex.join(arguments)}")
    show(f"  with kmslint {__version__}, Python {platform.python_version()}, {platform.platform()}")
    if {"-v", "--verbose"} & set(arguments):
        for entry in traceback.format_exception(error):
            for line in entry.rstrip("\n").split("\n"):
                show(line)
    else:
        show("  help: report it with the input that caused it; -v shows the traceback")
    return 70
