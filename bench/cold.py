"""What a start costs: `kmslint check FILE --format json`, whole process, against `python -c pass`.

The two are run in turn, so that a busy machine slows both. Prints medians, wall clock and CPU (user + system of the
child), and their ratio; asserts nothing. `--imports` prints what the start imports instead, slowest first.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from statistics import median
from typing import Final, NamedTuple

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOTHING: Final = [sys.executable, "-c", "pass"]
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed package has its bytecode; a checkout may write it."""


class Sample(NamedTuple):
    """One process, in milliseconds."""

    wall: float
    cpu: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=os.path.join(ROOT, "examples", "policy.json"))
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--imports", action="store_true", help="break one start down by imported module")
    arguments = parser.parse_args()
    check = [*_kmslint(), "check", arguments.file, "--format", "json", "--no-config"]
    if arguments.imports:
        _print_imports(["check", arguments.file, "--format", "json", "--no-config"])
    else:
        _print_ratio(check, arguments.runs)


def _kmslint() -> list[str]:
    """The installed command beside this interpreter, else the module."""
    script = os.path.join(os.path.dirname(sys.executable), "kmslint")
    return [script] if os.access(script, os.X_OK) else [sys.executable, "-m", "kmslint"]


def _print_ratio(check: list[str], runs: int) -> None:
    for command in (NOTHING, check):
        _run(command)  # writes bytecode, fills the page cache
    pairs = [(_run(NOTHING), _run(check)) for _ in range(runs)]
    nothing = [pair[0] for pair in pairs]
    checked = [pair[1] for pair in pairs]
    print(f"{' '.join(check)}\npython {sys.version.split()[0]}, {runs} interleaved runs, medians in ms\n")
    print(f"{'':16}{'wall':>8}{'cpu':>8}{'wall min':>10}")
    for name, samples in (("python -c pass", nothing), ("kmslint check", checked)):
        wall, cpu = median(sample.wall for sample in samples), median(sample.cpu for sample in samples)
        print(f"{name:16}{wall:8.1f}{cpu:8.1f}{min(sample.wall for sample in samples):10.1f}")
    wall = median(sample.wall for sample in checked) / median(sample.wall for sample in nothing)
    cpu = median(sample.cpu for sample in checked) / median(sample.cpu for sample in nothing)
    print(f"{'ratio':16}{wall:8.2f}{cpu:8.2f}   (to stay under 5, aim for 4)")


def _run(command: list[str]) -> Sample:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    code = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env=ENVIRONMENT, check=False
    ).returncode
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in {0, 1, 4}:
        sys.exit(f"`{' '.join(command)}` exited {code}")
    return Sample(wall * 1000, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)


def _print_imports(arguments: list[str]) -> None:
    """`-X importtime` of one start, modules by their own time; what `python -c pass` imports too is left out."""
    base = {name for name, _ in _imports(["-c", "pass"])}
    rows = [row for row in _imports(["-m", "kmslint", *arguments]) if row[0] not in base]
    own = sum(time_us for name, time_us in rows if name.split(".")[0] == "kmslint")
    print(f"{len(rows)} modules beyond `python -c pass`, {sum(row[1] for row in rows) / 1000:.1f} ms, {own / 1000:.1f} ms ours")
    print("(-X importtime itself adds about half)\n")
    for name, time_us in sorted(rows, key=lambda row: -row[1])[:40]:
        print(f"{time_us / 1000:8.2f} ms  {name}")


def _imports(arguments: list[str]) -> list[tuple[str, int]]:
    command = [sys.executable, "-X", "importtime", *arguments]
    for _ in range(2):  # the first one writes bytecode
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
    lines = done.stderr.splitlines()
    fields = [line.removeprefix("import time:").split("|") for line in lines if line.startswith("import time:")]
    return [(field[2].strip(), int(field[0])) for field in fields if field[0].strip().isdigit()]


if __name__ == "__main__":
    main()
