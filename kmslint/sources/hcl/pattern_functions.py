"""Terraform's functions of regular expressions, where the pattern and the text are known.

Source: HashiCorp, Terraform Language, "regex", "regexall", "replace".
"""

from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Evaluator, Scope
from kmslint.sources.hcl.regular import Match, Pattern, Search, Unsupported, compiled, replaced
from kmslint.sources.hcl.syntax import Call, Place
from kmslint.sources.hcl.values import Failure
from kmslint.tree import NULL, Node
from kmslint.typed import Final

_STEPS: Final = 3
"""Steps of a search that cost as much as the evaluation of one expression."""


def regex(evaluator: Evaluator, call: Call, arguments: list[Node], _: Scope) -> Node | None:
    """The first match: its text, or that of its groups. Raises Failure where there is none."""
    if len(arguments) != 2 or not all(map(values.is_known, arguments)):
        return None
    written, text = (str(values.text_of(argument)) for argument in arguments)
    try:
        pattern = compiled(written)
        search = Search(pattern, text)
        found = search.find(0)
    except Unsupported:
        return None
    evaluator.spend(search.work // _STEPS, call.place)
    if found is None:
        raise Failure("the pattern matches nothing in the text", call.place)
    return _shown(pattern, text, found, call.place)


def regexall(evaluator: Evaluator, call: Call, arguments: list[Node], _: Scope) -> Node | None:
    """All matches, each as `regex` gives one."""
    if len(arguments) != 2 or not all(map(values.is_known, arguments)):
        return None
    written, text = (str(values.text_of(argument)) for argument in arguments)
    try:
        pattern = compiled(written)
        search = Search(pattern, text)
        found = [_shown(pattern, text, match, call.place) for match in search.all()]
    except Unsupported:
        return None
    evaluator.spend(search.work // _STEPS, call.place)
    return None if None in found else values.array([node for node in found if node is not None], call.place)


def replace(evaluator: Evaluator, call: Call, arguments: list[Node], _: Scope) -> Node | None:
    """A text with a part replaced wherever it stands; a part between slashes is a pattern."""
    if len(arguments) != 3 or not all(map(values.is_known, arguments)):
        return None
    text, old, new = (str(values.text_of(argument)) for argument in arguments)
    if len(text) * max(len(new), 1) > values.MAX_TEXT:
        return None
    if not (len(old) > 1 and old.startswith("/") and old.endswith("/")):
        return values.string(text.replace(old, new), call.place)
    try:
        found, work = replaced(compiled(old[1:-1]), text, new)
    except Unsupported:
        return None
    evaluator.spend(work // _STEPS, call.place)
    return values.string(found, call.place) if len(found) <= values.MAX_TEXT else None


def _shown(pattern: Pattern, text: str, match: Match, place: Place) -> Node | None:
    """A match as its text, a list of its groups, or an object of its named groups; None where both kinds of groups stand."""
    groups = [_group(text, match, number, place) for number in range(len(pattern.names) + 1)]
    named = [name for name in pattern.names if name is not None]
    if not pattern.names:
        return groups[0]
    if not named:
        return values.array(groups[1:], place)
    return values.mapping(zip(named, groups[1:], strict=True), place) if len(named) == len(pattern.names) else None


def _group(text: str, match: Match, number: int, place: Place) -> Node:
    start, end = match[2 * number], match[2 * number + 1]
    return Node(NULL, None, place.text, place.start, place.end) if start is None else values.string(text[start:end], place)
