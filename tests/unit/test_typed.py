"""`kmslint.typed.NamedTuple` makes the classes that `typing.NamedTuple` makes."""

import copy
import inspect
import os
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from kmslint import typed

BODIES = {
    "none": "pass",
    "required": "first: int\n    second: str",
    "defaults": "first: int\n    second: str | None = None\n    third: tuple[int, ...] = ()",
    "method": "'''What it means.'''\n    first: int = 1\n\n    def doubled(self):\n        return 2 * self.first",
    "property": "first: int = 1\n\n    @property\n    def next(self):\n        return self.first + 1",
    "index": "index: int = 3\n    count: int = 4",
    "sixteen": "\n    ".join(f"f{number}: int = {number}" for number in range(16)),
    "many": "\n    ".join(f"f{number}: int = {number}" for number in range(40)),
}


def made(base: object, body: str) -> type:
    space = {"Base": base, "__name__": __name__}
    exec(f"class Made(Base):\n    {body}", space)  # noqa: S102  a class body is a parameter here
    return typing.cast("type", space["Made"])


@pytest.fixture(params=BODIES)
def pair(request: pytest.FixtureRequest) -> SimpleNamespace:
    body = BODIES[request.param]
    return SimpleNamespace(ours=made(typed.NamedTuple, body), theirs=made(typing.NamedTuple, body))


def said(call: Callable[[], object]) -> object:
    """What a call gives, or how it fails: the type of the error, not its words, which differ between versions of Python."""
    try:
        return call()
    except TypeError:
        return TypeError
    except ValueError:  # `_replace` of Python 3.11 and 3.12
        return TypeError


def test_the_class_says_the_same_of_itself(pair: SimpleNamespace) -> None:
    for name in ("_fields", "_field_defaults", "__annotations__", "__match_args__", "__module__", "__name__", "__slots__"):
        assert getattr(pair.ours, name) == getattr(pair.theirs, name), name
    assert pair.ours.__bases__ == (tuple,)
    assert type(pair.ours) is type
    parameters = list(inspect.signature(pair.ours).parameters.values())
    assert [(one.name, one.default, one.kind) for one in parameters] == [
        (one.name, one.default, one.kind) for one in inspect.signature(pair.theirs).parameters.values()
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 40, 41])
def test_values_are_made_alike(pair: SimpleNamespace, count: int) -> None:
    arguments = tuple(range(count))
    ours, theirs = (said(lambda kind=kind: kind(*arguments)) for kind in (pair.ours, pair.theirs))  # type: ignore[misc]
    assert ours == theirs
    assert repr(ours) == repr(theirs)
    assert said(lambda: pair.ours._make(arguments)) == said(lambda: pair.theirs._make(arguments))


def test_values_are_made_of_named_fields(pair: SimpleNamespace) -> None:
    named = {name: f"<{name}>" for name in pair.theirs._fields}
    ours, theirs = pair.ours(**named), pair.theirs(**named)
    assert (tuple(ours), ours._asdict(), repr(ours), hash(ours)) == (tuple(theirs), named, repr(theirs), hash(theirs))
    assert [getattr(ours, name) for name in named] == list(named.values())
    assert said(lambda: pair.ours(**named, unknown=1)) is said(lambda: pair.theirs(**named, unknown=1)) is TypeError
    for name in named:
        assert ours._replace(**{name: 0}) == theirs._replace(**{name: 0})
    assert type(ours._replace()) is pair.ours
    assert said(lambda: ours._replace(unknown=1)) is said(lambda: theirs._replace(unknown=1)) is TypeError


def test_members_of_the_class_are_kept() -> None:
    method, next_one = made(typed.NamedTuple, BODIES["method"]), made(typed.NamedTuple, BODIES["property"])
    assert method.__doc__ == "What it means."
    assert method(21).doubled() == 42  # type: ignore[call-arg]
    assert next_one(1).next == 2  # type: ignore[call-arg]


def test_a_missing_field_is_told_as_they_tell_it() -> None:
    for base in (typed.NamedTuple, typing.NamedTuple):
        with pytest.raises(TypeError, match=r"^Made.__new__\(\) missing 1 required positional argument: 'second'$"):
            made(base, BODIES["required"])(1)


def test_values_are_frozen() -> None:
    value = made(typed.NamedTuple, BODIES["required"])(1, "a")
    for name in ("first", "other"):
        with pytest.raises(AttributeError):
            setattr(value, name, 2)
    assert not hasattr(value, "__dict__")


def test_a_part_of_named_tuples_is_not_overwritten() -> None:
    for base in (typed.NamedTuple, typing.NamedTuple):
        with pytest.raises(AttributeError):
            made(base, "first: int\n    def _replace(self):\n        pass")


class Place(typed.NamedTuple):
    """One that pickle can find."""

    line: int
    column: int = 1


def test_values_are_copied_and_pickled() -> None:
    place = Place(3)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        found = pickle.loads(pickle.dumps(place, protocol))  # noqa: S301  our own
        assert (found, type(found)) == (Place(3, 1), Place)
    assert copy.deepcopy(place) == place


def test_values_are_matched_by_position_and_name() -> None:
    match Place(3, 4):
        case Place(line, column=column):
            assert (line, column) == (3, 4)


def test_a_case_that_cannot_be_is_an_error() -> None:
    with pytest.raises(AssertionError):
        typed.assert_never("surprise")  # type: ignore[arg-type]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there, kmslint.typed is typing")
def test_a_check_does_not_import_typing() -> None:
    folder = os.path.dirname(os.path.dirname(typed.__file__))
    script = f"import sys; sys.path.append({folder!r}); import kmslint.cli.check; sys.exit('typing' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", script], check=False).returncode == 0
