"""Entropy: what a Worker's code draws at random comes from the test's seed, so that every run of a test draws alike.

A step's callback draws from a generator of its own, which begins anew with each attempt: an attempt that runs again
because its result was lost draws what the lost one drew. `run` draws other values in each execution, as in production.
Each call of a handler has a generator as well. The test's own code draws as it would without us; only where a test
is explored do its runs draw what its plain run drew.

Random values come from few places: the one generator behind the functions of `random`, and `os.urandom` behind `uuid`,
`secrets` and `SystemRandom`. Those are exchanged while a test has an engine.
"""

from __future__ import annotations

import base64
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from types import FrameType, ModuleType
from typing import Any

from durable_engine import Engine, Instance, Scope, WorkerCall, current_scope, running_call, running_engine

USERS = "user"
"""What user code draws."""
PLATFORM = "platform"
"""What the platform draws on behalf of user code, such as an id or SQL's `random()`."""


def nobody(instance: Instance) -> None:
    """The listener while no rule watches."""


class Draws:
    """The listener to random values that `run` draws outside of its steps.

    Attributes:
        notify: Called at each draw with the instance, in the frames of who draws.
    """

    def __init__(self) -> None:
        self.notify: Callable[[Instance], None] = nobody


draws = Draws()


class _Streams:
    """The generators of one engine.

    Attributes:
        outside: What code of the test draws from; None for what it would draw from without us.
    """

    def __init__(self, engine: Engine, outside: random.Random | None) -> None:
        self._engine = engine
        self.outside = outside
        self._counts: Counter[tuple[object, ...]] = Counter()
        self._rows: dict[tuple[str, str], list[int]] = {}

    def of(self, code: Scope | WorkerCall, purpose: str) -> random.Random:
        """The generator of the code of a workflow, or of a call."""
        return self._of_scope(code, purpose) if isinstance(code, Scope) else self._of_call(code, purpose)

    def _of_scope(self, scope: Scope, purpose: str) -> random.Random:
        """The generator of an attempt, or of an execution of `run`."""
        parts = [*self._name_of(scope), purpose]
        if scope.step is None:
            parts.append(self._count(parts))
        return self._made(parts)

    def _of_call(self, call: WorkerCall, purpose: str) -> random.Random:
        """The generator of a call of a handler, or of an object's method.

        What a step's attempt calls draws what the same call of another attempt draws.
        """
        caller = call.caller
        if caller is None or caller.step is None:
            parts: list[object] = ["call", call.what, purpose]
            number = self._count(parts)
        else:
            parts = [*self._name_of(caller), call.what, purpose]
            key = f"{call.what} {purpose}"
            number = caller.calls[key] = caller.calls.get(key, 0) + 1
        return self._made([*parts, number])

    def _name_of(self, scope: Scope) -> list[object]:
        instance = scope.instance
        row = instance.row.key
        rows = self._rows.setdefault(instance.key, [])
        if row not in rows:
            rows.append(row)
        parts: list[object] = [*instance.key, rows.index(row), self._engine.lifecycle.restarts_of(row)]
        if scope.step is None:
            return [*parts, "run"]
        parts += [scope.step.name, scope.step.count]
        if scope.is_virtual:  # a delay function, which is asked once an attempt
            parts += ["delay", scope.attempt]
        return parts

    def _count(self, parts: list[object]) -> int:
        self._counts[tuple(parts)] += 1
        return self._counts[tuple(parts)]

    def _made(self, parts: list[object]) -> random.Random:
        return random.Random("/".join(map(str, [self._engine.seed, *parts])))


_streams: dict[object, _Streams] = {}
"""By the engine."""


def drawn_from(purpose: str = USERS) -> random.Random | None:
    """The generator that the running code draws from; None where it draws as it would without us.

    Args:
        purpose: `USERS` for what it draws itself, `PLATFORM` for what the platform draws for it.
    """
    scope = current_scope.get()
    code = running_call() if scope is None else scope
    if code is None:
        return _outside()
    made = code.generators.get(purpose)
    if made is None:
        streams = _streams.get(running_engine())
        if streams is None:
            return None
        made = code.generators[purpose] = streams.of(code, purpose)
    return made


