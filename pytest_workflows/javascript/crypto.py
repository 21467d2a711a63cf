"""JavaScript's `crypto`. Random values come from Python's sources of them, so that they are the test's own."""

from __future__ import annotations

import hashlib
import hmac
import os
import uuid
from typing import Any

from .buffers import JsArrayBuffer, JsTypedArray, buffer_of
from .convert import is_true, items_of, to_integer
from .objects import JsArray, JsObject, JsPlain, js_error, js_text, option, promised

_DIGESTS = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "MD5": "md5"}
_MOST = 65536


class CryptoKey(JsObject):
    """A key.

    Args:
        algorithm: Its algorithm, with what belongs to that.
        secret: The key itself.
        is_extractable: Whether `exportKey` gives it.
        usages: What it may be used for.
    """

    def __init__(self, algorithm: JsPlain, secret: bytes, is_extractable: bool, usages: list[Any]) -> None:
        self._algorithm, self._secret = algorithm, secret
        self._is_extractable, self._usages = is_extractable, usages

    @property
    def type(self) -> str:
        """Always "secret"."""
        return "secret"

    @property
    def extractable(self) -> bool:
        """Whether `exportKey` gives it."""
        return self._is_extractable

    @property
    def algorithm(self) -> JsPlain:
        """Its algorithm."""
        return self._algorithm

    @property
    def usages(self) -> JsArray:
        """What it may be used for."""
        return JsArray(list(self._usages))


class SubtleCrypto(JsObject):
    """JavaScript's `crypto.subtle`, as far as Python's `hashlib` and `hmac` carry it."""

    @promised
    def digest(self, algorithm: Any, data: Any) -> JsArrayBuffer:
        """A promise of the hash of some bytes.

        Args:
            algorithm: "SHA-1", "SHA-256", "SHA-384", "SHA-512" or "MD5", or an object whose `name` it is.
            data: A buffer.
        """
        return JsArrayBuffer(_new(algorithm, _bytes(data)).digest())

    @promised
    def importKey(self, format: Any, data: Any, algorithm: Any, is_extractable: Any, usages: Any) -> CryptoKey:
        """A promise of a key made of its bytes: of HMAC and PBKDF2, in the format "raw"."""
        name, form = _name(algorithm), js_text(format)
        if form == "raw" and name == "HMAC":
            secret, digest = _bytes(data), _name(option(algorithm, "hash"))
            details: dict[str, Any] = {"hash": JsPlain({"name": digest}), "length": len(secret) * 8}
        elif form == "raw" and name == "PBKDF2":
            secret, details = _bytes(data), {}
        else:
            raise _unsupported(f"importKey of {name} in the format {form}")
        return CryptoKey(
            JsPlain({"name": name, **details}), secret, is_true(is_extractable), list(items_of(usages) or ())
        )

    @promised
    def generateKey(self, algorithm: Any, is_extractable: Any, usages: Any) -> CryptoKey:
        """A promise of a new key of HMAC."""
        name = _name(algorithm)
        if name != "HMAC":
            raise _unsupported(f"generateKey of {name}")
        digest = _name(option(algorithm, "hash"))
        given = option(algorithm, "length")
        size = _new(digest).block_size if given is None else to_integer(given) // 8
        details = {"name": name, "hash": JsPlain({"name": digest}), "length": size * 8}
        return CryptoKey(JsPlain(details), os.urandom(size), is_true(is_extractable), list(items_of(usages) or ()))

    @promised
    def exportKey(self, format: Any, key: Any) -> JsArrayBuffer:
        """A promise of the bytes of a key, in the format "raw"."""
        if not key._is_extractable:
            raise js_error("InvalidAccessError", "Attempt to export non-extractable key.")
        if js_text(format) != "raw":
            raise _unsupported(f"exportKey in the format {js_text(format)}")
        return JsArrayBuffer(key._secret)

    @promised
    def sign(self, algorithm: Any, key: Any, data: Any) -> JsArrayBuffer:
        """A promise of the signature of some bytes, by HMAC."""
        return JsArrayBuffer(_signature(key, data, "sign"))

    @promised
    def verify(self, algorithm: Any, key: Any, signature: Any, data: Any) -> bool:
        """A promise of whether a signature by HMAC is that of some bytes."""
        return hmac.compare_digest(_signature(key, data, "verify"), _bytes(signature))

    @promised
    def deriveBits(self, algorithm: Any, key: Any, length: Any) -> JsArrayBuffer:
        """A promise of bits made of a password, by PBKDF2."""
        if _name(algorithm) != "PBKDF2":
            raise _unsupported(f"deriveBits by {_name(algorithm)}")
        return JsArrayBuffer(
            hashlib.pbkdf2_hmac(
                _hash(option(algorithm, "hash")),
                key._secret,
                _bytes(option(algorithm, "salt")),
                to_integer(option(algorithm, "iterations")),
                to_integer(length) // 8,
            )
        )

    def timingSafeEqual(self, one: Any, other: Any) -> bool:
        """Whether two buffers of one length have the same bytes."""
        first, second = _bytes(one), _bytes(other)
        if len(first) != len(second):
            raise js_error("TypeError", "Input buffers must have the same byte length.")
        return hmac.compare_digest(first, second)

    def __getattr__(self, name: str) -> Any:
        if name in ("encrypt", "decrypt", "deriveKey", "wrapKey", "unwrapKey"):
            raise _unsupported(name)
        raise AttributeError(name)


