"""Unknown values: parts of a recording that were cut short, are missing, or were redacted.

It crosses the boundary as it is. The first use of it by code of a workflow ends the run with an error for the test:
what the run would have done from there on cannot be said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from durable_engine.context.scope import current_scope
from durable_engine.errors import UnknownValueError

REDACTED_REASON = "redacted"
"""The reason of a value that a sensitive step returned."""

REDACTED = "[REDACTED]"
"""The text in place of a secret, in history and for a test."""


class UnknownValue:
    """A placeholder for a value that is not known. It can be handed on and shown (`repr`), and nothing else.

    Args:
        reason: Why it is not known, in words that follow a colon: `"cut short by the API"`.
    """

    __slots__ = ("reason",)
    reason: str

    def __init__(self, reason: str = "not in the recording") -> None:
        object.__setattr__(self, "reason", reason)

    def __repr__(self) -> str:
        return REDACTED if self.reason == REDACTED_REASON else f"<unknown: {self.reason}>"

    def __copy__(self) -> UnknownValue:
        return self

    def __deepcopy__(self, memo: object) -> UnknownValue:
        return self

    def __reduce__(self) -> tuple[type[UnknownValue], tuple[str]]:
        return UnknownValue, (self.reason,)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # Python's own questions, such as copy's, inspect's or a debugger's
        self._used(f"reads its {name!r}")

    def _used(self, how: str) -> NoReturn:
        error = UnknownValueError(
            f"The workflow {how}, but this value is not known: {self.reason}. What it would do from here on cannot be "
            "reproduced. Give the value: complete the recording by hand, or mock the step that returned it.",
            self.reason,
        )
        scope = current_scope.get()
        if scope is not None:
            # Workflows catch exceptions; this one is for the test.
            scope.instance.abort(error)
        raise error


def _refusal(name: str, how: str) -> Callable[..., NoReturn]:
    def refuse(self: UnknownValue, *_: object) -> NoReturn:
        self._used(how)

    refuse.__name__ = name
    return refuse


_USES = {
    "uses it as text": ("str", "format", "fspath"),
    "asks whether it is true": ("bool",),
    "compares it": ("eq", "ne", "lt", "le", "gt", "ge", "hash"),
    "looks into it": ("getitem", "setitem", "delitem", "iter", "len", "contains", "reversed"),
    "counts with it": (
        *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv", "mod", "rmod"),
        *("pow", "rpow", "or", "ror", "and", "rand", "neg", "abs", "round", "int", "float", "index"),
    ),
    "calls it": ("call",),
    "sets an attribute of it": ("setattr",),
}
for _how, _names in _USES.items():
    for _name in _names:
        setattr(UnknownValue, f"__{_name}__", _refusal(f"__{_name}__", _how))
