"""The base of JavaScript's objects, its functions and promises, and what a value becomes on its way in and out.

A JavaScript class is a Python class that derives from `JsObject`. Every name of it without a leading underscore is one
of JavaScript's, in its spelling.
Source: Pyodide 314.0.7, "Type translations"; observed with workers-runtime-sdk 1.9.5.
"""

from __future__ import annotations

import asyncio
import inspect
import keyword
import os
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, MutableMapping, Sequence
from importlib import import_module
from types import FunctionType
from typing import Any, ClassVar, Self, TypeVar

from durable_engine import JsBigInt, JsException, JsNull, JsProxy, hide_frames, js_number_text, jsnull

from .tasks import Waiting, keep_running, others_are_ready

# Of the whole room; not in its __init__, which a pytest run without a Worker imports too.
hide_frames(os.path.dirname(__file__) + os.sep)

F = TypeVar("F", bound=Callable[..., Any])

MAX_SAFE = 2**53 - 1
"""The largest int that is a number; a larger one becomes a bigint."""


def js_error(name: str, message: str) -> JsException:
    """The exception that JavaScript throws, as Python code gets it.

    Args:
        name: The error's name: `"TypeError"`.
        message: Its text.
    """
    return JsException(name, message)


def noted(error: JsException, note: str) -> JsException:
    """An error whose text is the platform's to the letter, with a note of ours that says what to write instead.

    Args:
        error: The error.
        note: The note, as a sentence.
    """
    error.fact = note  # kept out of what crosses as the error's text
    error.add_note(note)
    return error


# -- a value on its way in and out -------------------------------------------------------------------------------------


def from_python(value: Any) -> Any:
    """The value that a JavaScript function gets where Python code hands one over: Pyodide's implicit conversion."""
    convert = _FROM_PYTHON.get(type(value))
    if convert is not None:
        return convert(value)
    if isinstance(value, JsProxy | JsNull | JsBigInt | str | bool):
        return value
    if isinstance(value, int):
        return _number_or_bigint(int(value))
    if isinstance(value, float):
        return number(value)
    return PyProxy(value)


def to_python(value: Any) -> Any:
    """The value that Python code gets where JavaScript gives one: an object of Python's comes back as itself."""
    return value._object if type(value) is PyProxy else value


def number(value: float) -> int | float:
    """A number as Python code gets it: an int where it is whole, and no larger than is exact."""
    if value.is_integer() and -MAX_SAFE <= value <= MAX_SAFE:
        return int(value)
    return value


def _number_or_bigint(value: int) -> int:
    return value if -MAX_SAFE <= value <= MAX_SAFE else JsBigInt(value)


def _same(value: Any) -> Any:
    return value


_FROM_PYTHON: dict[type, Callable[[Any], Any]] = {
    type(None): _same,
    str: _same,
    bool: _same,
    int: _number_or_bigint,
    float: number,
    JsNull: _same,
    JsBigInt: _same,
}


# -- functions ---------------------------------------------------------------------------------------------------------


