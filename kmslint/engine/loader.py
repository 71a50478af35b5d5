"""Finds rules: the compiled catalogue of a wheel, else the folders of a checkout, then the folders of users.

A folder of rules holds one folder a rule (rule.toml, rule.md, cases/) and, if it likes, frameworks/*.toml. Users name theirs
with `--rules DIR`, or publish them in a package with an entry point of the group "kmslint.rules", whose value is the package
that holds the folders.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kmslint.engine import compiled
from kmslint.engine.rule import Rule
from kmslint.errors import RuleError
from kmslint.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kmslint.engine.frameworks import Framework

Table = Mapping[str, object]

GROUP: Final = "kmslint.rules"
MAX_BYTES: Final = 1_000_000
"""A larger rule file is refused."""

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPILED: Final = os.path.join(_PACKAGE, "_rules")
"""The folder with the catalogue of a wheel."""
FOLDERS: Final = os.path.join(os.path.dirname(_PACKAGE), "rules")
"""The rules of a checkout, which is also where an editable install runs from."""


class Source(NamedTuple):
    """One rule as a plain table, where it was read, and its folder, if it has one."""

    table: Table
    where: str
    folder: str | None


class Catalogue(NamedTuple):
    """All rules, by id, and the frameworks that their controls are of."""

    rules: tuple[Rule, ...]
    frameworks: "tuple[Framework, ...]"


_EMPTY: Final = Catalogue((), ())


def load_rules(extra: Sequence[str] = ()) -> tuple[Rule, ...]:
    """All rules, by id: kmslint's own, those of installed packages, and those in the folders `extra`.

    Raises RuleError when a folder is no rule, or two rules have one id.
    """
    folders = (*_published_folders(sys.path), *extra)
    if folders or _has_own_folders():
        return _read_catalogue(folders).rules
    return compiled.read_rules(COMPILED)


def load_catalogue(extra: Sequence[str] = ()) -> Catalogue:
    """The rules, as `load_rules`, and the frameworks."""
    return _read_catalogue((*_published_folders(sys.path), *extra))


def build(rules: Iterable[Source], frameworks: Iterable[Source], own: Catalogue = _EMPTY) -> Catalogue:
    """The catalogue of these tables and `own`. Raises RuleError at the first thing in them that is wrong."""
    from kmslint.engine.frameworks import index, parse_framework, with_controls
    from kmslint.engine.rule_file import parse_rule

    places = {f"framework {one.id}": f"rules/frameworks/{one.id}.toml" for one in own.frameworks}
    places |= {rule.id: f"rules/{rule.id}/rule.toml" for rule in own.rules}
    known = {framework.id: framework for framework in own.frameworks}
    for source in frameworks:
        framework = parse_framework(source.table, source.where)
        _claim(places, f"framework {framework.id}", framework.id, source)
        known[framework.id] = framework
    requirements = index(known.values())
    parsed = {rule.id: rule for rule in own.rules}
    for source in rules:
        rule = parse_rule(source.table, source.where, source.folder)
        _claim(places, rule.id, rule.id, source)
        parsed[rule.id] = with_controls(rule, requirements, source.where)
    for rule in parsed.values():
        for name in rule.folds_into:
            if name not in parsed:
                raise RuleError(f"`folds_into` names an unknown rule `{name}`", source=places[rule.id])
    return Catalogue(tuple(parsed[name] for name in sorted(parsed)), tuple(known.values()))


def read_folder(folder: str) -> tuple[list[Source], list[Source]]:
    """The rules and the frameworks in `folder`, which may also be one rule's own folder.

    Raises RuleError when it cannot be read.
    """
    if os.path.isfile(os.path.join(folder, "rule.toml")):
        return [_rule_source(folder)], []
    rules, frameworks = [], []
    for name in _listed(folder):
        path = os.path.join(folder, name)
        if name == "frameworks" and os.path.isdir(path):
            files = [os.path.join(path, file) for file in _listed(path) if file.endswith(".toml")]
            frameworks += [Source(_read_toml(file), file, None) for file in files]
        elif os.path.isfile(os.path.join(path, "rule.toml")):
            rules.append(_rule_source(path))
    return rules, frameworks


def page(rule: Rule) -> str:
    """The text of the rule's rule.md. Raises RuleError when it cannot be read."""
    if rule.folder is not None:
        return _page_in(rule.folder)
    return str(compiled.read_pages(COMPILED).get(rule.id, {}).get("page", ""))


def pages(rules: Iterable[Rule]) -> dict[str, str]:
    """The pages of `rules` by id, the compiled ones read once. A rule without a page that can be read is left out."""
    listed = tuple(rules)
    inside = compiled.read_pages(COMPILED) if any(rule.folder is None for rule in listed) else {}
    found: dict[str, str] = {}
    for rule in listed:
        try:
            found[rule.id] = _page_in(rule.folder) if rule.folder is not None else str(inside.get(rule.id, {}).get("page", ""))
        except RuleError:
            continue
    return found


