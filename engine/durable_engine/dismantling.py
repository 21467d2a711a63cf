"""Dismantling what an engine is made from, when its test is over.

The parts of an engine know one another. Left to the garbage collector they would be a fifth of what a test of three
steps costs: it looks at each of them several times, and takes each time what else has been made meanwhile along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DismantledError

ENDED = (
    "This belongs to a test that has ended (its engine is closed). Make bindings, handles and "
    "introspectors anew in each test."
)


class Dismantled:
    """Something that lets go of its parts when nobody needs it any more, and then says so to whoever asks for one."""

    @property
    def is_dismantled(self) -> bool:
        """Whether it has let go of its parts."""
        return "_is_dismantled" in vars(self)

    def let_go(self, *kept: str) -> None:
        """Let go of all attributes but these."""
        self.let_go_of(*[name for name in vars(self) if name not in kept])

    def let_go_of(self, *parts: str) -> None:
        """Let go of these attributes."""
        mine = vars(self)
        for name in parts:
            del mine[name]
        mine["_is_dismantled"] = True

    if not TYPE_CHECKING:  # pragma: no branch (else any name would be an attribute)

        def __getattr__(self, name: str) -> object:
            """Say why a part is not there.

            Raises:
                DismantledError: If this has been dismantled.
                AttributeError: If it has not.
            """
            if self.is_dismantled:
                raise DismantledError(ENDED)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