class _Promised:
    """A method that gives a promise, until its class takes it up."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


def promised(function: F) -> F:
    """Mark a method of a JavaScript class as one that gives a promise.

    A plain method runs at once, whether the promise is awaited or not; what it raises rejects the promise. A coroutine
    function runs as a task.
    """
    return _Promised(function)  # type: ignore[return-value]


class JsFunction(JsProxy):
    """A function of JavaScript.

    Args:
        function: The Python function that does the work; it takes and gives JavaScript's values.
        name: The function's name.
        is_promised: Whether it gives a promise.
        most: How many positional arguments it takes at most; further ones are ignored. None for any number.
        least: How many it needs; missing ones are undefined.
    """

    _js_class: ClassVar[str] = "Function"

    def __init__(
        self,
        function: Callable[..., Any],
        name: str = "",
        *,
        is_promised: bool = False,
        most: int | None = None,
        least: int = 0,
    ) -> None:
        self._function, self._name, self._is_promised = function, name, is_promised
        self._most, self._least = most, least

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def typeof(self) -> str:
        """What JavaScript's `typeof` says."""
        return "function"

    @property
    def constructor(self) -> JsConstructor:
        """The constructor `Function`."""
        return constructor_of(type(self))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it from Python: arguments are converted as Pyodide does, keywords are one more object."""
        return to_python(self.call_js(_arguments(args, kwargs)))

    def call_js(self, values: list[Any]) -> Any:
        """Call it with values of JavaScript.

        Args:
            values: The arguments.

        Returns:
            A value of JavaScript.
        """
        if self._most is not None and len(values) > self._most:
            values = values[: self._most]
        if len(values) < self._least:
            values = values + [None] * (self._least - len(values))
        if not self._is_promised:
            return self._function(*values)
        try:
            result = self._function(*values)
        except Exception as error:
            return JsPromise.rejected(error)
        if isinstance(result, JsPromise):
            return result
        if inspect.iscoroutine(result):
            return JsPromise.running(result)
        return JsPromise.resolved(result)

    def bind(self, this: Any = None, *values: Any) -> JsFunction:
        """JavaScript's `bind`: the function with its first arguments."""
        first = [from_python(value) for value in values]
        return JsFunction(lambda *rest: self.call_js([*first, *rest]), f"bound {self._name}")

    def call(self, this: Any = None, *values: Any) -> Any:
        """JavaScript's `call`: call it; what `this` is makes no difference here."""
        return self(*values)

    def apply(self, this: Any = None, values: Any = ()) -> Any:
        """JavaScript's `apply`: call it with the items of an array."""
        return self(*values)

    @property
    def js_id(self) -> int:
        """A number that tells functions apart."""
        return id(self)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """The function itself: there is no Python value for one."""
        return self

    def _crossing(self) -> Any:
        return self.__call__  # a callable: storage refuses it

    def __repr__(self) -> str:
        return f"function {self._name}() {{ [native code] }}"