def _signature(key: Any, data: Any, usage: str) -> bytes:
    if not isinstance(key, CryptoKey):
        raise js_error(
            "TypeError", f"Failed to execute '{usage}' on 'SubtleCrypto': parameter 2 is not of type 'CryptoKey'."
        )
    if usage not in key._usages:
        raise js_error(
            "InvalidAccessError", f'Requested key usage "{usage}" does not match any usage listed in the CryptoKey.'
        )
    return hmac.new(key._secret, _bytes(data), _hash(option(key._algorithm, "hash"))).digest()


def _unsupported(what: str) -> Exception:
    return js_error(
        "NotSupportedError",
        f"pytest-workflows has no crypto.subtle for {what}. It has digest, and HMAC and PBKDF2 with keys in the format "
        "raw. Use a Python library for it, or give the Worker a fake.",
    )


def _name(algorithm: Any) -> str:
    return js_text(algorithm if isinstance(algorithm, str) else option(algorithm, "name"))


def _hash(algorithm: Any) -> str:
    found = _DIGESTS.get(_name(algorithm).upper())
    if found is None:
        raise js_error(
            "NotSupportedError", f'Unrecognized or unimplemented digest algorithm requested ("{_name(algorithm)}").'
        )
    return found


def _new(algorithm: Any, data: bytes = b"") -> hashlib._Hash:
    return hashlib.new(_hash(algorithm), data, usedforsecurity=False)


def _bytes(data: Any) -> bytes:
    content = buffer_of(data)
    if content is None:
        raise js_error("TypeError", "The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.")
    return content


class Crypto(JsObject):
    """JavaScript's `crypto`."""

    def __init__(self) -> None:
        self._subtle = SubtleCrypto()

    @property
    def subtle(self) -> SubtleCrypto:
        """Hashes, signatures and keys."""
        return self._subtle

    def randomUUID(self) -> str:
        """A UUID of version 4."""
        return str(uuid.uuid4())

    def getRandomValues(self, array: Any) -> Any:
        """Fill an array of whole numbers; gives the array."""
        if not isinstance(array, JsTypedArray) or array._format in "fd":
            raise js_error("TypeMismatchError", "The provided ArrayBufferView is not an integer-typed view.")
        if array.byteLength > _MOST:
            raise js_error(
                "QuotaExceededError",
                f"getRandomValues() only accepts buffers of size <= 64K but provided {array.byteLength} bytes.",
            )
        array._bytes()[:] = os.urandom(array.byteLength)
        return array
