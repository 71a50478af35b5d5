"""Runs the tests against small faults planted in the policy language and the reasoning core.

    python tools/mutate.py --minutes 30              # goes on where the last run stopped
    python tools/mutate.py --report                  # counts, and the mutants that no test noticed

The tests are collected once; each mutant is a fork of that process in which the code of one function (or the value of one
table) is replaced, and in which the tests that reach its lines run, most telling first, until one fails. Mutants are taken in
the order of a hash of their names, so that any part of a run is a sample without bias. Results are JSON Lines in the state
file, one a mutant; `--again` gives survivors another run, with more `--seconds` perhaps, or after tests were added.
"""

import argparse
import ast
import copy
import gc
import hashlib
import itertools
import json
import os
import resource
import select
import signal
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("kmslint/policy", "kmslint/reason")
TESTS = (
    "tests/mutation",
    "tests/unit/policy",
    "tests/unit/reason",
    "tests/differential",
    "tests/property",
    "tests/certificates",
    "tests/corpus/test_found_by_enumeration.py",
)
SUBPROCESSES = "tests/differential/test_terraform_console.py"
"""Runs another program, which does not work in a fork of this process; what it reaches, others reach as well."""
LIKELY = {"tests/mutation": 8, "tests/unit": 4}
"""How much likelier than others tests of a folder are to notice a fault: written for it, or about whole values."""
PATIENCE = 3
"""A test that takes this many times as long as under the trace (which makes it three times slower) and a second more does not end:
the fault is noticed."""
MEMORY = 3 << 30
KILLED, SURVIVED, UNREACHED = "killed", "survived", "unreached"

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
NAMES = {
    "T": ("F", "U"),
    "F": ("T", "U"),
    "U": ("T", "F"),
    "any": ("all",),
    "all": ("any",),
    "min": ("max",),
    "max": ("min",),
    "k_any": ("k_all",),
    "k_all": ("k_any",),
}
FLAGS = {"may", "upper", "lean", "wildcards", "strengthened"}


class Site(NamedTuple):
    """Where a change is made: the node by its place in a walk of the module, the function it is in, and the lines that reach it."""

    node: int
    function: str | None
    first: int
    last: int


class Mutant(NamedTuple):
    """One planted fault. `name` tells it apart from all others and says what was changed."""

    path: str
    site: Site
    change: str
    name: str


# ------------------------------------------------------------------------------------------------------------- what is changed


Rewrite = tuple[str, Callable[[Any], ast.AST]]


def _rewrites(node: ast.AST) -> Iterator[Rewrite]:
    """The faults that can be planted at `node`: a name for each, and what turns a copy of the node into the faulty one."""
    for kinds, faults in FAULTS:
        if isinstance(node, kinds):
            yield from faults(node)


def _of_comparison(node: ast.Compare) -> Iterator[Rewrite]:
    for at, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            yield f"{type(op).__name__}->{other.__name__}", _compared(at, other)


def _of_connective(node: ast.BoolOp) -> Iterator[Rewrite]:
    yield "and<->or", _with(op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for at in range(len(node.values)):
        yield f"drop operand {at}", _without("values", at)


def _of_negation(node: ast.UnaryOp) -> Iterator[Rewrite]:
    if isinstance(node.op, ast.Not):
        yield "drop not", lambda copied: copied.operand


def _of_constant(node: ast.Constant) -> Iterator[Rewrite]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value}->{not value}", _with(value=not value)
    elif isinstance(value, int):
        yield f"{value}->{value + 1}", _with(value=value + 1)
        if value > 1:
            yield f"{value}->{value - 1}", _with(value=value - 1)


def _of_arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[Rewrite]:
    other = ARITHMETIC.get(type(node.op))
    if other is not None:
        yield f"{type(node.op).__name__}->{other.__name__}", _with(op=other())


def _of_name(node: ast.Name) -> Iterator[Rewrite]:
    for word in NAMES.get(node.id, ()) if isinstance(node.ctx, ast.Load) else ():
        yield f"{node.id}->{word}", _with(id=word)


def _of_condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[Rewrite]:
    yield "condition->False", _with(test=ast.Constant(value=False))
    if not isinstance(node, ast.While):
        yield "condition->True", _with(test=ast.Constant(value=True))