def _arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments of a call from Python as JavaScript gets them: keywords are one more object."""
    values = [from_python(value) for value in args]
    if kwargs:
        values.append(JsPlain({key: from_python(value) for key, value in kwargs.items()}))
    return values


class _Method:
    """A method of a JavaScript class: looked up on an object it is a `JsFunction`."""

    __slots__ = ("_is_promised", "_least", "_most", "_name", "function")

    def __init__(self, function: Callable[..., Any], name: str, *, is_promised: bool) -> None:
        self.function = function
        self._name = name
        self._is_promised = is_promised
        self._most, self._least = _arity(function)

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self.function
        return JsFunction(
            self.function.__get__(instance),
            self._name,
            is_promised=self._is_promised,
            most=self._most,
            least=self._least,
        )


def _arity(function: Callable[..., Any], bound: bool = True) -> tuple[int | None, int]:
    """The most and the least positional arguments of a function, without self."""
    parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    most = None if any(one.kind is one.VAR_POSITIONAL for one in parameters) else len(parameters)
    least = sum(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters
    )
    return most, least


# -- objects -----------------------------------------------------------------------------------------------------------


class JsObject(JsProxy):
    """Base of the objects of JavaScript.

    A subclass is a class of JavaScript: its public methods, properties and class attributes are JavaScript's. Its
    constructor's name is the Python class's, or what `js_class=` says. Static methods are reached through the
    constructor.

    Example:
        >>> class Counter(JsObject):
        ...     def __init__(self):
        ...         self._count = 0
        ...     def add(self, by=1):
        ...         self._count += by
        ...         return self._count
        >>> Counter().constructor.name
        'Counter'
    """

    _js_class: ClassVar[str] = "Object"
    _own: ClassVar[tuple[str, ...]] = ()
    """The names of the properties that JavaScript finds on an object itself, rather than on its prototype."""
    _rest_in: ClassVar[str] = ""
    """The module that gives the class those of its methods which no conversion needs; empty once it did."""

    def __init__(self) -> None: ...

    def __init_subclass__(cls, *, js_class: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._js_class = js_class or cls.__name__
        # Python code on the platform sees one class for all of them; which one of JavaScript's, `constructor` says.
        cls.__module__, cls.__name__, cls.__qualname__ = "pyodide.ffi", "JsProxy", "JsProxy"
        for name, value in list(vars(cls).items()):
            if name.startswith("_") or name in _OF_PROXIES:
                continue
            if isinstance(value, _Promised):
                setattr(cls, name, _Method(value.function, name, is_promised=True))
            elif isinstance(value, FunctionType):
                setattr(cls, name, _Method(value, name, is_promised=False))
        _give_operators(cls)

    @classmethod
    def _add_method(cls, name: str, function: Callable[..., Any]) -> None:
        """Give the class a method that is made by other code."""
        setattr(cls, name, _Method(function, name, is_promised=False))

    @classmethod
    def _complete(
        cls,
        methods: Mapping[str, Callable[..., Any]],
        statics: Mapping[str, Callable[..., Any]],
        construct: Callable[..., Any] | None = None,
    ) -> None:
        """Give the class the methods that no conversion needs.

        Args:
            methods: Its objects' methods, by their names.
            statics: Its constructor's functions, by their names.
            construct: JavaScript's `new`; None for the class's own.
        """
        cls._rest_in = ""
        for name, method in methods.items():
            cls._add_method(name, method)
        for name, function in statics.items():
            setattr(cls, f"_static_{name}", staticmethod(function))
        if construct is not None:
            cls._construct = classmethod(construct)  # type: ignore[assignment,method-assign]

    @classmethod
    def _construct(cls, *args: Any) -> JsProxy:
        """JavaScript's `new`, with JavaScript's values."""
        return cls(*args)

    @property
    def constructor(self) -> JsConstructor:
        """The constructor of its class."""
        return constructor_of(type(self))

    @property
    def typeof(self) -> str:
        """What JavaScript's `typeof` says."""
        return "object"

    @property
    def js_id(self) -> int:
        """A number that tells objects apart."""
        return id(self)

    def object_keys(self) -> JsArray:
        """JavaScript's `Object.keys`."""
        return JsArray(list(self._properties()))

    def object_values(self) -> JsArray:
        """JavaScript's `Object.values`."""
        return JsArray(list(self._properties().values()))

    def object_entries(self) -> JsArray:
        """JavaScript's `Object.entries`."""
        return JsArray([JsArray([key, value]) for key, value in self._properties().items()])

    def as_object_map(self, *, hereditary: bool = False) -> ObjectMap:
        """A mapping of the object's properties, which can be changed through it.

        Args:
            hereditary: Whether an object that is read from it is such a mapping too.
        """
        return ObjectMap(self, is_hereditary=hereditary, reads_arrays=False)

    def as_py_json(self) -> Any:
        """A mapping or sequence of the object's properties or items, as Python's JSON would be, all the way down."""
        return self if isinstance(self, JsArray) else ObjectMap(self, is_hereditary=True, reads_arrays=True)

    def _properties(self) -> dict[str, Any]:
        """The properties that the object itself has; those of a class are its prototype's."""
        own = {name: from_python(getattr(self, name)) for name in self._own}
        return own | {name: from_python(value) for name, value in vars(self).items() if not name.startswith("_")}

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """The Python value; the object itself, where there is none and `default_converter` makes none.

        Args:
            depth: How many levels to convert; -1 for all.
            default_converter: Makes the value of an object without one, given the object, a function that converts
                further values, and one that is accepted for the platform's sake.
        """
        if default_converter is None or depth == 0:
            return self
        return default_converter(self, lambda value: to_py(value, depth, default_converter), lambda *_: None)

    def _crossing(self) -> Any:
        return _Uncloneable(self._js_class)

    def _text(self) -> str:
        """JavaScript's `String(object)`."""
        return f"[object {self._js_class}]"

    def __getattr__(self, name: str) -> Any:
        if _load_rest(type(self)):
            return getattr(self, name)
        raise AttributeError(name)

    def __repr__(self) -> str:
        return self._text()

    def __bool__(self) -> bool:
        return True


_OF_PROXIES = frozenset(
    {
        *("as_object_map", "as_py_json"),
        *("to_py", "js_id", "typeof", "constructor", "object_keys", "object_values", "object_entries"),
        *("to_bytes", "to_memoryview", "to_string", "assign", "assign_to", "to_file", "from_file", "into_file"),
    }
)
"""What Pyodide gives every proxy: Python's, not JavaScript's."""


