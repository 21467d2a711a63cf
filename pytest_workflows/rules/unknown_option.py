"""unknown-option: a call of a binding is given an option that it does not have.

Of the other bindings their stand-ins notice it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from durable_engine import Workflow, unwrap

from .analysis.create_calls import CREATES
from .base import RuleObserver
from .registry import register

OPTIONS = ("id", "params", "retention")
_MEANT = {"payload": "params", "data": "params", "input": "params", "args": "params", "event": "params"}
_MEANT |= {"instanceId": "id", "instance_id": "id", "name": "id", "key": "id"}


@register(
    "unknown-option",
    consequence="the platform ignores it without a word, and does without what it says",
    remedy="use the names that there are",
)
class UnknownOption(RuleObserver):
    """An observer of the options of every instance that the Worker creates."""

    def binding_called(self, workflow: Workflow, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Compare the options of a create with those that there are."""
        place = self._sources.place_of_caller() if method in CREATES else None
        if place is None:
            return
        for options in _options(method, args, kwargs):
            for name in options:
                if name not in OPTIONS:
                    message = f"create has no option `{name}`{_hint(name)}"
                    self.report(message, place, workflow, about=str(name))


def _options(method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Mapping[Any, Any]]:
    """The options of each instance that a call is about to create."""
    given = unwrap(args[0]) if args else None
    if method == "create":
        yield kwargs
        given = [given]
    if isinstance(given, list):
        yield from (one for one in map(unwrap, given) if isinstance(one, Mapping))


def _hint(name: object) -> str:
    if not isinstance(name, str):
        return ""
    close = difflib.get_close_matches(name.lower(), OPTIONS, n=1)
    meant = _MEANT.get(name) or (close[0] if close else None)
    return "" if meant is None else f"; did you mean `{meant}`?"