def _of_loop(node: ast.comprehension) -> Iterator[Rewrite]:
    for at in range(len(node.ifs)):
        yield f"drop filter {at}", _without("ifs", at)


def _of_return(node: ast.Return) -> Iterator[Rewrite]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield "return None", _with(value=ast.Constant(value=None))


def _of_call(node: ast.Expr) -> Iterator[Rewrite]:
    if not isinstance(node.value, ast.Constant):
        yield "drop statement", lambda _: ast.Pass()


def _of_jump(node: ast.Continue | ast.Break | ast.Raise) -> Iterator[Rewrite]:
    if isinstance(node, ast.Continue):
        yield "continue->break", lambda _: ast.Break()
    elif isinstance(node, ast.Break):
        yield "break->continue", lambda _: ast.Continue()
    else:
        yield "drop raise", lambda _: ast.Pass()


def _of_flag(node: ast.keyword) -> Iterator[Rewrite]:
    if node.arg in FLAGS and not isinstance(node.value, ast.Constant):
        yield f"negate {node.arg}", lambda copied: ast.keyword(copied.arg, ast.UnaryOp(ast.Not(), copied.value))


def _of_members(node: ast.Set | ast.List) -> Iterator[Rewrite]:
    for at in range(len(node.elts)) if len(node.elts) > 1 else ():
        yield f"drop element {at}", _without("elts", at)


def _of_entries(node: ast.Dict) -> Iterator[Rewrite]:
    for at in range(len(node.keys)) if len(node.keys) > 1 else ():
        yield f"drop entry {at}", _without("keys", at, "values")


FAULTS: tuple[tuple[tuple[type[ast.AST], ...], Callable[[Any], Iterator[Rewrite]]], ...] = (
    ((ast.Compare,), _of_comparison),
    ((ast.BoolOp,), _of_connective),
    ((ast.UnaryOp,), _of_negation),
    ((ast.Constant,), _of_constant),
    ((ast.BinOp, ast.AugAssign), _of_arithmetic),
    ((ast.Name,), _of_name),
    ((ast.If, ast.IfExp, ast.While), _of_condition),
    ((ast.comprehension,), _of_loop),
    ((ast.Return,), _of_return),
    ((ast.Expr,), _of_call),
    ((ast.Continue, ast.Break, ast.Raise), _of_jump),
    ((ast.keyword,), _of_flag),
    ((ast.Set, ast.List), _of_members),
    ((ast.Dict,), _of_entries),
)


def _with(**fields: Any) -> Callable[[Any], ast.AST]:  # noqa: ANN401 - a field of any node
    def change(node: Any) -> ast.AST:  # noqa: ANN401
        for field, value in fields.items():
            setattr(node, field, value)
        return node  # type: ignore[no-any-return]

    return change


def _compared(at: int, other: type[ast.cmpop]) -> Callable[[Any], ast.AST]:
    def change(node: ast.Compare) -> ast.AST:
        node.ops[at] = other()
        return node

    return change


def _without(field: str, at: int, beside: str | None = None) -> Callable[[Any], ast.AST]:
    """Drop one element of a list of nodes; a connective of one operand is that operand."""

    def change(node: Any) -> ast.AST:  # noqa: ANN401
        for name in (field, beside):
            if name is not None:
                del getattr(node, name)[at]
        return node.values[0] if isinstance(node, ast.BoolOp) and len(node.values) == 1 else node

    return change


# ----------------------------------------------------------------------------------------------------------- where it is changed


def _sites(tree: ast.Module) -> Iterator[tuple[ast.AST, Site]]:
    """Every node that a test could notice: no annotation, no default of a parameter, no decorator, no `__all__`-like name."""
    order = {id(node): index for index, node in enumerate(ast.walk(tree))}
    for statement in tree.body:
        yield from _within(statement, (), None, order)


def _within(
    node: ast.AST, path: tuple[str, ...], function: str | None, order: dict[int, int], lines: tuple[int, int] = (0, 0)
) -> Iterator[tuple[ast.AST, Site]]:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.arguments):
        return
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        inside = (*path, node.name)
        own = function or (".".join(inside) if isinstance(node, ast.FunctionDef) else None)
        for child in node.body:
            yield from _within(child, inside, own, order)
        return
    if function is None and path:
        return  # a field of a class and its default
    if isinstance(node, ast.stmt):
        lines = _lines(node)
    yield node, Site(order[id(node)], function, *lines)
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _within(child, path, function, order, lines)