def _outside() -> random.Random | None:
    """The generator of the test's own code: that of the engine that was opened last, where it has one."""
    for streams in reversed(_streams.values()):
        return streams.outside
    return None


def is_drawn(text: str) -> bool:
    """Whether a text holds random bytes that the running code of a step has drawn in this attempt.

    Another attempt draws the same here, and something else in production. Recognised is what `uuid`, `secrets` and
    `os.urandom` give, as hexadecimal digits or as base64.
    """
    scope = current_scope.get()
    if scope is None or scope.step is None or not scope.drawn:
        return False
    digits = text.replace("-", "").lower()
    return any(
        drawn.hex() in digits
        or _id_of(drawn) in digits
        or base64.urlsafe_b64encode(drawn).rstrip(b"=").decode() in text
        for drawn in scope.drawn
    )


def _id_of(drawn: bytes) -> str:
    """The digits of the UUID that is made of random bytes; those of the bytes where there are too few or too many."""
    return uuid.UUID(bytes=drawn, version=4).hex if len(drawn) == 16 else drawn.hex()


class PlatformRandom(random.Random):
    """The platform's generator, for ids and SQL: per step, as user code's is, and apart from what user code draws.

    Args:
        seed: The seed of what is drawn for the test's own code.
    """

    def __init__(self, seed: object) -> None:
        self._outside = random.Random(f"{seed}/{PLATFORM}")
        super().__init__(0)  # its own state is never drawn from

    def _stream(self) -> random.Random:
        scope, call = current_scope.get(), running_call()
        return self._outside if scope is None and call is None else drawn_from(PLATFORM) or self._outside

    def random(self) -> float:
        """A float from 0 to 1."""
        return self._stream().random()

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        return self._stream().getrandbits(k)


# -- the exchange ------------------------------------------------------------------------------------------------------


def _notify() -> None:
    scope = current_scope.get()
    if scope is not None and scope.is_root and scope.instance.engine in _streams:
        draws.notify(scope.instance)


class _SharedRandom(random.Random):
    """The shared generator, while there is an engine: code that has a generator of its own draws from that."""

    def random(self) -> float:
        _notify()
        own = drawn_from()
        return super().random() if own is None else own.random()

    def getrandbits(self, k: int, /) -> int:
        _notify()
        own = drawn_from()
        return super().getrandbits(k) if own is None else own.getrandbits(k)

    def getstate(self) -> tuple[Any, ...]:
        own = drawn_from()
        return super().getstate() if own is None else own.getstate()

    def setstate(self, state: tuple[Any, ...]) -> None:
        own = drawn_from()
        if own is None:
            super().setstate(state)
        else:
            own.setstate(state)

    @property
    def gauss_next(self) -> float | None:
        """The second of two values that `gauss` makes at a time: it belongs to the generator that made it."""
        own = drawn_from()
        mine: float | None = self.__dict__.get("gauss_next") if own is None else own.gauss_next  # type: ignore[attr-defined]
        return mine

    @gauss_next.setter
    def gauss_next(self, value: float | None) -> None:
        own = drawn_from()
        if own is None:
            self.__dict__["gauss_next"] = value
        else:
            own.gauss_next = value  # type: ignore[attr-defined]


