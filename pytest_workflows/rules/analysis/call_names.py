"""Names of calls on services: how findings show a call, and the words of its name."""

from __future__ import annotations

import re

from durable_engine import Effect

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> list[str]:
    """The words of a name in snake_case, camelCase or kebab-case, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def is_http(effect: Effect) -> bool:
    """Whether a call is a request that `fetch` sent."""
    return " " in effect.method


def describe_call(effect: Effect) -> str:
    """A call as findings show it: `DB.prepare(...).run()`, `POST pay.example.com/charges`."""
    if is_http(effect):
        verb, _, path = effect.method.partition(" ")
        return f"{verb} {effect.service}{path}"
    return f"{effect.service}()" if effect.method == "()" else f"{effect.service}.{effect.method}()"


def last_name(effect: Effect) -> str:
    """The last name of a call, without the way to it: `run`; empty for the binding itself."""
    return effect.method.rpartition(".")[2].removesuffix("()")