def _give_operators(cls: type[JsObject]) -> None:
    """Give a class Python's operators for those methods of it that do the same, as Pyodide does for any object."""
    for method, operator, function in _OPERATORS:
        if method in vars(cls) and not any(operator in vars(base) for base in cls.__mro__):
            setattr(cls, operator, function)


def _get_item(self: Any, key: Any) -> Any:
    found = self.get(key)
    if found is None and not (hasattr(self, "has") and self.has(key)):
        raise KeyError(key)
    return found


def _set_item(self: Any, key: Any, value: Any) -> None:
    self.set(key, value)


def _del_item(self: Any, key: Any) -> None:
    self.delete(key)


def _contains(self: Any, key: Any) -> bool:
    return bool(self.has(key))


def _length(self: Any) -> int:
    return int(self.length)


def _size(self: Any) -> int:
    return int(self.size)


_OPERATORS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("get", "__getitem__", _get_item),
    ("set", "__setitem__", _set_item),
    ("delete", "__delitem__", _del_item),
    ("has", "__contains__", _contains),
    ("length", "__len__", _length),
    ("size", "__len__", _size),
)


def _load_rest(made: type) -> bool:
    """Have a class given the methods that no conversion needs; whether it had to be."""
    if not getattr(made, "_rest_in", ""):
        return False
    for base in made.__mro__:
        if module := vars(base).get("_rest_in"):
            base._rest_in = ""  # type: ignore[attr-defined]  # no second time, also while the module is being loaded
            import_module(f"{__package__}.{module}")
    return True


class _Uncloneable:
    """What an object crosses the boundary as that JavaScript cannot clone: nothing."""

    def __init__(self, name: str) -> None:
        self.name = name


class JsConstructor(JsFunction):
    """The constructor of a class, as `js.Headers` or `value.constructor`: `new` makes an object.

    Args:
        made: The class.
    """

    def __init__(self, made: Any) -> None:
        super().__init__(made, getattr(made, "_js_class", made.__name__))
        self._class = made

    def new(self, *args: Any, **kwargs: Any) -> Any:
        """Make an object; keywords are one more object, as in any call."""
        return to_python(self._class._construct(*_arguments(args, kwargs)))

    def call_js(self, values: list[Any]) -> Any:
        """Call it without `new`, which most classes refuse."""
        made = getattr(self._class, "_call", None)
        if made is not None:
            return made(*values)
        raise js_error("TypeError", f"Class constructor {self._name} cannot be invoked without 'new'")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for base in self._class.__mro__:
                found = vars(base).get(f"_static_{name}", vars(base).get(name))
                if found is None and keyword.iskeyword(name):
                    found = vars(base).get(f"_static_{name}_", vars(base).get(f"{name}_"))
                if isinstance(found, staticmethod):
                    function: Any = found.__func__
                    is_promised = isinstance(function, _Promised)
                    function = function.function if is_promised else function
                    most, least = _arity(function, bound=False)
                    made = JsFunction(function, name, is_promised=is_promised, most=most, least=least)
                    self.__dict__[name] = made  # the next time it is there
                    return made
                if found is not None and isinstance(found, int | float | str):
                    return found
        raise AttributeError(name)


for _class in (JsObject, JsFunction, JsConstructor):
    _class.__module__, _class.__name__, _class.__qualname__ = "pyodide.ffi", "JsProxy", "JsProxy"


_constructors: dict[type, JsConstructor] = {}


def constructor_of(made: type) -> JsConstructor:
    """The one constructor of a JavaScript class."""
    found = _constructors.get(made)
    if found is None:
        found = _constructors[made] = JsConstructor(made)
        _load_rest(made)
    return found


