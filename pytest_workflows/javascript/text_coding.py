"""JavaScript's `TextEncoder`, `TextDecoder`, `atob` and `btoa`."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable
from typing import Any

from .buffers import JsTypedArray, Uint8Array, buffer_of
from .convert import is_missing, is_true
from .objects import JsObject, JsPlain, js_error, js_text, option

_WITH_MARK = ("utf-8", "utf-16le", "utf-16be")
"""The encodings whose texts may begin with a byte order mark."""
_NAMES = {
    **dict.fromkeys(("utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"), "utf-8"),
    **dict.fromkeys(("utf-16", "ucs-2", "unicode", "iso-10646-ucs-2", "csunicode", "unicodefeff"), "utf-16le"),
    **dict.fromkeys(("unicodefffe",), "utf-16be"),
    **dict.fromkeys(("ascii", "us-ascii", "latin1", "iso-8859-1", "iso8859-1", "l1", "cp1252"), "windows-1252"),
}
_CODECS = {"windows-1252": "cp1252", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


class TextEncoder(JsObject):
    """Writes texts as UTF-8."""

    @property
    def encoding(self) -> str:
        """Always "utf-8"."""
        return "utf-8"

    def encode(self, text: Any = "") -> JsTypedArray:
        """The UTF-8 of a text."""
        return Uint8Array(js_text(text).encode("utf-8", "replace"))

    def encodeInto(self, text: Any, target: Any) -> JsPlain:
        """Write the UTF-8 of a text into an array, as much as it holds.

        Args:
            text: The text.
            target: A Uint8Array.
        """
        view, written, read = target._view(), 0, 0
        for letter in js_text(text):
            data = letter.encode("utf-8", "replace")
            if written + len(data) > len(view):
                break
            view[written : written + len(data)] = data
            written += len(data)
            read += 2 if ord(letter) > 0xFFFF else 1
        return JsPlain({"read": read, "written": written})


class TextDecoder(JsObject):
    """Reads texts.

    Args:
        label: The encoding; UTF-8, unless given.
        options: `fatal`: bytes that are no text are an error; `ignoreBOM`: a byte order mark is kept.
    """

    def __init__(self, label: Any = None, options: Any = None) -> None:
        self._label, self._options = label, options
        self._name, self._decode = decoder_of(label, options)

    @property
    def encoding(self) -> str:
        """The encoding."""
        return self._name

    @property
    def fatal(self) -> bool:
        """Whether bytes that are no text are an error."""
        return is_true(option(self._options, "fatal"))

    @property
    def ignoreBOM(self) -> bool:
        """Whether a byte order mark is kept."""
        return is_true(option(self._options, "ignoreBOM"))

    def decode(self, data: Any = None, options: Any = None) -> str:
        """The text of some bytes.

        Args:
            data: A buffer.
            options: `stream`: more will follow.
        """
        content = b"" if data is None else buffer_of(data)
        if content is None:
            raise js_error(
                "TypeError", "Failed to execute 'decode' on 'TextDecoder': parameter 1 is not a BufferSource."
            )
        is_last = not is_true(option(options, "stream"))
        text = self._decode(content, is_last)
        if is_last:
            self._name, self._decode = decoder_of(self._label, self._options)
        return text


def decoder_of(label: Any, options: Any) -> tuple[str, Callable[[bytes, bool], str]]:
    """The name of an encoding, and a function that decodes its bytes piece by piece.

    Args:
        label: What JavaScript calls it; UTF-8 for undefined.
        options: `fatal` and `ignoreBOM`.

    Raises:
        JsException: A RangeError: there is no such encoding.
    """
    given = "utf-8" if is_missing(label) else js_text(label).strip().lower()
    name = _NAMES.get(given, given)
    is_fatal, keeps_mark = is_true(option(options, "fatal")), is_true(option(options, "ignoreBOM"))
    try:
        made = codecs.lookup(_CODECS.get(name, name)).incrementaldecoder
    except LookupError:
        made = None
    if made is None:
        raise js_error("RangeError", f'"{given}" is not a valid encoding.')
    decoder = made("strict" if is_fatal else "replace")
    may_be_marked = name in _WITH_MARK and not keeps_mark

    def decode(data: bytes, is_last: bool) -> str:
        nonlocal may_be_marked
        try:
            text = decoder.decode(data, is_last)
        except UnicodeDecodeError:
            raise js_error("TypeError", "Failed to decode input.") from None
        if text and may_be_marked:
            may_be_marked = False
            return text.removeprefix("\ufeff")
        return text

    return name, decode


_NO_BASE64 = re.compile("[^A-Za-z0-9+/]")


def btoa(text: Any = None) -> str:
    """JavaScript's `btoa`: the Base64 of a text whose letters are bytes."""
    try:
        return base64.b64encode(js_text(text).encode("latin-1")).decode()
    except UnicodeEncodeError:
        raise js_error(
            "InvalidCharacterError", "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range."
        ) from None


def atob(text: Any = None) -> str:
    """JavaScript's `atob`: the text, its letters being bytes, that some Base64 says."""
    given = re.sub("[ \t\n\f\r]", "", js_text(text))
    if len(given) % 4 == 0:
        given = re.sub("={1,2}$", "", given)
    if len(given) % 4 == 1 or _NO_BASE64.search(given):
        raise js_error(
            "InvalidCharacterError",
            "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to "
            "two terminal '=' signs when the input data length is divisible by 4 are allowed.)",
        )
    return base64.b64decode(given + "=" * (-len(given) % 4)).decode("latin-1")