def _lines(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement, of its head where it has a body."""
    head = getattr(node, "test", None) or getattr(node, "iter", None) or getattr(node, "subject", None)
    end = head.end_lineno if head is not None else node.end_lineno
    return node.lineno, end or node.lineno


def mutants_of(path: str) -> Iterator[Mutant]:
    """Every mutant of one module, in the order of its text."""
    tree = _nodes(path)[0]
    seen: Counter[str] = Counter()
    for node, site in _sites(tree):
        if next(_rewrites(node), None) is None:
            continue
        about = " ".join(_written(node).split())[:70]
        for change, _ in _rewrites(node):
            stem = f"{path}::{site.function or '<module>'}::{change}::{about}"
            seen[stem] += 1
            yield Mutant(path, site, change, stem if seen[stem] == 1 else f"{stem} #{seen[stem]}")


def _written(node: ast.AST) -> str:
    """The code of a node in one line, of its head where it has a body."""
    if isinstance(node, ast.If | ast.While):
        return ast.unparse(node.test)
    return ast.unparse(node) if hasattr(node, "lineno") else type(node).__name__


@lru_cache(maxsize=64)
def _nodes(path: str) -> tuple[ast.Module, tuple[ast.AST, ...]]:
    """A module's tree, and its nodes in a fixed order."""
    tree = ast.parse((ROOT / path).read_text())
    return tree, tuple(ast.walk(tree))


def all_mutants() -> list[Mutant]:
    """Every mutant of the packages, in the order of a hash of their names."""
    paths = sorted(str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).glob("*.py"))
    found = [mutant for path in paths for mutant in mutants_of(path)]
    return sorted(found, key=lambda mutant: hashlib.sha256(mutant.name.encode()).digest())


# --------------------------------------------------------------------------------------------------------------- how it is planted


class _Planter(ast.NodeTransformer):
    def __init__(self, target: ast.AST, change: Callable[[Any], ast.AST]) -> None:
        self.target = target
        self.change = change

    def visit(self, node: ast.AST) -> Any:  # noqa: ANN401
        if node is self.target:
            return ast.copy_location(self.change(copy.copy(_fresh(node))), node) if hasattr(node, "lineno") else self.change(node)
        return self.generic_visit(node)


def _fresh(node: ast.AST) -> ast.AST:
    """The node with lists of its own, which a change may shorten."""
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(node, field, list(value))
    return node


def plant(mutant: Mutant) -> None:
    """Put the fault into the modules of this process, in which nothing computed without it stays remembered."""
    _forget()
    tree, nodes = _nodes(mutant.path)
    target = nodes[mutant.site.node]
    change = dict(_rewrites(target))[mutant.change]
    _Planter(target, change).visit(tree)
    ast.fix_missing_locations(tree)
    module = sys.modules[mutant.path.removesuffix(".py").replace("/", ".")]
    if mutant.site.function is None:
        _replace_values(module, tree)
    else:
        _replace_code(module, tree, mutant)


def _forget() -> None:
    """Empty every `lru_cache` of the package: a value of the time when tests were collected, or traced, may hide a fault."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "kmslint":
            for value in list(vars(module).values()):
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()


def _replace_code(module: types.ModuleType, tree: ast.Module, mutant: Mutant) -> None:
    path = (mutant.site.function or "").split(".")
    alone: list[ast.stmt] = [one for one in tree.body if getattr(one, "name", None) == path[0]]
    code = compile(ast.Module(alone, []), str(ROOT / mutant.path), "exec", dont_inherit=True)
    for name in path:
        code = next(part for part in code.co_consts if isinstance(part, types.CodeType) and part.co_name == name)
    _function(module, path).__code__ = code


def _function(module: types.ModuleType, path: list[str]) -> Any:  # noqa: ANN401
    found: Any = module
    for name in path:
        found = found.__dict__[name]
    while not isinstance(found, types.FunctionType):
        found = found.__wrapped__ if hasattr(found, "__wrapped__") else getattr(found, "fget", None) or found.__func__
    return found


def _replace_values(module: types.ModuleType, tree: ast.Module) -> None:
    """Compute the module's values again and put each changed one wherever its name was imported, by tests as well."""
    scratch = dict(vars(module))
    values: list[ast.stmt] = [one for one in tree.body if isinstance(one, ast.Assign | ast.AnnAssign)]
    exec(compile(ast.Module(values, []), "<mutant>", "exec", dont_inherit=True), scratch)  # noqa: S102
    for name, value in scratch.items():
        old = vars(module).get(name)
        if old is value or name.startswith("__"):
            continue
        if isinstance(old, dict):
            old.clear()
            old.update(value)
        for other in list(sys.modules.values()):
            names = getattr(other, "__dict__", {})
            if names.get(name) is old and str(names.get("__name__")).partition(".")[0] in {"kmslint", "tests"}:
                names[name] = old if isinstance(old, dict) else value


