"""The cursors of lists, of KV and R2 alike: the last key of a page in base64."""

from __future__ import annotations

import base64

from .js_arguments import utf8

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def encode_cursor(key: str) -> str:
    """The cursor that goes on behind a key."""
    return base64.b64encode(utf8(key)).decode()


def decode_cursor(cursor: str) -> str:
    """The key that a cursor goes on behind; a text that is no cursor is read as one all the same."""
    kept = "".join(char for char in cursor.replace("-", "+").replace("_", "/") if char in _BASE64)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(kept + "=" * (-len(kept) % 4)).decode(errors="replace")
