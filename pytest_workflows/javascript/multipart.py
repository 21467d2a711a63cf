"""`multipart/form-data`: the entries of a form as bytes, and back."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from .blob import Blob, File
from .objects import js_error

_PARAMETER = re.compile(r';\s*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


def parameters_of(header: str) -> tuple[str, dict[str, str]]:
    """The value of a header, in lower case, and its parameters.

    Args:
        header: As `form-data; name="a"`.
    """
    value, _, rest = header.partition(";")
    found = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PARAMETER.findall(f";{rest}")
    }
    return value.strip().lower(), found


def write(entries: list[tuple[str, Any]]) -> tuple[bytes, str]:
    """The body of a form and the boundary in it.

    Args:
        entries: Names with texts or files.
    """
    parts: list[tuple[str, bytes]] = []
    for name, value in entries:
        head = f'Content-Disposition: form-data; name="{_escaped(name)}"'
        if isinstance(value, Blob):
            filename = value.name if isinstance(value, File) else "blob"
            kind = value.type or "application/octet-stream"
            parts.append((f'{head}; filename="{_escaped(filename)}"\r\nContent-Type: {kind}', value._content))
        else:
            parts.append((head, str(value).encode("utf-8", "replace")))
    digest = hashlib.sha256()
    for head, content in parts:
        digest.update(head.encode("utf-8", "replace"))
        digest.update(content)
    boundary = digest.hexdigest()[:32]  # the same form has the same body: nothing is drawn for it
    body = bytearray()
    for head, content in parts:
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode("utf-8", "replace") + content + b"\r\n"
    return bytes(body) + f"--{boundary}--".encode(), boundary


def _escaped(text: str) -> str:
    return text.replace("\r\n", "%0D%0A").replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")


def _unescaped(text: str) -> str:
    return text.replace("%0D%0A", "\r\n").replace("%0A", "\n").replace("%0D", "\r").replace("%22", '"')


def read(body: bytes, boundary: str) -> list[tuple[str, Any]]:
    """The entries of a form.

    Args:
        body: The body.
        boundary: What stands between its parts.

    Raises:
        JsException: A TypeError: it is not such a body.
    """
    delimiter = b"--" + boundary.encode("utf-8")
    if body.startswith(delimiter):
        body = b"\r\n" + body
    first, *parts = body.split(b"\r\n" + delimiter)
    if not parts or first.strip():
        raise js_error("TypeError", "No initial boundary string (or you have a truncated message).")
    entries: list[tuple[str, Any]] = []
    for part in parts:
        if part.startswith(b"--"):
            return entries
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            raise js_error("TypeError", "No Content-Disposition header in FormData part.")
        entries.append(_entry(head.decode("utf-8", "replace"), content))
    raise js_error("TypeError", "No subsequent boundary string (or you have a truncated message).")


def _entry(head: str, content: bytes) -> tuple[str, Any]:
    headers = {
        name.strip().lower(): value.strip()
        for name, separator, value in (line.partition(":") for line in head.split("\r\n"))
        if separator
    }
    if "content-disposition" not in headers:
        raise js_error("TypeError", "No valid Content-Disposition header found in FormData part.")
    kind, given = parameters_of(headers["content-disposition"])
    if kind != "form-data" or "name" not in given:
        raise js_error("TypeError", "Content-Disposition header for FormData part must have the value 'form-data'.")
    name = _unescaped(given["name"])
    if "filename" in given:
        return name, File._named(content, _unescaped(given["filename"]), headers.get("content-type", ""))
    return name, content.decode("utf-8", "replace")
