"""JavaScript's `URL` and `URLSearchParams`. Parsing is Ada's, the parser of the runtime itself and of Node."""

from __future__ import annotations

import contextlib
import re
from typing import Any, NoReturn
from urllib.parse import quote_plus, unquote_to_bytes

import ada_url

from durable_engine import jsnull

from .convert import pairs_of
from .iterators import PairIterable
from .objects import JsArray, JsObject, js_error, js_text

_SURROGATES = re.compile("[\ud800-\udfff]")


def parse_url(text: str, base: str | None = None) -> ada_url.URL:
    """Parse a URL as the URL standard says.

    Args:
        text: The URL; relative, if there is a base.
        base: What it is relative to.

    Raises:
        ValueError: It is none.
    """
    text = _SURROGATES.sub("\ufffd", text)
    return ada_url.URL(text) if base is None else ada_url.URL(text, _SURROGATES.sub("\ufffd", base))


class URL(JsObject):
    """A URL.

    Args:
        url: The URL; relative, if there is a base.
        base: What it is relative to.

    Raises:
        JsException: A TypeError: it is not valid.
    """

    def __init__(self, url: Any, base: Any = None) -> None:
        try:
            self._url = parse_url(js_text(url), None if base is None else js_text(base))
        except ValueError:
            raise js_error("TypeError", "Invalid URL string.") from None
        self._params: URLSearchParams | None = None

    @staticmethod
    def canParse(url: Any, base: Any = None) -> bool:
        """Whether a URL is valid."""
        try:
            parse_url(js_text(url), None if base is None else js_text(base))
        except ValueError:
            return False
        return True

    @staticmethod
    def parse(url: Any, base: Any = None) -> Any:
        """The URL, null where it is not valid."""
        return URL(url, base) if URL.canParse(url, base) else jsnull

    @staticmethod
    def createObjectURL(blob: Any = None) -> NoReturn:
        """Refused, as the runtime does."""
        raise js_error("Error", "URL.createObjectURL() is not implemented")

    def _changed(self) -> None:
        if self._params is not None:
            self._params._pairs = parse_query(self._url.search.removeprefix("?"))

    @property
    def href(self) -> str:
        """The whole URL."""
        return self._url.href

    @href.setter
    def href(self, value: Any) -> None:
        try:
            self._url = parse_url(js_text(value))
        except ValueError:
            raise js_error("TypeError", "Invalid URL string.") from None
        self._changed()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._url.origin

    @property
    def searchParams(self) -> URLSearchParams:
        """The query's parameters; changing them changes the URL."""
        if self._params is None:
            self._params = URLSearchParams(self._url.search)
            self._params._owner = self
        return self._params

    def toString(self) -> str:
        """The whole URL."""
        return self._url.href

    def toJSON(self) -> str:
        """The whole URL."""
        return self._url.href

    def _text(self) -> str:
        return self._url.href

    protocol: Any
    username: Any
    password: Any
    host: Any
    hostname: Any
    port: Any
    pathname: Any
    search: Any
    hash: Any


def _part(name: str) -> property:
    def get(self: URL) -> Any:
        return getattr(self._url, name)

    def put(self: URL, value: Any) -> None:
        with contextlib.suppress(ValueError):  # a part that is not valid is ignored
            setattr(self._url, name, _SURROGATES.sub("\ufffd", js_text(value)))
        self._changed()

    return property(get, put, doc=f"The part `{name}`, as JavaScript has it.")


for _name in ("protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"):
    setattr(URL, _name, _part(_name))


class URLSearchParams(PairIterable):
    """The parameters of a query; iterated over, they are pairs.

    Args:
        init: A query, an iterable of pairs, or an object.
    """

    def __init__(self, init: Any = None) -> None:
        self._owner: URL | None = None
        if isinstance(init, str):
            self._pairs = parse_query(init.removeprefix("?"))
        else:
            self._pairs = pairs_of(init, "URLSearchParams")

    def _changed(self) -> None:
        if self._owner is not None:
            self._owner._url.search = self._text()

    @property
    def size(self) -> int:
        """How many parameters."""
        return len(self._pairs)

    def append(self, name: Any, value: Any) -> None:
        """Add a parameter."""
        self._pairs.append((js_text(name), js_text(value)))
        self._changed()

    def delete(self, name: Any, value: Any = None) -> None:
        """Take out the parameters of a name, or those of them with a value."""
        self._pairs = [pair for pair in self._pairs if not self._is(pair, name, value)]
        self._changed()

    @staticmethod
    def _is(pair: tuple[str, str], name: Any, value: Any) -> bool:
        return pair[0] == js_text(name) and (value is None or pair[1] == js_text(value))

    def get(self, name: Any) -> Any:
        """The first value of a name; null where there is none."""
        return next((value for key, value in self._pairs if key == js_text(name)), jsnull)

    def getAll(self, name: Any) -> JsArray:
        """The values of a name."""
        return JsArray([value for key, value in self._pairs if key == js_text(name)])

    def has(self, name: Any, value: Any = None) -> bool:
        """Whether there is a parameter of a name, and of a value if one is given."""
        return any(self._is(pair, name, value) for pair in self._pairs)

    def set(self, name: Any, value: Any) -> None:
        """Give a name one value."""
        key, kept, done = js_text(name), [], False
        for pair in self._pairs:
            if pair[0] != key:
                kept.append(pair)
            elif not done:
                kept.append((key, js_text(value)))
                done = True
        self._pairs = kept if done else [*kept, (key, js_text(value))]
        self._changed()

    def sort(self) -> None:
        """Sort by name; parameters of one name keep their order."""
        self._pairs.sort(key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        self._changed()

    def _each(self) -> list[tuple[str, str]]:
        return self._pairs

    def toString(self) -> str:
        """The query."""
        return self._text()

    def _text(self) -> str:
        return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self._pairs)


def parse_query(text: str) -> list[tuple[str, str]]:
    """The names and values of an `application/x-www-form-urlencoded` text."""
    pairs = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_unquoted(name), _unquoted(value)))
    return pairs


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def _quoted(text: str) -> str:
    return quote_plus(_SURROGATES.sub("\ufffd", text), safe="*").replace("~", "%7E")
