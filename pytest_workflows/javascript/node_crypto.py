"""`node:crypto`, as far as Python sources use it: hashes, HMACs and random values.

Source: Node.js, `node:crypto`; workerd 1.20261117.1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from typing import Any

from .buffers import Uint8Array, buffer_of
from .convert import is_missing, to_integer
from .objects import JsObject, js_error, js_text


class Hash(JsObject):
    """A hash, or an HMAC, to which data is added.

    Args:
        made: The Python object that does the work.
    """

    def __init__(self, made: Any) -> None:
        self._made = made
        self._is_done = False

    def update(self, data: Any, encoding: Any = None) -> Hash:
        """Add data: a text or bytes."""
        if self._is_done:
            raise js_error("Error", "Digest already called")
        self._made.update(_bytes(data))
        return self

    def digest(self, encoding: Any = None) -> Any:
        """The result: as bytes, or as a text in "hex", "base64" or "base64url"."""
        if self._is_done:
            raise js_error("Error", "Digest already called")
        self._is_done = True
        return _encoded(self._made.digest(), encoding)


class NodeCrypto(JsObject, js_class="Module"):
    """The module."""

    def createHash(self, algorithm: Any) -> Hash:
        """A hash, by the name of its algorithm."""
        return Hash(hashlib.new(_known(algorithm)))

    def createHmac(self, algorithm: Any, key: Any) -> Hash:
        """An HMAC.

        Args:
            algorithm: The name of the hash's algorithm.
            key: A text or bytes.
        """
        return Hash(hmac.new(_bytes(key), digestmod=_known(algorithm)))

    def randomBytes(self, size: Any) -> Any:
        """So many random bytes."""
        return Uint8Array(os.urandom(to_integer(size)))

    def randomUUID(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def timingSafeEqual(self, one: Any, other: Any) -> bool:
        """Whether two buffers of one length are equal."""
        return hmac.compare_digest(_bytes(one), _bytes(other))


def _known(algorithm: Any) -> str:
    name = js_text(algorithm).lower()
    if name.replace("-", "") not in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        raise js_error("Error", "Digest method not supported")
    return name.replace("-", "")


def _bytes(data: Any) -> bytes:
    if isinstance(data, str):
        return data.encode()
    found = buffer_of(data)
    if found is None:
        raise js_error("TypeError", "The data is a text or bytes.")
    return found


def _encoded(data: bytes, encoding: Any) -> Any:
    match None if is_missing(encoding) else js_text(encoding):
        case None | "buffer":
            return Uint8Array(data)
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "base64url":
            return base64.urlsafe_b64encode(data).decode().rstrip("=")
        case other:
            raise js_error("TypeError", f"Unknown encoding: {other}")
