"""What modules take from `typing`, without importing it: a start of kmslint spends 12 ms less (bench/cold.py).

A type checker sees `typing` itself. When the program runs, annotations mean nothing, and `NamedTuple` makes the classes that
`typing.NamedTuple` makes (tests/unit/test_typed.py compares them) without compiling a constructor from text for each.
"""

import sys

TYPE_CHECKING = False

if TYPE_CHECKING or sys.version_info >= (3, 14):
    # Annotations of Python 3.14 are lazy, and its `typing` knows how.
    from typing import Any as Any
    from typing import Final as Final
    from typing import Literal as Literal
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import TextIO as TextIO
    from typing import Union as Union
    from typing import assert_never as assert_never
    from typing import cast as cast
else:
    from _collections import _tuplegetter

    class _Form:
        """Stands in an annotation, where nothing looks at it."""

        __slots__ = ()

        def __getitem__(self, item):
            return self

        def __or__(self, other):
            return self

        __ror__ = __or__

    Any = Final = Literal = NoReturn = TextIO = Union = _Form()

    class Protocol:
        """A base without meaning: conformance is for the type checker."""

        __slots__ = ()

    def assert_never(value):
        """Raise AssertionError: no value comes here."""
        raise AssertionError(f"expected code to be unreachable, but got: {value!r}")

    def cast(kind, value):
        """`value`, whose type the type checker is told."""
        return value

    new = tuple.__new__
    _CONSTRUCTORS = (
        # by number of fields; a class gets its own with its fields' names
        lambda cls: new(cls, ()),
        lambda cls, a: new(cls, (a,)),
        lambda cls, a, b: new(cls, (a, b)),
        lambda cls, a, b, c: new(cls, (a, b, c)),
        lambda cls, a, b, c, d: new(cls, (a, b, c, d)),
        lambda cls, a, b, c, d, e: new(cls, (a, b, c, d, e)),
        lambda cls, a, b, c, d, e, f: new(cls, (a, b, c, d, e, f)),
        lambda cls, a, b, c, d, e, f, g: new(cls, (a, b, c, d, e, f, g)),
        lambda cls, a, b, c, d, e, f, g, h: new(cls, (a, b, c, d, e, f, g, h)),
        lambda cls, a, b, c, d, e, f, g, h, i: new(cls, (a, b, c, d, e, f, g, h, i)),
        lambda cls, a, b, c, d, e, f, g, h, i, j: new(cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k: new(cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, l: new(cls, (a, b, c, d, e, f, g, h, i, j, k, l)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, l, m: new(cls, (a, b, c, d, e, f, g, h, i, j, k, l, m)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, l, m, n: new(cls, (a, b, c, d, e, f, g, h, i, j, k, l, m, n)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o: new(cls, (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)),
    )
    _Function = type(_CONSTRUCTORS[0])

    def _constructor(name, fields, defaults):
        """`__new__` of the class `name` with these fields, the last of which have these defaults."""
        if len(fields) < len(_CONSTRUCTORS):
            code = _CONSTRUCTORS[len(fields)].__code__.replace(co_name="__new__", co_varnames=("_cls", *fields))
        else:
            names = ", ".join(fields)
            code = eval(f"lambda _cls, {names}: new(_cls, ({names}))", {}).__code__.replace(co_name="__new__")
        made = _Function(code, {"new": new}, "__new__", defaults or None)
        made.__qualname__ = f"{name}.__new__"
        return made

    def _make(cls, values):
        """A new value of the class from a sequence of its fields."""
        made = new(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes):
        """The same value with other values of some fields."""
        made = new(self.__class__, map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self):
        """The fields and their values."""
        return dict(zip(self._fields, self, strict=True))

    def _repr(self):
        return f"{self.__class__.__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    def _getnewargs(self):
        return tuple(self)

    _SHARED = {
        "__slots__": (),
        "_make": classmethod(_make),
        "_replace": _replace,
        "__replace__": _replace,
        "_asdict": _asdict,
        "__repr__": _repr,
        "__getnewargs__": _getnewargs,
    }

    class _NamedTupleMeta(type):
        def __new__(cls, name, bases, space):
            if not bases:
                return type.__new__(cls, name, bases, space)
            fields = tuple(space.get("__annotations__", ()))
            defaults = tuple(space.pop(field) for field in fields if field in space)
            if any(field in space for field in _SHARED):
                raise AttributeError(f"{name} overwrites a part of NamedTuple")
            space |= _SHARED
            space["_fields"] = space["__match_args__"] = fields
            space["_field_defaults"] = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
            space["__new__"] = _constructor(name, fields, defaults)
            for index, field in enumerate(fields):
                space[field] = _tuplegetter(index, None)
            return type(name, (tuple,), space)

    class NamedTuple(metaclass=_NamedTupleMeta):
        """A tuple with named fields: see `typing.NamedTuple`."""