# CPython's insides, as they are in 3.11 to 3.14: `random._inst` is the shared generator, whose class may be exchanged;
# `random._urandom` stands behind `SystemRandom`; `uuid` keeps the last timestamp of each kind in a global. Without the
# first the rule would be switched off, with a warning; without the others ids would differ from run to run.
_URANDOM = os.urandom
_SEED = random.Random.seed
_TELLING = 4
"""Fewer random bytes than these may stand in a text by chance."""
_IMPORTS = "<frozen importlib._bootstrap>"
_METHODS = ("random", "getrandbits", "getstate", "setstate")
# Where the standard library itself has the functions; to search all of its names for each test would take too long.
_TIMED = tuple(name for name in ("uuid1", "uuid6", "uuid7") if hasattr(uuid, name))
_KNOWN: dict[ModuleType, tuple[str, ...]] = {
    random: (*_METHODS, "seed", "_urandom"),
    os: ("urandom",),
    uuid: _TIMED,
}
_LAST = {
    name: 0 if "counter" in name else None
    for name in ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7", "_last_counter_v7")
    if hasattr(uuid, name)
}


def _is_importing() -> bool:
    """Whether a module is being imported: the first run of a test does that, and the next ones do not."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            return True
        frame = frame.f_back
    return False


def _urandom(size: int, /) -> bytes:
    _notify()
    own = None if _is_importing() else drawn_from()
    if own is None:
        return _URANDOM(size)
    drawn = own.randbytes(size)
    scope = current_scope.get()
    if scope is not None and size >= _TELLING:
        scope.drawn.append(drawn)
    return drawn


def _seed(self: random.Random, a: Any = None, version: int = 2) -> None:
    if a is None:
        _notify()
        own = None if _is_importing() else drawn_from()
        if own is not None:
            a = own.getrandbits(256)
    _SEED(self, a, version)


def _seed_shared(a: Any = None, version: int = 2) -> None:
    own = drawn_from()
    _seed(_generator() if own is None else own, a, version)


def _generator() -> random.Random:
    """The generator behind the functions of `random`."""
    generator: random.Random = random._inst
    return generator


def _timed(name: str) -> Callable[..., uuid.UUID]:
    """A function of `uuid` that counts on from where it was: an attempt that runs again counts from the same place."""
    original: Callable[..., uuid.UUID] = getattr(uuid, name)

    def timed(*args: Any, **kwargs: Any) -> uuid.UUID:
        scope = current_scope.get()
        if scope is not None and scope.step is not None:
            _count_from_start(scope)
        return original(*args, **kwargs)

    timed.__name__ = timed.__qualname__ = name
    timed.__code__ = timed.__code__.replace(co_name=name, co_qualname=name)  # a finding names the frame's function
    return timed


_starts: dict[tuple[object, ...], dict[str, Any]] = {}
"""Where `uuid` counted from at a step's first draw, by engine, row and step."""


def _count_from_start(scope: Scope) -> None:
    if "uuid" in scope.generators:
        return  # not the attempt's first
    scope.generators["uuid"] = _generator()  # only that it has drawn one
    key = (scope.instance.engine, scope.instance.row.key, scope.step)
    known = _starts.setdefault(key, {name: getattr(uuid, name) for name in _LAST})
    for name, value in known.items():
        setattr(uuid, name, value)


class _Place:
    """A module of the standard library that has functions of these.

    Args:
        attributes: The module's attributes.
        names: The functions' names.
        ours: Ours, by the ids of the originals.
    """

    def __init__(self, attributes: dict[str, Any], names: Iterable[str], ours: Mapping[int, Any]) -> None:
        self._attributes = attributes
        self._before = {name: attributes.get(name) for name in names}
        self._ours = {name: ours[id(value)] for name, value in self._before.items() if id(value) in ours}
        self._originals = {name: self._before[name] for name in self._ours}

    def is_as_before(self) -> bool:
        """Whether everything is there that was there when this was made."""
        return all(map(is_, map(self._attributes.get, self._before), self._before.values()))

    def exchange(self) -> None:
        """Put ours in the place of the originals."""
        self._attributes.update(self._ours)

    def put_back(self, originals: Mapping[int, Any]) -> None:
        """Put the originals back, but leave what others have put in their places.

        Args:
            originals: They, by the ids of ours.
        """
        if all(map(is_, map(self._attributes.get, self._ours), self._ours.values())):
            self._attributes.update(self._originals)
            return
        for name in self._before:
            value = self._attributes.get(name)
            if id(value) in originals:
                self._attributes[name] = originals[id(value)]


