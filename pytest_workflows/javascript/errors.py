"""JavaScript's classes of errors, as values."""

from __future__ import annotations

from typing import Any

from .collections import JsErrorObject
from .convert import is_missing, items_of
from .objects import JsArray, js_text, option

_CODES = {
    "NotFoundError": 8,
    "NotSupportedError": 9,
    "InvalidStateError": 11,
    "SyntaxError": 12,
    "InvalidAccessError": 15,
    "NetworkError": 19,
    "AbortError": 20,
    "QuotaExceededError": 22,
    "TimeoutError": 23,
    "DataCloneError": 25,
}


class DOMException(JsErrorObject):
    """An error of the web's interfaces.

    Args:
        message: Its text.
        name: Its name: `"AbortError"`.
    """

    def __init__(self, message: Any = None, name: Any = None) -> None:
        super().__init__(message, "Error" if is_missing(name) else js_text(name))

    @property
    def code(self) -> int:
        """The number that the name had in former times; 0 for none."""
        return _CODES.get(self.name, 0)


class _Named(JsErrorObject):
    """An error whose name is its class's.

    Args:
        message: Its text.
        options: `cause`.
    """

    def __init__(self, message: Any = None, options: Any = None) -> None:
        super().__init__(message, type(self)._js_class)
        cause = option(options, "cause")
        if cause is not None:
            self.cause = cause


class JsTypeErrorObject(_Named, js_class="TypeError"):
    """A TypeError."""


class JsRangeErrorObject(_Named, js_class="RangeError"):
    """A RangeError."""


class JsSyntaxErrorObject(_Named, js_class="SyntaxError"):
    """A SyntaxError."""


class JsReferenceErrorObject(_Named, js_class="ReferenceError"):
    """A ReferenceError."""


class JsEvalErrorObject(_Named, js_class="EvalError"):
    """An EvalError."""


class JsURIErrorObject(_Named, js_class="URIError"):
    """A URIError."""


class JsAggregateErrorObject(_Named, js_class="AggregateError"):
    """Several errors.

    Args:
        errors: The errors.
        message: A text.
        options: `cause`.
    """

    def __init__(self, errors: Any = None, message: Any = None, options: Any = None) -> None:
        super().__init__(message, options)
        self.errors = JsArray(list(items_of(errors) or ()))