# -------------------------------------------------------------------------------------------------------------- running the tests


class Reach(NamedTuple):
    """What one test does without a fault: the lines it runs, and how long it takes."""

    lines: frozenset[tuple[str, int]]
    seconds: float


class _Slow(BaseException):
    """A test took far longer than without the fault."""


def _run_item(item: pytest.Item, limit: float) -> str | None:
    """None when the test passes (or is skipped), else the kind of exception that it raised: _Slow after `limit` CPU seconds."""

    def late(*_: object) -> None:
        raise _Slow

    signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    state = item.session._setupstate  # noqa: SLF001
    try:
        state.setup(item)
        item.runtest()
    except pytest.skip.Exception:
        return None
    except (Exception, _Slow, pytest.fail.Exception, SystemExit) as error:  # noqa: BLE001 - whatever a fault causes is what is asked for
        return type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        state.teardown_exact(None)
    return None


def _in_fork(work: Callable[[], object], seconds: float = 600) -> tuple[int, int]:
    """Start `work` in a fork; its process and the end of a pipe on which its answer comes as JSON.

    After `seconds` of CPU time the process is ended, wherever it is, without an answer.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.close(reading)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    try:
        answer = json.dumps(work()).encode()
        while answer:
            answer = answer[os.write(writing, answer) :]
    finally:
        os._exit(0)


def _answer(reading: int) -> Any:  # noqa: ANN401
    parts = []
    while part := os.read(reading, 1 << 16):
        parts.append(part)
    os.close(reading)
    return json.loads(b"".join(parts)) if parts else None


def _traced(item: pytest.Item) -> object:
    lines: set[tuple[str, int]] = set()
    skip = len(str(ROOT)) + 1
    wanted = tuple(str(ROOT / package) for package in PACKAGES)

    def of_line(frame: types.FrameType, event: str, _: object) -> Any:  # noqa: ANN401
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return of_line

    def of_call(frame: types.FrameType, *_: object) -> Any:  # noqa: ANN401
        return of_line if frame.f_code.co_filename.startswith(wanted) else None

    _forget()
    start = time.process_time()
    sys.settrace(of_call)
    failed = _run_item(item, 300)
    sys.settrace(None)
    return [failed, time.process_time() - start, sorted((path[skip:], line) for path, line in lines)]


def _reaches(items: list[pytest.Item], jobs: int) -> dict[str, Reach]:
    """By test: what it reaches. Tests that fail without a fault say nothing and are left out."""
    found: dict[str, Reach] = {}
    gc.collect()
    gc.freeze()
    waiting = iter(items)
    running: dict[int, tuple[pytest.Item, int]] = {}
    while True:
        for item in itertools.islice(waiting, jobs - len(running)):
            pid, reading = _in_fork(lambda item=item: _traced(item))  # type: ignore[misc]
            running[reading] = (item, pid)
        if not running:
            return found
        for reading in select.select(list(running), [], [])[0]:
            item, pid = running.pop(reading)
            answer = _answer(reading)
            os.waitpid(pid, 0)
            if answer is None or answer[0] is not None:
                print(f"left out, fails without a fault: {item.nodeid}", file=sys.stderr)
            elif answer[2]:
                found[item.nodeid] = Reach(frozenset((path, line) for path, line in answer[2]), answer[1])


def _judge(mutant: Mutant, items: list[pytest.Item], usual: dict[str, float], cap: float) -> dict[str, object]:
    """The outcome within `cap` CPU seconds; where they do not suffice for a test, the fault has survived so far."""
    plant(mutant)
    start = time.process_time()
    for done, item in enumerate(items):
        limit = 1 + PATIENCE * usual[item.nodeid]
        left = cap - (time.process_time() - start)
        failed = _run_item(item, min(limit, left)) if left > 0 else _Slow.__name__
        if failed == _Slow.__name__ and left < limit:
            return {"outcome": SURVIVED, "tests": done, "of": len(items)}
        if failed is not None:
            return {"outcome": KILLED, "by": item.nodeid, "as": failed, "tests": done + 1, "of": len(items)}
    return {"outcome": SURVIVED, "tests": len(items), "of": len(items)}


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class Campaign:
    """The mutants still to be run, the tests, and the file in which results are kept."""

    def __init__(self, options: argparse.Namespace, items: list[pytest.Item]) -> None:
        self.options = options
        marked = [item for item in items if item.get_closest_marker("xfail") is None]
        reaches = self._reach_once(marked)
        self.items = {item.nodeid: item for item in marked if item.nodeid in reaches}
        self.seconds = {name: reach.seconds for name, reach in reaches.items() if name in self.items}
        self.likely = {
            name: max((much for at, much in LIKELY.items() if name.startswith(at)), default=1) for name in self.seconds
        }
        self.kills: Counter[tuple[str, str]] = Counter()
        self.by_line: dict[tuple[str, int], list[str]] = {}
        for name in self.seconds:
            for line in reaches[name].lines:
                self.by_line.setdefault(line, []).append(name)

    def _reach_once(self, items: list[pytest.Item]) -> dict[str, Reach]:
        """What tests reach, from the file beside the state as far as the code and the test's own file are the same."""
        path = Path(f"{self.options.state}.reach")
        code = _digest(*(file for package in PACKAGES for file in sorted((ROOT / package).glob("*.py"))))
        kept = json.loads(path.read_text()) if path.exists() else {}
        files = {str(item.path): _digest(item.path) for item in items}
        found: dict[str, Reach] = {}
        known = set()
        if kept.get("code") == code:
            same = {str(item.path) for item in items if kept["files"].get(str(item.path)) == files[str(item.path)]}
            known = {item.nodeid for item in items if str(item.path) in same}
            found = {name: Reach(frozenset(map(tuple, at)), took) for name, (at, took) in kept["reach"].items() if name in known}
        found |= _reaches([item for item in items if item.nodeid not in known], self.options.jobs)
        reach = {name: (sorted(one.lines), one.seconds) for name, one in found.items()}
        path.write_text(json.dumps({"code": code, "files": files, "reach": reach}))
        return found

    def _tests(self, mutant: Mutant) -> list[str]:
        """The tests that reach the mutant, most telling for their time first."""
        if mutant.site.function is None:
            names = set(self.seconds)
        else:
            lines = range(mutant.site.first, mutant.site.last + 1)
            names = {name for line in lines for name in self.by_line.get((mutant.path, line), ())}
        here = f"{mutant.path}::{mutant.site.function}"

        def worth(name: str) -> tuple[float, str]:
            kills = self.likely[name] + self.kills[mutant.path, name] + 20 * self.kills[here, name]
            return (self.seconds[name] + 0.003) / kills, name

        return sorted(names, key=worth)

    def _todo(self) -> list[Mutant]:
        known = results(self.options.state)
        wanted = [one for one in all_mutants() if self.options.only in one.name]
        for one in known.values():
            if one["outcome"] == KILLED:
                self._learn(one)
        left = []
        for mutant in wanted[: self.options.sample]:
            found = known.get(mutant.name)
            if found is None or (self.options.again and found["outcome"] != KILLED):
                left.append(mutant)
        return left

    def _learn(self, result: dict[str, Any]) -> None:
        path, function, *_ = result["name"].split("::")
        self.kills[path, result["by"]] += 1
        self.kills[f"{path}::{function}", result["by"]] += 1

    def run(self) -> None:
        """Run what is left until the time is over."""
        end = time.monotonic() + 60 * self.options.minutes
        running: dict[int, tuple[Mutant, int, float]] = {}
        todo = iter(self._todo())
        gc.collect()
        gc.freeze()
        with open(self.options.state, "a", encoding="utf-8") as state:
            while True:
                while len(running) < self.options.jobs and time.monotonic() < end:
                    mutant = next(todo, None)
                    if mutant is None:
                        break
                    tests = self._tests(mutant)
                    if not tests:
                        nothing = {"name": mutant.name, "line": mutant.site.first, "outcome": UNREACHED, "tests": 0, "of": 0}
                        print(json.dumps(nothing), file=state, flush=True)
                        continue
                    pid, reading, limit = self._start(mutant, tests)
                    running[reading] = (mutant, pid, limit)
                if not running:
                    return
                ready, _, _ = select.select(list(running), [], [], 1.0)
                for reading in list(running):
                    mutant, pid, limit = running[reading]
                    if reading not in ready and time.monotonic() < limit:
                        continue
                    del running[reading]
                    print(json.dumps(self._result(mutant, pid, reading, is_late=reading not in ready)), file=state, flush=True)

    def _start(self, mutant: Mutant, tests: list[str]) -> tuple[int, int, float]:
        items = [self.items[name] for name in tests]
        cap = self.options.seconds
        pid, reading = _in_fork(lambda: _judge(mutant, items, self.seconds, cap), cap + 3)
        return pid, reading, time.monotonic() + 10 * cap + 60

    def _result(self, mutant: Mutant, pid: int, reading: int, *, is_late: bool) -> dict[str, Any]:
        if is_late:
            os.kill(pid, signal.SIGKILL)
        found = _answer(reading) or {"outcome": KILLED, "by": "", "as": "no answer", "tests": 0, "of": 0}
        os.waitpid(pid, 0)
        result = {"name": mutant.name, "line": mutant.site.first, **found}
        if found["outcome"] == KILLED:
            self._learn(result)
        return result


