"""The conditions of R2's gets and puts (`onlyIf`). Observed: workerd 1.20261117.1 with miniflare 5.20261117.0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from durable_engine import jsnull
from pytest_workflows.javascript.objects import js_error, option

from .js_arguments import date_option, entries_of, is_of_class, text_option, wrong_field
from .r2_options import header_of, http_date
from .r2_store import StoredObject


class Etag(NamedTuple):
    """An etag of a condition.

    Attributes:
        value: The etag; `"*"` for any.
        is_weak: Whether it is a weak one, which matches nothing that must be the same byte for byte.
    """

    value: str
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a get or a put (`onlyIf`).

    Attributes:
        matches: Etags of which the object must have one; None for no condition.
        matches_not: Etags of which it must have none.
        before: The time before which it must have been uploaded, in milliseconds since 1970.
        after: The time after which.
        in_seconds: Whether times are compared by the second, as HTTP does.
    """

    matches: Sequence[Etag] | None = None
    matches_not: Sequence[Etag] | None = None
    before: int | None = None
    after: int | None = None
    in_seconds: bool = False

    def holds_for(self, stored: StoredObject | None) -> bool:
        """Whether it holds; without an object, where neither an etag nor a time of upload is asked for."""
        if stored is None:
            return self.matches is None and self.after is None
        is_match = self.matches is None or _has(self.matches, stored.etag, weak_too=False)
        is_other = self.matches_not is None or not _has(self.matches_not, stored.etag, weak_too=True)
        uploaded = self._comparable(stored.uploaded)
        is_later = (
            self.after is None or self._comparable(self.after) < uploaded or (self.matches_not is not None and is_other)
        )
        is_earlier = (
            self.before is None or uploaded < self._comparable(self.before) or (self.matches is not None and is_match)
        )
        return is_match and is_other and is_later and is_earlier

    def _comparable(self, ms: int) -> int:
        return ms // 1000 if self.in_seconds else ms


def _has(etags: Sequence[Etag], etag: str, *, weak_too: bool) -> bool:
    return any(one.value == "*" or (one.value == etag and (weak_too or not one.is_weak)) for one in etags)


def condition_option(options: Any, owner: str) -> Condition | None:
    """The condition of a call: an object's, or that of request headers.

    Args:
        options: The options of the call.
        owner: The name of their type: `"GetOptions"`.

    Raises:
        JsException: For a condition that cannot be.
    """
    value = option(options, "onlyIf")
    if value is None:
        return None
    if is_of_class(value, "Headers"):
        return _condition_of_headers(value)
    if value is not jsnull and entries_of(value) is None:
        raise wrong_field("onlyIf", owner, "Conditional or Headers")
    return Condition(
        matches=_single_etag(value, "etagMatches"),
        matches_not=_single_etag(value, "etagDoesNotMatch"),
        before=date_option(value, "uploadedBefore", "Conditional"),
        after=date_option(value, "uploadedAfter", "Conditional"),
        in_seconds=bool(option(value, "secondsGranularity")),
    )


def _single_etag(value: Any, name: str) -> Sequence[Etag] | None:
    text = text_option(value, name, "Conditional")
    if text is None:
        return None
    if text.startswith('"') and text.endswith('"'):
        raise js_error("TypeError", f"Conditional ETag should not be wrapped in quotes ({text}).")
    return (Etag(text),)


def _condition_of_headers(headers: Any) -> Condition:
    return Condition(
        matches=_etags(header_of(headers, "if-match"), "if-match"),
        matches_not=_etags(header_of(headers, "if-none-match"), "if-none-match"),
        before=http_date(header_of(headers, "if-unmodified-since")),
        after=http_date(header_of(headers, "if-modified-since")),
        in_seconds=True,
    )


_ETAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


def _etags(text: str | None, header: str) -> Sequence[Etag] | None:
    if text is None:
        return None
    found, rest = [], text.strip(" \t,")
    while rest:
        if rest.startswith("*"):
            return (Etag("*"),)
        match = _ETAG.match(rest)
        if match is None:
            raise js_error("Error", f"Invalid ETag in {header} header")
        found.append(Etag(match[2], is_weak=match[1] is not None))
        rest = rest[match.end() :]
        if rest and not rest.startswith(","):
            raise js_error("Error", f"Invalid ETag in {header} header")
        rest = rest.lstrip(" \t,")
    return found
