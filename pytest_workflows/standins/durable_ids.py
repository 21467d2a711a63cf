"""The ids of Durable Objects: 64 hexadecimal digits, of which the second half says which namespace they are of.

Source: workerd 1.20261117.1 with miniflare 5.20261117.0-beta: the ids of names are the local runtime's own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from random import Random
from typing import Any

from pytest_workflows.javascript.objects import JsObject, js_error

_HEX = re.compile(r"[0-9a-fA-F]{64}")


class DurableObjectId(JsObject):
    """The id of a Durable Object.

    Args:
        digits: The id.
        name: The name that it was made of; undefined where it was made of none, or is not known.
    """

    def __init__(self, digits: str, name: str | None = None) -> None:
        self._digits = digits
        self._name = name

    @property
    def name(self) -> str | None:
        """The name that it was made of; undefined where it was made of none, or is not known."""
        return self._name

    @property
    def jurisdiction(self) -> None:
        """Undefined: there are none here."""

    def toString(self) -> str:
        """The 64 digits."""
        return self._digits

    def equals(self, other: Any) -> bool:
        """Whether another id is of the same object."""
        return isinstance(other, DurableObjectId) and other._digits == self._digits

    def _text(self) -> str:
        return self._digits


class Ids:
    """Makes and checks the ids of one namespace.

    Args:
        script: The name of the Worker.
        class_name: The name of the class.
    """

    def __init__(self, script: str, class_name: str) -> None:
        self._key = hashlib.sha256(f"{script}-{class_name}".encode()).digest()

    def of_name(self, name: str) -> DurableObjectId:
        """The id of a name: always the same."""
        return DurableObjectId(self._signed(self._digest(name.encode("utf-8", "surrogatepass"))), name)

    def unique(self, random: Random) -> DurableObjectId:
        """A new id.

        Args:
            random: What it is drawn from.
        """
        return DurableObjectId(self._signed(random.getrandbits(128).to_bytes(16, "big")))

    def of_text(self, text: str) -> DurableObjectId:
        """The id that a text is.

        Args:
            text: 64 hexadecimal digits.

        Raises:
            JsException: A `TypeError`, if it is none, or of another namespace.
        """
        if not _HEX.fullmatch(text):
            raise js_error("TypeError", "Invalid Durable Object ID: must be 64 hex digits")
        digits = text.lower()
        if self._signed(bytes.fromhex(digits[:32])) != digits:
            raise js_error("TypeError", "Durable Object ID is not valid for this namespace.")
        return DurableObjectId(digits)

    def _signed(self, half: bytes) -> str:
        return (half + self._digest(half)).hex()

    def _digest(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")[:16]


__all__ = ["DurableObjectId", "Ids"]