# ----------------------------------------------------------------------------------------------------------------- what is told


def results(state: str) -> dict[str, dict[str, Any]]:
    """By name: the last result of each mutant that was run."""
    path = Path(state)
    lines = path.read_text().splitlines() if path.exists() else []
    return {one["name"]: one for one in map(json.loads, lines)}


def report(state: str) -> None:
    """Print the counts by module, then the survivors."""
    mutants = {mutant.name: mutant for mutant in all_mutants()}
    known = {name: one for name, one in results(state).items() if name in mutants}
    print("| module | mutants | run | killed | survived | not reached |\n|---|---|---|---|---|---|")
    for path in [*sorted({mutant.path for mutant in mutants.values()}), ""]:
        here = [one for name, one in known.items() if name.startswith(path)]
        outcomes = Counter(one["outcome"] for one in here)
        total = sum(name.startswith(path) for name in mutants)
        row = (path or "all", total, len(here), outcomes[KILLED], outcomes[SURVIVED], outcomes[UNREACHED])
        print("|", " | ".join(map(str, row)), "|")
    for name, one in sorted(known.items(), key=lambda pair: (pair[0].partition("::")[0], mutants[pair[0]].site.first)):
        if one["outcome"] != KILLED:
            left = "" if one["tests"] == one["of"] else f" ({one['tests']} of {one['of']} tests)"
            print(f"{one['outcome']}: {mutants[name].site.first}: {name}{left}")


