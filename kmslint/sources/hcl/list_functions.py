"""Terraform's functions of lists, sets and maps. The items keep their places; those that may not be there are not counted.

Source: HashiCorp, Terraform Language, "Functions", "Collection Functions".
"""

from collections.abc import Iterable

from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope, pairs_of
from kmslint.sources.hcl.syntax import Call
from kmslint.sources.hcl.text_functions import has_marks, integer
from kmslint.sources.hcl.values import Failure
from kmslint.tree import ARRAY, NULL, OBJECT, STRING, UNRESOLVED, Node
from kmslint.typed import Final

MAX_RANGE: Final = 10_000
"""Numbers that `range` makes."""


def concat(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of all lists; an unresolved list stands for any number of items."""
    found: list[Node] = []
    for argument in arguments:
        if argument.kind == UNRESOLVED:
            found.append(values.several(argument))
        elif argument.kind == ARRAY:
            found += argument.items()
        else:
            raise Failure(f"`concat` takes lists, found {argument.kind}", call.place)
    return values.array(found, call.place)


def flatten(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of lists inside lists."""
    if len(arguments) != 1 or arguments[0].kind != ARRAY:
        return None
    return values.array(_flat(arguments[0]), call.place)


def _flat(node: Node) -> list[Node]:
    found: list[Node] = []
    for item in node.items():
        if item.kind == ARRAY:
            found += _flat(item)
        else:
            found.append(values.several(item) if item.kind == UNRESOLVED else item)
    return found


def compact(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items that are neither null nor empty."""
    if len(arguments) != 1 or arguments[0].kind != ARRAY:
        return None
    kept = [item for item in arguments[0].items() if item.kind != NULL and item.value != ""]
    return values.array([values.several(item) if values.is_open(item) else item for item in kept], call.place)


def _unique(items: Iterable[Node]) -> list[Node]:
    found: dict[object, Node] = {}
    for item in items:
        found.setdefault(values.plain(item), item)
    return list(found.values())


def _ordered(items: Iterable[Node]) -> list[Node]:
    """Each item once, as a set has them: texts that are all known in their order, others as they came."""
    found = _unique(items)
    if all(item.kind == STRING and isinstance(item.value, str) for item in found):
        return sorted(found, key=lambda item: str(item.value))
    return found


def distinct(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of a list, each once, as they came."""
    if len(arguments) != 1 or arguments[0].kind not in {ARRAY, NULL}:
        return None
    return arguments[0] if arguments[0].kind == NULL else values.array(_unique(arguments[0].items()), call.place)


def set_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items, each once."""
    if len(arguments) != 1 or arguments[0].kind not in {ARRAY, NULL}:
        return None
    return arguments[0] if arguments[0].kind == NULL else values.array(_ordered(arguments[0].items()), call.place)


def union(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of all sets."""
    found: list[Node] = []
    for argument in arguments:
        found += [values.several(argument)] if argument.kind == UNRESOLVED else argument.items()
    return values.array(_ordered(found), call.place)


def intersection(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items that all sets have."""
    if not arguments or not all(map(values.is_known, arguments)):
        return None
    others = [{values.plain(item) for item in argument.items()} for argument in arguments[1:]]
    kept = [item for item in arguments[0].items() if all(values.plain(item) in other for other in others)]
    return values.array(_ordered(kept), call.place)


def subtraction(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of the first set that the second has not."""
    if len(arguments) != 2 or not all(map(values.is_known, arguments)):
        return None
    gone = {values.plain(item) for item in arguments[1].items()}
    return values.array(_ordered(item for item in arguments[0].items() if values.plain(item) not in gone), call.place)


def as_is(_: Evaluator, __: Call, arguments: list[Node], ___: Scope) -> Node | None:
    """The argument itself: a conversion that changes nothing here."""
    return arguments[0] if len(arguments) == 1 else None


def merge(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The members of all maps; the last of equal names counts."""
    found: dict[str, Node] = {}
    for argument in arguments:
        if argument.kind == NULL:
            continue
        if argument.kind != OBJECT:
            return None
        found |= {member.key: member.value for member in argument.members()}
    return values.mapping(found.items(), call.place)


def keys_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The names of a map, in order."""
    if len(arguments) != 1 or arguments[0].kind != OBJECT:
        return None
    return values.array([values.string(key, call.place) for key in sorted(m.key for m in arguments[0].members())], call.place)


def values_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The values of a map, in the order of their names."""
    if len(arguments) != 1 or arguments[0].kind != OBJECT:
        return None
    return values.array([m.value for m in sorted(arguments[0].members(), key=lambda member: member.key)], call.place)


def lookup(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The value of a name in a map, or the default."""
    if len(arguments) not in {2, 3} or arguments[0].kind != OBJECT or not values.is_known(arguments[1]):
        return None
    found = arguments[0].member(str(values.text_of(arguments[1])))
    if found is None and len(arguments) == 2:
        raise Failure("`lookup` finds nothing", call.place)
    return found if found is not None else arguments[2]


def element(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The item at an index, counted round."""
    if len(arguments) != 2 or arguments[0].kind != ARRAY or not values.is_known(arguments[1]):
        return None
    items = arguments[0].items()
    if any(map(values.is_several, items)):
        return None
    if not items:
        raise Failure("`element` of an empty list", call.place)
    return items[integer(arguments[1]) % len(items)]


def slice_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items from an index up to another."""
    if len(arguments) != 3 or arguments[0].kind != ARRAY or any(map(values.is_several, arguments[0].items())):
        return None
    start, end = integer(arguments[1]), integer(arguments[2])
    if not 0 <= start <= end <= len(arguments[0].items()):
        raise Failure("`slice` leaves the list", call.place)
    return values.array(arguments[0].items()[start:end], call.place)


def reverse_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items, last first."""
    return values.array(arguments[0].items()[::-1], call.place) if arguments and arguments[0].kind == ARRAY else None


def sort_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The texts of a list, in order."""
    if len(arguments) != 1 or arguments[0].kind != ARRAY or not values.is_known(arguments[0]):
        return None
    return values.array(sorted(arguments[0].items(), key=lambda item: str(values.text_of(item))), call.place)


def one(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The only item, or null where there is none."""
    if len(arguments) != 1 or arguments[0].kind != ARRAY or any(map(values.is_several, arguments[0].items())):
        return None
    items = arguments[0].items()
    if len(items) > 1:
        raise Failure("`one` of a list with more than one item", call.place)
    return items[0] if items else values.null(call.place)


def zipmap(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A map of names to values."""
    if len(arguments) != 2 or not values.is_known(arguments[0]) or arguments[1].kind != ARRAY:
        return None
    if any(map(values.is_several, arguments[1].items())) or len(arguments[0].items()) != len(arguments[1].items()):
        return None
    names = [str(values.text_of(item)) for item in arguments[0].items()]
    return values.mapping(zip(names, arguments[1].items(), strict=True), call.place)


def product(evaluator: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Every choice of one item of each set."""
    if any(argument.kind != ARRAY or any(map(values.is_several, argument.items())) for argument in arguments):
        return None
    found: list[tuple[Node, ...]] = [()]
    for argument in arguments:
        evaluator.spend(len(found) * len(argument.items()), call.place)
        found = [(*before, item) for before in found for item in argument.items()]
    return values.array([values.array(items, call.place) for items in found], call.place)


def index_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Where an item first stands in a list. Raises Failure where it stands nowhere."""
    if len(arguments) != 2 or arguments[0].kind != ARRAY or not all(map(values.is_known, arguments)):
        return None
    wanted = values.plain(arguments[1])
    for number, item in enumerate(arguments[0].items()):
        if values.plain(item) == wanted:
            return values.number(number, call.place)
    raise Failure("`index` finds nothing", call.place)


def sum_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The sum of whole numbers."""
    if len(arguments) != 1 or arguments[0].kind != ARRAY or not values.is_known(arguments[0]):
        return None
    if not arguments[0].items():
        raise Failure("`sum` of an empty list", call.place)
    return values.number(sum(map(integer, arguments[0].items())), call.place)


def chunks_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A list cut into lists of a size."""
    if len(arguments) != 2 or arguments[0].kind != ARRAY or not values.is_known(arguments[1]):
        return None
    items, size = arguments[0].items(), integer(arguments[1])
    if any(map(values.is_several, items)) or size < 0:
        return None
    cuts = range(0, len(items), size or max(len(items), 1))
    return values.array([values.array(items[at : at + (size or len(items))], call.place) for at in cuts], call.place)


def matching(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The items of the first list at whose place in the second stands one of the third."""
    if len(arguments) != 3 or arguments[0].kind != ARRAY or not all(map(values.is_known, arguments[1:])):
        return None
    items, names = arguments[0].items(), arguments[1].items()
    if any(map(values.is_several, items)) or len(items) != len(names):
        return None
    wanted = {values.plain(item) for item in arguments[2].items()}
    found = [item for item, name in zip(items, names, strict=True) if values.plain(name) in wanted]
    return values.array(found, call.place)


def transposed(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """A map of lists of texts, turned round."""
    if len(arguments) != 1 or arguments[0].kind != OBJECT or not values.is_known(arguments[0]):
        return None
    found: dict[str, list[Node]] = {}
    for member in sorted(arguments[0].members(), key=lambda member: member.key):
        for item in member.value.items():
            found.setdefault(str(values.text_of(item)), []).append(values.string(member.key, call.place))
    pairs = [(name, values.array(_ordered(found[name]), call.place)) for name in sorted(found)]
    return values.mapping(pairs, call.place)


def coalesce(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """The first argument that is neither null nor empty."""
    for argument in arguments:
        if values.is_open(argument):
            return None
        if not _is_empty(argument):
            return argument
    raise Failure("`coalesce` finds no value", call.place)


def _is_empty(node: Node) -> bool:
    return node.kind == NULL or node.value == "" or (node.kind == ARRAY and not node.items())


def contains(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Whether a list has an item."""
    if len(arguments) != 2 or arguments[0].kind != ARRAY:
        return None
    found = values.plain(arguments[1]) in {values.plain(item) for item in arguments[0].items()}
    if not found and not all(map(values.is_known, arguments)):
        return None
    return values.boolean(found, call.place)


def length_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """How many items or characters there are."""
    if len(arguments) != 1:
        return None
    node = arguments[0]
    if node.kind == STRING:
        return values.number(len(node.value), call.place) if isinstance(node.value, str) and not has_marks(node.value) else None
    if node.kind == UNRESOLVED or any(map(values.is_several, node.items())):
        return None
    pairs = pairs_of(node)
    return None if pairs is None else values.number(len(pairs), call.place)


def range_of(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Numbers from a start, up to a limit, by a step."""
    if not 1 <= len(arguments) <= 3 or not all(map(values.is_known, arguments)):
        return None
    found = range(*map(integer, arguments))
    if len(found) > MAX_RANGE:
        raise values.Limit(f"`range` makes more than {MAX_RANGE:,} numbers", call.place)
    return values.array([values.number(item, call.place) for item in found], call.place)


def all_true(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Whether every item is true."""
    return _quantified(call, arguments, wanted=True)


def any_true(_: Evaluator, call: Call, arguments: list[Node], __: Scope) -> Node | None:
    """Whether some item is true."""
    return _quantified(call, arguments, wanted=False)


def _quantified(call: Call, arguments: list[Node], *, wanted: bool) -> Node | None:
    """`alltrue` (wanted) and `anytrue`: whether no item differs from `wanted`, or the opposite."""
    if len(arguments) != 1 or not values.is_known(arguments[0]):
        return None
    items = [str(values.text_of(item)) == "true" for item in arguments[0].items()]
    return values.boolean(all(items) if wanted else any(items), call.place)
