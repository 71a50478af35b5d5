"""The configuration inside a plan: which expressions an argument has, and what they refer to.

Source: HashiCorp, Terraform, "JSON Output Format", "Configuration Representation", "Expression Representation".
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from kmslint.typed import Any, Final, NamedTuple

MAX_NESTING: Final = 30
"""Modules, or references through variables and outputs, inside each other."""

_INDEX: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')
_BLOCK: Final = re.compile(r"^(?:data\.)?[\w-]+\.[\w-]+")

Object = Mapping[str, Any]


class Configured(NamedTuple):
    """A resource block of the configuration."""

    path: tuple[str, ...]
    address: str
    expressions: Object
    provider: str


class Configuration:
    """The resource blocks of a configuration, by the path of module calls and their address."""

    def __init__(self, value: object) -> None:
        self.modules: dict[tuple[str, ...], Object] = {}
        self.calls: dict[tuple[str, ...], Object] = {}
        self.resources: dict[tuple[tuple[str, ...], str], Configured] = {}
        root = mapping(mapping(value).get("root_module"))
        self.providers = mapping(mapping(value).get("provider_config"))
        self._collect(root, ())

    def _collect(self, root: Object, at: tuple[str, ...]) -> None:
        todo: list[tuple[Object, tuple[str, ...]]] = [(root, at)]
        while todo:
            module, path = todo.pop()
            self.modules[path] = module
            for resource in mappings(module.get("resources")):
                address = str(resource.get("address", ""))
                found = Configured(
                    path, address, mapping(resource.get("expressions")), str(resource.get("provider_config_key", ""))
                )
                self.resources[path, address] = found
            if len(path) < MAX_NESTING:
                for name, call in mapping(module.get("module_calls")).items():
                    self.calls[*path, name] = mapping(call)
                    todo.append((mapping(mapping(call).get("module")), (*path, name)))

    def block(self, address: str) -> Configured | None:
        """The block of a resource instance."""
        path, rest = split(address)
        return self.resources.get((tuple(name for name, _ in path), _INDEX.sub("", rest)))

    def blocks_named(self, references: Sequence[str], path: tuple[str, ...]) -> set[tuple[tuple[str, ...], str]]:
        """The resource blocks that references lead to, through variables and outputs."""
        found: set[tuple[tuple[str, ...], str]] = set()
        todo = [(reference, path) for reference in references]
        known = set(todo)
        while todo:
            reference, here = todo.pop()
            plain = _INDEX.sub("", reference)
            match = _BLOCK.match(plain)
            if match and (here, match.group()) in self.resources:
                found.add((here, match.group()))
            fresh = [entry for entry in self._through(plain, here) if entry not in known]
            known.update(fresh)
            todo += fresh
        return found

    def _through(self, reference: str, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What a reference to a variable or to an output refers to in turn."""
        parts = reference.split(".")
        if parts[0] == "var" and len(parts) > 1 and path:
            call = self.calls.get(path, {})
            yield from ((name, path[:-1]) for name in references_in(mapping(call.get("expressions")).get(parts[1])))
        elif parts[0] == "module" and len(parts) > 2:
            inner = (*path, parts[1])
            output = mapping(self.modules.get(inner, {}).get("outputs")).get(parts[2])
            yield from ((name, inner) for name in references_in(mapping(output).get("expression")))


def split(address: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """The module calls (name, index or empty) of an address, and the rest of it."""
    path: list[tuple[str, str]] = []
    rest = address
    while rest.startswith("module."):
        name = re.match(r"module\.([\w-]+)", rest)
        if name is None:
            break
        rest = rest[name.end() :]
        index = _INDEX.match(rest)
        path.append((name.group(1), index.group() if index else ""))
        rest = rest[index.end() if index else 0 :].removeprefix(".")
    return tuple(path), rest


def references_in(expression: object) -> list[str]:
    """What an expression refers to, the longest form of each first."""
    found: list[str] = []
    todo: list[object] = [expression]
    while todo:
        part = todo.pop()
        if isinstance(part, Mapping):
            listed = part.get("references")
            if isinstance(listed, list):
                found += [str(name) for name in listed]
            else:
                todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return found


def mapping(value: object) -> Object:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Object]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