class JsPlain(JsObject, js_class="Object"):
    """A plain object: its keys are attributes, in JavaScript's order (keys that look like integers first).

    Args:
        entries: Keys and values, of JavaScript; the mapping is copied where keys must be moved.
    """

    _rest_in = "language"
    _entries: dict[str, Any]

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        given = dict(entries) if entries else {}
        object.__setattr__(self, "_entries", in_js_order(given) if any(map(is_index, given)) else given)

    def __getattr__(self, name: str) -> Any:
        try:
            return to_python(self._entries[name])
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._entries[name] = from_python(value)

    def __delattr__(self, name: str) -> None:
        if self._entries.pop(name, self) is self:
            raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._entries]

    def _properties(self) -> dict[str, Any]:
        return self._entries

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A dict."""
        if depth == 0:
            return self
        return {key: to_py(value, depth - 1, default_converter) for key, value in self._entries.items()}

    def _crossing(self) -> Any:
        return self._entries


class JsArray(JsObject, js_class="Array"):
    """An array.

    Args:
        items: The items, values of JavaScript; the list is the array's own from now on.
    """

    _rest_in = "arrays"
    _items: list[Any]

    def __init__(self, items: list[Any] | None = None) -> None:
        self._items = [] if items is None else items

    @property
    def length(self) -> int:
        """How many items."""
        return len(self._items)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return JsArray(self._items[key])
        return to_python(self._items[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[key] = from_python(value)

    def __delitem__(self, key: Any) -> None:
        del self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return map(to_python, self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __add__(self, other: Any) -> JsArray:
        return JsArray([*self._items, *map(from_python, other)])

    def __bool__(self) -> bool:
        return bool(self._items)

    def __contains__(self, value: Any) -> bool:
        return from_python(value) in self._items

    def _properties(self) -> dict[str, Any]:
        return {str(index): item for index, item in enumerate(self._items)}

    def push(self, *values: Any) -> int:
        """Add items at the end; gives the new length."""
        self._items.extend(values)
        return len(self._items)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A list."""
        if depth == 0:
            return self
        return [to_py(item, depth - 1, default_converter) for item in self._items]

    def _crossing(self) -> Any:
        return self._items

    def _text(self) -> str:
        return ",".join("" if item is None or item is jsnull else js_text(item) for item in self._items)


class ObjectMap(MutableMapping[str, Any]):
    """The properties of an object as a mapping (`JsProxy.as_object_map`).

    Args:
        value: The object.
        is_hereditary: Whether an object that is read from it is such a mapping too.
        reads_arrays: Whether it stands for JSON, so that arrays stay arrays.
    """

    def __init__(self, value: JsObject, *, is_hereditary: bool, reads_arrays: bool) -> None:
        self._value, self._is_hereditary, self._reads_arrays = value, is_hereditary, reads_arrays

    def _read(self, found: Any) -> Any:
        if self._is_hereditary and isinstance(found, JsPlain):
            return ObjectMap(found, is_hereditary=True, reads_arrays=self._reads_arrays)
        if self._reads_arrays and isinstance(found, JsArray):
            return [self._read(item) for item in found._items]
        return to_python(found)

    def __getitem__(self, key: str) -> Any:
        return self._read(self._value._properties()[key])

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self._value, key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self._value._properties():
            raise KeyError(key)
        delattr(self._value, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._value._properties())

    def __len__(self) -> int:
        return len(self._value._properties())


class PyProxy(JsObject):
    """An object of Python's as JavaScript sees it: callable where it is, and the object itself back in Python.

    Args:
        value: The object.
    """

    _object: Any

    def __init__(self, value: Any) -> None:
        self._object = value

    @property
    def typeof(self) -> str:
        """What JavaScript's `typeof` says."""
        return "function" if callable(self._object) else "object"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return self._object(*args, **kwargs)

    def _crossing(self) -> Any:
        return self._object

    def _text(self) -> str:
        return str(self._object)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """The object itself."""
        return self._object


def to_py(value: Any, depth: int = -1, default_converter: Any = None) -> Any:
    """The Python value of any value of JavaScript, as `JsProxy.to_py` has it for what is inside an object."""
    if isinstance(value, JsProxy):
        return value.to_py(depth=depth, default_converter=default_converter)
    if value is jsnull and default_converter is not None:
        return default_converter(value, lambda item: to_py(item, depth, default_converter), lambda *_: None)
    return value


def is_index(key: str) -> bool:
    """Whether JavaScript takes a key for an index, which moves it to the front."""
    return key.isdigit() and key.isascii() and (key == "0" or key[0] != "0") and int(key) < 2**32 - 1


