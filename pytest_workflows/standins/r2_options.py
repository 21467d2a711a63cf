"""What R2 makes of the options of its calls: ranges, conditions, metadata and checksums.

Observed: workerd 1.20261117.1 with miniflare 5.20261117.0.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from durable_engine import JsException, JsProxy, jsnull
from pytest_workflows.javascript.buffers import bytes_of
from pytest_workflows.javascript.convert import to_number
from pytest_workflows.javascript.objects import js_error, js_text, option

from .js_arguments import date_option, entries_of, is_of_class, utf8, wrong_field

MAX_KEY = 1024
MAX_METADATA = 8192

HTTP_FIELDS = {
    "contentType": "content-type",
    "contentLanguage": "content-language",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
    "cacheControl": "cache-control",
    "cacheExpiry": "expires",
}
"""The names of HTTP metadata, with the header of each."""

_ALGORITHMS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def failed(action: str, text: str, code: int) -> JsException:
    """The error that R2 answers with.

    Args:
        action: The call, as the error names it: `"get"`.
        text: What is wrong.
        code: R2's number for it.
    """
    return js_error("Error", f"{action}: {text} ({code})")


def check_key(action: str, key: str) -> None:
    """Refuse a key of more than 1,024 bytes; the empty one is allowed."""
    if len(utf8(key)) > MAX_KEY:
        raise failed(action, "The specified object name is not valid.", 10020)


def check_encryption_key(options: Any) -> None:
    """Refuse a key of the customer's (`ssecKey`) that is none; one that is has no effect locally."""
    key = option(options, "ssecKey")
    if key is None:
        return
    data = bytes_of(key) if isinstance(key, JsProxy) else None
    if data is None:
        text = js_text(key)
        if re.fullmatch("[0-9a-f]+", text) is None:
            raise js_error("Error", "SSE-C Key has invalid format")
        data = bytes(len(text) // 2) if len(text) == 64 else b""
    if len(data) != 32:
        raise js_error("Error", "SSE-C Key must be 32 bytes in length")


def http_date(text: str | None) -> int | None:
    """The time that a header says, in milliseconds since 1970; None where it says none."""
    if text is None:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000)
    except ValueError:
        return None


def header_of(headers: Any, name: str) -> str | None:
    """A header's value; None where there is none."""
    value = headers.get(name)
    return value if isinstance(value, str) else None


# -- ranges ------------------------------------------------------------------------------------------------------------


class Range(NamedTuple):
    """A part of an object, as a call asks for it.

    Attributes:
        offset: Where it begins; None for the beginning.
        length: How many bytes; None for the rest.
        suffix: How many bytes at the end, in place of both.
    """

    offset: int | None = None
    length: int | None = None
    suffix: int | None = None


def range_option(options: Any) -> Range | str | None:
    """The range that a get asks for: an object's, the text of a Range header, or None for the whole object.

    Raises:
        JsException: TypeError or RangeError, for a range that cannot be.
    """
    value = option(options, "range")
    if value is None:
        return None
    if is_of_class(value, "Headers"):
        return header_of(value, "range")
    if value is not jsnull and entries_of(value) is None:
        raise wrong_field("range", "GetOptions", "Range or Headers")
    offset = _bound(value, "offset", "Invalid range. Starting offset", "Invalid range. Starting offset")
    length = _bound(value, "length", "Invalid range. Length", "Invalid range. Length")
    suffix = option(value, "suffix")
    if suffix is not None:
        for name, other in (("offset", offset), ("length", length)):
            if other is not None:
                raise js_error("TypeError", f"Suffix is incompatible with {name}.")
    return Range(offset, length, _bound(value, "suffix", "Invalid suffix. Suffix", "Invalid range. Suffix"))


def _bound(value: Any, name: str, negative: str, fraction: str) -> int | None:
    given = option(value, name)
    if given is None:
        return None
    number = float(to_number(given))
    if not number >= 0:
        raise js_error("RangeError", f"{negative} ({js_text(number)}) must be greater than or equal to 0.")
    if not number.is_integer():
        raise js_error("RangeError", f"{fraction} ({js_text(number)}) must be an integer, not floating point.")
    return int(number)


def part_of(asked: Range | str | None, size: int) -> tuple[int, int]:
    """Offset and length of the part of an object of that size.

    Raises:
        JsException: The range is not satisfiable.
    """
    if asked is None:
        return 0, size
    if isinstance(asked, str):
        return _part_of_header(asked, size)
    offset, length, suffix = asked
    if suffix is not None:
        if suffix == 0:
            raise failed("get", "The requested range is not satisfiable", 10039)
        length = min(suffix, size)
        offset = size - length
    offset = offset or 0
    if length is None:
        length = size - offset
    if offset > size or length <= 0:
        raise failed("get", "The requested range is not satisfiable", 10039)
    length = min(length, size - offset)
    if length == 0:
        raise failed("get", "Unspecified error", 0)
    return offset, length