class _Exchange:
    """The exchange of the originals for functions of ours, and the places where that was done.

    What was made for it stays: as long as nobody puts something else there, the next test needs the same.
    """

    def __init__(self) -> None:
        self._made_for: tuple[object, ...] = ()
        self._ours: dict[int, Any] = {}
        self._originals: dict[int, Any] = {}
        self._known: list[_Place] = []
        self._places: list[dict[str, Any]] = []
        self._last: dict[str, Any] = {}

    def begin(self) -> None:
        generator = _generator()
        if self._made_for != (generator, type(generator)) or not all(map(_Place.is_as_before, self._known)):
            self._make(generator)
        if type(generator) is random.Random:
            generator.__class__ = _SharedRandom
        random.Random.seed = _seed  # type: ignore[method-assign]
        for place in self._known:
            place.exchange()
        self._last = {name: getattr(uuid, name) for name in _LAST}
        vars(uuid).update(_LAST)

    def _make(self, generator: random.Random) -> None:
        self._made_for, self._ours, self._originals = (), {}, {}
        made_for = (generator, type(generator))
        if type(generator) is random.Random:
            for name in _METHODS:
                if getattr(random, name) == getattr(generator, name):  # a test may have put its own there
                    self._pair(getattr(random, name), getattr(_SharedRandom, name).__get__(generator))
            if random.seed == generator.seed:
                self._pair(random.seed, _seed_shared)
        self._pair(_URANDOM, _urandom)
        for name in _TIMED:
            self._pair(getattr(uuid, name), _timed(name))
        self._known = [_Place(vars(module), names, self._ours) for module, names in _KNOWN.items()]
        self._made_for = made_for

    def _pair(self, original: Any, ours: Any) -> None:
        self._ours[id(original)] = ours
        self._originals[id(ours)] = original

    def exchange_in(self, places: Iterable[dict[str, Any]]) -> None:
        """Exchange what these namespaces hold, such as a module that did `from random import random`."""
        for place in places:
            if not any(place is known for known in self._places):
                self._places.append(place)
                _swap(place, self._ours)

    def end(self) -> None:
        """Put the originals back wherever ours stand, and leave what others have put in their places."""
        for known in self._known:
            known.put_back(self._originals)
        for place in self._places:
            _swap(place, self._originals)
        generator = _generator()
        if type(generator) is _SharedRandom:
            generator.__class__ = random.Random  # type: ignore[assignment]  # narrowed by the line above
        random.Random.seed = _SEED  # type: ignore[method-assign]
        vars(uuid).update(self._last)
        _starts.clear()
        self._places, self._last = [], {}


def _swap(place: dict[str, Any], by: dict[int, Any]) -> None:
    if by.keys().isdisjoint(map(id, place.values())):
        return  # nearly always, and without code of Python
    for name, value in list(place.items()):
        if id(value) in by:
            place[name] = by[id(value)]


_exchange = _Exchange()


def draw_from_seed(engine: Engine, outside: object = None) -> None:
    """Let code of an engine's instances and handlers draw from its seed, from now on.

    Args:
        engine: The engine.
        outside: The seed of what the test's own code draws from the system; None to leave that alone.
    """
    if not _streams:
        _exchange.begin()
    _streams[engine] = _Streams(engine, None if outside is None else random.Random(f"{outside}/outside"))


def exchange_in(places: Iterable[dict[str, Any]]) -> None:
    """Exchange the functions also in namespaces that have imported them by their names, until the last engine ends."""
    if _streams:
        _exchange.exchange_in(places)


def stop_drawing(engine: Engine) -> None:
    """Put the originals back; twice is fine."""
    if _streams.pop(engine, None) is not None and not _streams:
        _exchange.end()
