"""Dismantling what an engine is made from, when its test is over.

The parts of an engine know one another. Left to the garbage collector they would be a fifth of what a test of three
steps costs: it looks at each of them several times, and takes each time what else has been made meanwhile along.
"""

from __future__ import annotations

from functools import cache
from typing import NoReturn

from .errors import DismantledError

ENDED = (
    "This belongs to a test that has ended (its engine is closed). Make bindings, handles and "
    "introspectors anew in each test."
)


class Dismantled:
    """Something that lets go of its parts when nobody needs it any more, and then says so to whoever asks for one.

    Attributes:
        is_dismantled: Whether it has let go of its parts.
    """

    is_dismantled = False

    def let_go(self, *kept: str) -> None:
        """Let go of all attributes but these."""
        mine = vars(self)
        self._count_as_dismantled()
        # At once: another thread may ask for what is kept meanwhile.
        self.__dict__ = {name: mine[name] for name in kept}

    def let_go_of(self, *parts: str) -> None:
        """Let go of these attributes."""
        mine = vars(self)
        self._count_as_dismantled()
        for name in parts:
            del mine[name]

    def _count_as_dismantled(self) -> None:
        whole: type = type(self)
        self.__class__ = _without_parts(whole)


@cache
def _without_parts(cls: type) -> type:
    """The class of what has let go of its parts, in the place of its own one.

    That one has no `__getattr__`: with it, Python 3.11 looks up each attribute of an object without its caches.
    """

    def __getattr__(self: Dismantled, name: str) -> NoReturn:
        raise DismantledError(ENDED)

    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls,), {**names, "__slots__": (), "is_dismantled": True, "__getattr__": __getattr__})