def in_js_order(entries: dict[str, Any]) -> dict[str, Any]:
    """Entries in the order in which JavaScript keeps them: keys that look like integers first, by size."""
    first = sorted((key for key in entries if is_index(key)), key=int)
    return {**{key: entries[key] for key in first}, **entries}


def js_text(value: Any) -> str:
    """JavaScript's `String(value)`."""
    if isinstance(value, str):
        return value
    if value is None:
        return "undefined"
    if value is jsnull:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return js_number_text(value)
    if isinstance(value, JsObject):
        return value._text()
    return repr(value)


def option(options: Any, name: str) -> Any:
    """One of a call's options: undefined where there are none, or they are no object of JavaScript's.

    Args:
        options: The options: a plain object, undefined or null.
        name: Which.
    """
    if isinstance(options, JsPlain):
        return options._entries.get(name)
    if isinstance(options, PyProxy):
        return from_python(getattr(options._object, name, None))
    return from_python(getattr(options, name, None)) if isinstance(options, JsObject) else None


# -- promises ----------------------------------------------------------------------------------------------------------


class JsPromise(JsObject, js_class="Promise"):
    """A promise. Awaited, it gives its value or raises what it was rejected with.

    Awaiting a settled one lets others go first only where others are ready: there is nobody else who could tell.
    """

    _rest_in = "promises"

    def __init__(self) -> None:
        self._value: Any = None
        self._error: BaseException | None = None
        self._is_settled = False
        self._waiters: list[Callable[[], None]] = []
        self._task: asyncio.Future[Any] | None = None

    @classmethod
    def resolved(cls, value: Any) -> Self:
        """A promise of a value that is there.

        Args:
            value: A value of JavaScript.
        """
        made = cls()
        made._value, made._is_settled = value, True
        return made

    @classmethod
    def rejected(cls, error: BaseException) -> Self:
        """A promise that is rejected."""
        made = cls()
        made._error, made._is_settled = error, True
        return made

    @classmethod
    def running(cls, coroutine: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> Self:
        """The promise of what a coroutine gives, which runs as a task from now on, or of a task."""
        made = cls()
        task = made._task = asyncio.ensure_future(coroutine)
        keep_running(task)

        def done(_: asyncio.Future[Any]) -> None:
            if task.cancelled():
                made._reject(asyncio.CancelledError())
            elif (error := task.exception()) is not None:
                made._reject(error)
            else:
                made._resolve(task.result())

        task.add_done_callback(done)
        return made

    def _resolve(self, value: Any = None) -> None:
        """Settle it with a value; a second time has no effect."""
        if not self._is_settled:
            self._value, self._is_settled = value, True
            self._wake()

    def _reject(self, error: BaseException) -> None:
        """Settle it with an error; a second time has no effect."""
        if not self._is_settled:
            self._error, self._is_settled = error, True
            self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._is_settled:
            future = Waiting(self._task)
            self._waiters.append(lambda: None if future.done() else future.set_result(None))
            yield from future.__await__()
        elif others_are_ready():
            yield
        if self._error is not None:
            raise self._error
        return to_python(self._value)

    def then(self, fulfilled: Any = None, rejected: Any = None) -> JsPromise:
        """A promise of what a function makes of the value, or of the error."""
        return JsPromise.running(self._then(fulfilled, rejected))

    def catch(self, rejected: Any = None) -> JsPromise:
        """A promise of what a function makes of the error."""
        return JsPromise.running(self._then(None, rejected))

    def finally_(self, function: Any) -> JsPromise:
        """A promise of the same, after a function was called."""
        return JsPromise.running(self._finally(function))

    async def _then(self, fulfilled: Any, rejected: Any) -> Any:
        try:
            value = await self
        except Exception as error:
            if rejected is None:
                raise
            return await settle(rejected(error))
        return from_python(value) if fulfilled is None else await settle(fulfilled(value))

    async def _finally(self, function: Any) -> Any:
        try:
            return from_python(await self)
        finally:
            await settle(function())


async def settle(value: Any) -> Any:
    """What a value is in the end: a promise's or another awaitable's is awaited.

    Returns:
        A value of JavaScript.
    """
    if inspect.isawaitable(value):
        value = await value
    return from_python(value)