def _part_of_header(text: str, size: int) -> tuple[int, int]:
    """The part that a Range header asks for; the whole object where it is not exactly one that can be satisfied."""
    found = re.fullmatch(r" *bytes *= *(\d+)? *- *(\d+)? *", text, re.IGNORECASE | re.ASCII)
    whole = 0, size
    if found is None:
        return whole
    first, last = found[1], found[2]
    if first is None:
        if last is None or int(last) == 0 or int(last) >= size:
            return whole
        return size - int(last), int(last)
    start = int(first)
    end = size - 1 if last is None else min(int(last), size - 1)
    if start >= size or (last is not None and start > int(last)):
        return whole
    return start, end - start + 1


# -- metadata ----------------------------------------------------------------------------------------------------------


def http_metadata(options: Any, owner: str) -> dict[str, str | int]:
    """The HTTP metadata of a call: an object's, or that of headers.

    Args:
        options: The options of the call.
        owner: The name of their type: `"PutOptions"`.
    """
    value = option(options, "httpMetadata")
    if value is None or value is jsnull:
        return {}
    if is_of_class(value, "Headers"):
        return _metadata_of_headers(value)
    if entries_of(value) is None:
        raise wrong_field("httpMetadata", owner, "HttpMetadata or Headers")
    found: dict[str, str | int] = {}
    for name in HTTP_FIELDS:
        if name == "cacheExpiry":
            expiry = date_option(value, name, "HttpMetadata")
            found |= {} if expiry is None else {name: expiry}
        elif (text := option(value, name)) is not None:
            found[name] = js_text(text)
    return found


def _metadata_of_headers(headers: Any) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for name, header in HTTP_FIELDS.items():
        text = header_of(headers, header)
        value = http_date(text) if name == "cacheExpiry" else text
        if value is not None:
            found[name] = value
    return found


def custom_metadata(options: Any, owner: str) -> dict[str, str]:
    """The Worker's own metadata of a call; values become texts.

    Args:
        options: The options of the call.
        owner: The name of their type.
    """
    value = option(options, "customMetadata")
    if value is None:
        return {}
    entries = entries_of(value)
    if entries is None:
        raise wrong_field("customMetadata", owner, "object")
    return {key: js_text(item) for key, item in entries.items()}


def metadata_size(custom: Mapping[str, str]) -> int:
    """The size of the Worker's own metadata, as R2 counts it: two bytes a character where one needs them."""
    return sum(map(_serialized, custom)) + sum(map(_serialized, custom.values()))


def _serialized(text: str) -> int:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return units * 2 if any(ord(char) >= 256 for char in text) else units


# -- checksums ---------------------------------------------------------------------------------------------------------


def expected_checksum(options: Any) -> tuple[str, bytes] | None:
    """The checksum that a put must have: the algorithm's field and the digest.

    Raises:
        JsException: TypeError, for more than one, or one that cannot be.
    """
    found: tuple[str, bytes] | None = None
    for name, title in _ALGORITHMS.items():
        value = option(options, name)
        if value is None:
            continue
        if found is not None:
            raise js_error("TypeError", "You cannot specify multiple hashing algorithms.")
        found = name, _digest(name, title, value)
    return found


def _digest(name: str, title: str, value: Any) -> bytes:
    size = hashlib.new(name, usedforsecurity=False).digest_size
    if isinstance(value, str):
        if len(value) != 2 * size:
            raise js_error("TypeError", f"{title} is {2 * size} hex characters, not {len(value)}")
        if re.fullmatch(r"[0-9a-fA-F]*", value) is None:
            raise js_error("TypeError", f"Provided {title} wasn't a valid hex string")
        return bytes.fromhex(value)
    data = bytes_of(value)
    if data is None:
        raise wrong_field(name, "PutOptions", "BufferSource or string")
    if len(data) != size:
        raise js_error("TypeError", f"{title} is {size} bytes, not {len(data)}")
    return data


def checksums(data: bytes, expected: tuple[str, bytes] | None) -> dict[str, bytes]:
    """The digests that an object is stored with: its MD5, and the one that the put gave.

    Raises:
        JsException: That one is another.
    """
    found = {"md5": md5(data)}
    if expected is None:
        return found
    name, wanted = expected
    actual = found[name] = hashlib.new(name, data, usedforsecurity=False).digest()
    if actual != wanted:
        title = _ALGORITHMS[name]
        raise failed(
            "put",
            f"The {title} checksum you specified did not match what we received.\n"
            f"You provided a {title} checksum with value: {wanted.hex()}\nActual {title} was: {actual.hex()}",
            10037,
        )
    return found


def md5(data: bytes) -> bytes:
    """The MD5 of bytes."""
    return hashlib.md5(data, usedforsecurity=False).digest()