class _Plugin:
    """Runs the campaign in the place of the tests."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def pytest_sessionstart(self) -> None:
        _quiet_hypothesis()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        Campaign(self.options, session.items).run()
        return True


def _quiet_hypothesis() -> None:
    """Properties draw the same examples in every run and do not look for the smallest one that fails."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="plant faults in the policy language and the reasoning core; run the tests")
    parser.add_argument("--state", default="mutants/results.jsonl", help="where results are kept")
    parser.add_argument("--minutes", type=float, default=30, help="stop starting mutants after this time")
    parser.add_argument("--seconds", type=float, default=8, help="at most this much CPU time for one mutant")
    parser.add_argument("--tests", nargs="+", default=TESTS, metavar="PATH", help="only these tests")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--sample", type=int, default=None, help="only so many of the mutants, without bias")
    parser.add_argument("--only", default="", help="only mutants whose name holds this text")
    parser.add_argument("--again", action="store_true", help="run survivors again")
    parser.add_argument("--report", action="store_true", help="print the results and run nothing")
    options = parser.parse_args()
    if options.report:
        report(options.state)
        return 0
    os.chdir(ROOT)
    Path(options.state).parent.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    tests = [path for path in options.tests if (ROOT / path.partition("::")[0]).exists()]
    arguments = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", f"--ignore={SUBPROCESSES}", *tests]
    return pytest.main(arguments, plugins=[_Plugin(options)])


if __name__ == "__main__":
    raise SystemExit(main())
