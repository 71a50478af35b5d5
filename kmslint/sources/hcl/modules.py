"""A module in use: what its names mean, what it calls, and which instances its blocks have.

Source: HashiCorp, Terraform Language, "References to Named Values", "The count Meta-Argument", "The for_each Meta-Argument",
"Modules"; hashicorp/aws provider documentation of the data sources named below.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from kmslint.errors import InputError
from kmslint.sources.hcl import values
from kmslint.sources.hcl.directory import Directory
from kmslint.sources.hcl.expressions import Scope, pairs_of
from kmslint.sources.hcl.providers import Provider, chosen_name, passed_names, provider_named
from kmslint.sources.hcl.reader import read_template
from kmslint.sources.hcl.subjects import attribute_of
from kmslint.sources.hcl.syntax import Argument, Block, Conditional, Expression, Literal, Place
from kmslint.sources.hcl.syntax import Variable as Name
from kmslint.sources.hcl.values import Failure, Limit
from kmslint.sources.hcl.world import Instance, World
from kmslint.tree import ARRAY, NULL, NUMBER, OBJECT, Node
from kmslint.typed import Final

MAX_MODULES: Final = 2_000
"""Module instances of one root module."""

MAX_NESTING: Final = 20
"""Module calls inside each other."""


class Module:
    """One module instance. Values are computed when first asked for, and kept."""

    def __init__(
        self,
        world: World,
        directory: Directory,
        *,
        address: str = "",
        inputs: Mapping[str, Callable[[], Node]] | None = None,
        parent: "Module | None" = None,
        passed: Mapping[str, str] | None = None,
    ) -> None:
        self.world = world
        self.directory = directory
        self.address = address
        self.inputs = inputs or {}
        self.parent = parent
        self.root: Module = parent.root if parent else self
        self.passed = passed or {}
        self.scope = Scope(self, {})
        self._values: dict[tuple[str, str], Node] = {}
        self._active: set[tuple[str, str]] = set()
        self._instances: dict[int, list[Instance]] = {}
        self._children: dict[str, Module] = {}
        self._installed: Mapping[str, str] | None = None

    # what names mean

    def reference(self, root: str, name: str, place: Place) -> Node | None:
        """The value of `root.name`; None where this module has no such thing."""
        if root == "var":
            return self.variable(name, place)
        if root == "local":
            return self.local(name)
        if root == "path":
            return self.path(name, place)
        if root == "module":
            return self.called(name, place)
        if root == "data":
            symbol = self.named(f"data.{name}")
            self.world.subjects.setdefault(symbol, lambda inner, where: self.block_value("data", name, inner, where))
            return values.unresolved(symbol, place)
        return self.block_value("resource", root, name, place) if (root, name) in self.directory.resources else None

    def named(self, name: str) -> str:
        """The name of something in this module, as the whole tree of modules knows it."""
        return f"{self.address}.{name}" if self.address else name

    def member(self, symbol: str, name: str, place: Place) -> Node | None:
        """The attribute `name` of what a symbol stands for."""
        subject = self.world.subjects.get(symbol)
        found = subject(name, place) if subject else None
        if found is None and name == "arn" and symbol in self.world.objects:
            return values.closed(values.unresolved(f"{symbol}.arn", place))
        return found

    def item(self, symbol: str, key: str, place: Place) -> Node | None:
        """The instance `key` of a block whose instances are not all known: nothing is known of it but its name."""
        subject = self.world.subjects.get(f"{symbol}[]")
        return subject(key, place) if subject else None

    def is_object(self, symbol: str) -> bool:
        """Whether the symbol stands for exactly one object."""
        return symbol in self.world.objects

    def file(self, path: str) -> Node | None:
        """The text of a file."""
        text = self.world.files.text(self.resolved(path))
        return None if text is None else Node("string", text.content, text, 0, len(text.content))

    def template(self, path: str) -> Expression | None:
        """The template in a file."""
        text = self.world.files.text(self.resolved(path))
        return None if text is None else read_template(text)

    def resolved(self, path: str) -> str:
        """A path of the configuration, which is relative to the root module, as the files know it."""
        return os.path.normpath(os.path.join(self.root.directory.path, path))

    def path(self, name: str, place: Place) -> Node | None:
        """`path.module` and its like, relative to the root module."""
        if name == "module":
            return values.string(os.path.relpath(self.directory.path or ".", self.root.directory.path or "."), place)
        return values.string(".", place) if name in {"root", "cwd"} else None

    def once(self, kind: str, name: str, place: Place, compute: Callable[[], Node]) -> Node:
        """The value of something named, computed once. Raises Limit where it refers to itself."""
        key = (kind, name)
        found = self._values.get(key)
        if found is None:
            if key in self._active:
                raise Limit(f"`{kind}.{name}` refers to itself", place)
            self._active.add(key)
            try:
                found = self._values[key] = compute() if kind == "local" else self.world.evaluator.deeper(place, compute)
            finally:
                self._active.discard(key)
        return found

    def local(self, name: str) -> Node | None:
        """The value of a local."""
        argument = self.directory.locals.get(name)
        if argument is None:
            return None
        return self.once("local", name, argument.place, lambda: self.value(argument, self.scope))

    def value(self, argument: Argument, scope: Scope) -> Node:
        """The value of an argument; what has none is a symbol."""
        expression = argument.expression()
        try:
            return self.world.evaluator.evaluate(expression, scope)
        except Failure:
            return self.world.evaluator.symbol(expression, scope)

    def read(self, argument: Argument, scope: Scope) -> Node:
        """The value of an argument of interest: past a budget, or in a text that is no HCL, it is a symbol and an error."""
        try:
            return self.value(argument, scope)
        except (Limit, InputError) as error:
            self.world.report(error)
            name = values.shown(argument.place.written().partition("=")[2].strip() or argument.name)
            return values.unresolved(self.named(name), argument.place)

    def variable(self, name: str, place: Place) -> Node:
        """The value of a variable: given, or its default; else a symbol."""
        return self.once("var", name, place, lambda: self._variable(name, place))

    def _variable(self, name: str, place: Place) -> Node:
        block = self.directory.variables.get(name)
        given = self.inputs.get(name)
        symbol = values.unresolved(self.named(f"var.{name}"), block.place if block else place)
        found = given() if given else None
        if block is None:
            return found or symbol
        default = block.argument("default")
        nullable = block.argument("nullable")
        is_kept = nullable is None or self.value(nullable, self.scope).value is not False
        if found is None or (found.kind == NULL and not is_kept):
            found = symbol if default is None else self.value(default, self.scope)
        kind = block.argument("type")
        if kind is None:
            return found
        type = kind.expression()
        if found is symbol and isinstance(type, Name) and type.name in {"string", "number", "bool"}:
            return values.closed(found)
        return self.converted(found, type)

    def converted(self, node: Node, type: Expression) -> Node:
        """The value as its type constraint makes it."""
        from kmslint.sources.hcl.constraints import converted

        return converted(node, type, self.world.evaluator, self.scope)

    def output(self, name: str) -> Node | None:
        """The value of an output."""
        block = self.directory.outputs.get(name)
        argument = block.argument("value") if block else None
        if argument is None:
            return None
        return self.once("output", name, argument.place, lambda: self.value(argument, self.scope))

    # blocks and their instances

    def block_value(self, kind: str, type: str, name: str, place: Place) -> Node | None:
        """What `type.name` stands for: one object, a list, a map, or a symbol."""
        table = self.directory.resources if kind == "resource" else self.directory.data
        block = table.get((type, name))
        label = f"{type}.{name}" if kind == "resource" else f"data.{type}.{name}"
        if block is None:
            return None
        return self._collected(block, self.instances(block, label), self.named(label), place, self._register)

    def _collected(
        self, block: Block, instances: Sequence[Instance], address: str, place: Place, register: "Callable[[Instance], None]"
    ) -> Node:
        """The value of a block by its instances."""
        if not instances:
            return values.array((), place)
        for instance in instances:
            register(instance)
        if instances[0].key is None:
            return values.unresolved(address, place)
        if instances[0].doubt is not None or instances[0].key == "*":
            found = {instance.key: instance for instance in instances}

            def choose(key: str, where: Place) -> Node | None:
                chosen = found.get(key)
                return None if chosen is None else values.unresolved(chosen.address, where)

            self.world.subjects[f"{address}[]"] = choose
            return values.unresolved(address, place)
        items = [values.unresolved(instance.address, place) for instance in instances]
        if block.argument("count") is not None:
            return values.array(items, place)
        names = [str(json.loads(instance.key or '""')) for instance in instances]
        return values.mapping(zip(names, items, strict=True), place)

    def _register(self, instance: Instance) -> None:
        self.world.objects.add(instance.address)
        self.world.subjects.setdefault(instance.address, lambda name, place: attribute_of(self, instance, name, place))

    def instances(self, block: Block, label: str) -> list[Instance]:
        """The instances of a block, in order."""
        found = self._instances.get(id(block))
        if found is None:
            key = ("instances", label)
            if key in self._active:
                raise Limit(f"`{label}` refers to itself", block.place)
            self._active.add(key)
            try:
                found = self._instances[id(block)] = list(self._instances_of(block, self.named(label)))
            finally:
                self._active.discard(key)
        return found

    def _instances_of(self, block: Block, address: str) -> Iterator[Instance]:
        count, for_each = block.argument("count"), block.argument("for_each")
        if count is not None:
            return self._counted(block, address, count)
        if for_each is not None:
            return self._each(block, address, for_each)
        return iter((Instance(block, self.scope, address, None),))

    def _counted(self, block: Block, address: str, count: Argument) -> Iterator[Instance]:
        value = self.read(count, self.scope)
        written = values.shown(count.place.written())
        number = int(str(value.value)) if value.kind == NUMBER and str(value.value).isdigit() else None
        doubt = None
        if number is None:
            number = 1
            doubt = f"`{written}` decides whether it is there"
            if not _is_switch(count.expression()):
                open_ = values.unresolved(self.named("count.index"), count.place)
                yield Instance(block, self._counting(open_, count.place), f"{address}[*]", "*", doubt)
                return
        elif number == 0 and not isinstance(count.expression(), Literal):
            number = 1
            doubt = f"`{written}` is 0 with the values that are known"
        for index in range(min(number, MAX_MODULES)):
            scope = self._counting(values.number(index, count.place), count.place)
            yield Instance(block, scope, f"{address}[{index}]", str(index), doubt)

    def _counting(self, index: Node, place: Place) -> Scope:
        return self.scope.bind(count=values.mapping([("index", index)], place))

    def _each(self, block: Block, address: str, for_each: Argument) -> Iterator[Instance]:
        value = self.read(for_each, self.scope)
        written = values.shown(for_each.place.written())
        pairs = None if value.kind == NULL else pairs_of(value) if value.kind in {ARRAY, OBJECT} else None
        if pairs is None or any(not values.is_known(key) for key, _ in pairs):
            yield Instance(block, self.scope, f"{address}[*]", "*", f"`{written}` decides whether it is there")
        elif not pairs:
            if not isinstance(for_each.expression(), Literal):
                yield Instance(block, self.scope, f"{address}[*]", "*", f"`{written}` is empty with the values that are known")
        elif value.kind == ARRAY and not all(map(values.is_known, value.items())):
            yield Instance(block, self.scope, f"{address}[*]", "*", f"`{written}` decides how often it is there")
        else:
            for key, item in pairs[:MAX_MODULES]:
                name = key if value.kind == OBJECT else values.string(values.text_of(item), values.place_of(item))
                label = json.dumps(str(name.value), ensure_ascii=False)
                each = values.mapping([("key", name), ("value", item)], for_each.place)
                yield Instance(block, self.scope.bind(each=each), f"{address}[{label}]", label)

    # modules that this one calls

    def called(self, name: str, place: Place) -> Node | None:
        """What `module.name` stands for; None for a module whose code is not here."""
        block = self.directory.modules.get(name)
        if block is None or self.source_of(name, block) is None:
            return None
        return self._collected(
            block, self.instances(block, f"module.{name}"), self.named(f"module.{name}"), place, self._register_module
        )

    def _register_module(self, instance: Instance) -> None:
        self.world.objects.add(instance.address)

        def output(name: str, _: Place) -> Node | None:
            child = self.child(instance)
            return child.output(name) if child else None

        self.world.subjects.setdefault(instance.address, output)

    def source_of(self, name: str, block: Block) -> str | None:
        """The folder of a called module, if it is at hand: a local path, or one that `terraform init` has installed."""
        argument = block.argument("source")
        value = self.value(argument, self.scope) if argument is not None else None
        source = value.value if value is not None and isinstance(value.value, str) else ""
        if source.startswith(("./", "../")) or source in {".", ".."}:
            path = os.path.normpath(os.path.join(self.directory.path, source))
        else:
            path = self.root.installed().get(".".join([*_call_names(self.address), name]), "")
            path = os.path.normpath(os.path.join(self.root.directory.path, path)) if path else ""
        return path if path and self.world.files.names(path) else None

    def installed(self) -> Mapping[str, str]:
        """The folders that `terraform init` has installed modules in, by the names of the calls that lead to them."""
        if self._installed is None:
            text = self.world.files.text(os.path.join(self.directory.path, ".terraform", "modules", "modules.json"))
            self._installed = _manifest(text.content) if text else {}
        return self._installed

    def child(self, instance: Instance) -> "Module | None":
        """The module that one instance of a module block makes; None where its code is not here."""
        found = self._children.get(instance.address)
        if found is not None:
            return found
        block = instance.block
        path = self.source_of(block.labels[0], block)
        if path is None:
            return None
        chain = [module.directory.path for module in self.chain()]
        if path in chain:
            raise Limit(f"the module `{values.shown(path)}` calls itself", block.place)
        if len(chain) >= MAX_NESTING:
            raise Limit(f"modules are nested more than {MAX_NESTING} deep", block.place)
        self.world.modules += 1
        if self.world.modules > MAX_MODULES:
            raise Limit(f"there are more than {MAX_MODULES:,} module instances", block.place)
        inputs = {
            name: self._input(argument, instance.scope)
            for name, argument in block.body().arguments.items()
            if name not in {"source", "version", "count", "for_each", "providers", "depends_on"}
        }
        found = self._children[instance.address] = Module(
            self.world,
            self.world.directory(path),
            address=instance.address,
            inputs=inputs,
            parent=self,
            passed=passed_names(block),
        )
        return found

    def _input(self, argument: Argument, scope: Scope) -> Callable[[], Node]:
        return lambda: self.value(argument, scope)

    def chain(self) -> "Iterator[Module]":
        """This module and those around it."""
        module: Module | None = self
        while module is not None:
            yield module
            module = module.parent

    def children(self) -> "Iterator[tuple[Instance, Module]]":
        """The modules that this one calls, as far as their code is here."""
        for name, block in self.directory.modules.items():
            try:
                if self.source_of(name, block) is None:
                    continue
                for instance in self.instances(block, f"module.{name}"):
                    child = self.child(instance)
                    if child is not None:
                        yield instance, child
            except (Limit, InputError, Failure) as error:
                self.world.report(error if not isinstance(error, Failure) else Limit(error.message, error.place))

    # providers

    def provider(self, block: Block) -> Provider:
        """The provider configuration of a block."""
        return self.provider_called(chosen_name(block))

    def provider_called(self, name: str) -> Provider:
        """The provider configuration that this module knows under a name."""
        if self.parent is None:
            return provider_named(name, self.directory.providers)
        if name in self.passed:
            return self.parent.provider_called(self.passed[name])
        if "." not in name and not any(block.labels[0] == name for block in self.directory.providers):
            return self.parent.provider_called(name)
        return provider_named(name, self.directory.providers)


def _is_switch(expression: Expression) -> bool:
    """Whether a count is `… ? 1 : 0` or the like: at most one instance, which then has the index 0."""
    if not isinstance(expression, Conditional):
        return False
    return all(isinstance(side, Literal) and side.value in {"0", "1"} for side in (expression.then, expression.otherwise))


def _call_names(address: str) -> list[str]:
    """The names of the calls in a module's address, without instance keys."""
    found: list[str] = []
    rest = address
    while rest.startswith("module."):
        rest = rest.removeprefix("module.")
        name = rest
        for index, char in enumerate(rest):
            if char in ".[":
                name = rest[:index]
                break
        found.append(name)
        after = rest.find("module.", len(name))
        rest = rest[after:] if after >= 0 else ""
    return found


def _manifest(content: str) -> Mapping[str, str]:
    try:
        listed = json.loads(content)["Modules"]
        return {str(entry["Key"]): str(entry["Dir"]) for entry in listed}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