def _page_in(folder: str) -> str:
    from kmslint.engine.rule_file import read_page

    return read_page(folder)


def cases(rule: Rule) -> dict[str, object]:
    """The rule's cases by name (`fail-…`, `pass-…`), as JSON values. Raises RuleError for a file that is not JSON."""
    if rule.folder is None:
        found = compiled.read_pages(COMPILED).get(rule.id, {}).get("cases", {})
        return dict(found) if isinstance(found, dict) else {}
    return read_cases(rule.folder)


def read_cases(folder: str) -> dict[str, object]:
    """The files of `folder`/cases by name without `.json`, sorted. Raises RuleError for one that is not JSON."""
    inside = os.path.join(folder, "cases")
    found: dict[str, object] = {}
    for name in _listed(inside) if os.path.isdir(inside) else ():
        if name.endswith(".json"):
            file = os.path.join(inside, name)
            try:
                found[name[:-5]] = json.loads(_read(file))
            except (ValueError, RecursionError):
                raise RuleError("is not JSON", source=file) from None
    return found


def _read_catalogue(folders: Iterable[str]) -> Catalogue:
    """The rules and frameworks of kmslint itself, and those in `folders`."""
    rules: list[Source] = []
    frameworks: list[Source] = []
    own = _EMPTY
    if _has_own_folders():
        rules, frameworks = read_folder(FOLDERS)
    else:
        tables = [Source(table, f"rules/frameworks/{table['id']}.toml", None) for table in compiled.read_frameworks(COMPILED)]
        own = build((), tables)._replace(rules=compiled.read_rules(COMPILED))
    for folder in folders:
        more_rules, more_frameworks = read_folder(folder)
        if not more_rules:
            raise RuleError("holds no rule", source=folder, help="each rule is a folder with a rule.toml")
        rules, frameworks = [*rules, *more_rules], [*frameworks, *more_frameworks]
    return build(rules, frameworks, own)


def _has_own_folders() -> bool:
    """Whether kmslint's own rules are read from folders: in a checkout, unless what was compiled there is younger."""
    return os.path.isdir(os.path.join(FOLDERS, "frameworks")) and not _is_current(COMPILED, FOLDERS)


def _is_current(catalogue: str, folders: str) -> bool:
    """Whether a compiled catalogue beside a checkout's folders is younger than each of them and what they hold."""
    try:
        built = os.stat(os.path.join(catalogue, compiled.RULES)).st_mtime_ns
        with os.scandir(folders) as found:
            return os.stat(folders).st_mtime_ns < built and all(_youngest(entry) < built for entry in found if entry.is_dir())
    except OSError:
        return False


def _youngest(entry: "os.DirEntry[str]") -> int:
    with os.scandir(entry.path) as inside:
        return max(entry.stat().st_mtime_ns, *(item.stat().st_mtime_ns for item in inside))


def _rule_source(folder: str) -> Source:
    file = os.path.join(folder, "rule.toml")
    table = _read_toml(file)
    name = os.path.basename(os.path.abspath(folder))
    if table.get("id", name) != name:
        raise RuleError(f"`id` is `{table['id']}`, but the folder is called `{name}`", source=file, help="give both one name")
    return Source(table, file, folder)


def _read_toml(file: str) -> Table:
    import tomllib

    try:
        return tomllib.loads(_read(file))
    except RecursionError:
        raise RuleError("is nested too deeply", source=file) from None
    except ValueError as error:
        text = str(error)
        raise RuleError(f"is not TOML: {text[:1].lower()}{text[1:]}", source=file) from None


def _read(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}", source=file) from None
    if len(content) > MAX_BYTES:
        raise RuleError(f"is larger than {MAX_BYTES} bytes", source=file)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise RuleError("is not UTF-8 text", source=file) from None


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}", source=folder, help="name a folder of rules") from None


def _claim(places: dict[str, str], name: str, id: str, source: Source) -> None:
    """Note where `id` is read. Raises RuleError when it is taken."""
    if name in places:
        raise RuleError(f"`{id}` is already the id in {places[name]}", source=source.where, help="choose another id")
    places[name] = source.where


def _published_folders(path: Sequence[str]) -> Iterator[str]:
    """The folders of installed packages that publish rules.

    Looking for the group in the metadata of each package as text takes 1 ms; `importlib.metadata` is imported only when
    some package has it.
    """
    marker = f"[{GROUP}]".encode()
    if not any(marker in text for text in _entry_point_texts(path)):
        return
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            spec = find_spec(point.module)
        except (ImportError, ValueError):
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise RuleError(f"the entry point `{point.name}` of {GROUP} names no package", source=point.value)
        yield next(iter(spec.submodule_search_locations))


def _entry_point_texts(path: Sequence[str]) -> Iterator[bytes]:
    for folder in path:
        try:
            names = [name for name in os.listdir(folder or os.curdir) if name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as stream:
                    yield stream.read(MAX_BYTES)
            except OSError:
                continue
