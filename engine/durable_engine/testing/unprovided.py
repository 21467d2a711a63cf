"""Unprovided things that code of an instance used: no errors of the workflow, and the test must know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

MOST_OF_A_KIND = 100
"""The most uses of one thing at one place that are kept; further ones say nothing new."""

_Instance = tuple[str, str] | None
_Key = tuple[type[BaseException], str]


class _Use(msgspec.Struct):
    error: BaseException
    instance: _Instance
    reported: bool = False

    @property
    def key(self) -> _Key:
        return _key(self.error)


class UnprovidedUses:
    """The uses of what is not provided, on one engine, in order.

    Args:
        kinds: The exceptions that such a use raises. One may have a `subject`, a text that says what was used and
            where: two of a kind about one subject are reported once.
        keeps: Whether uses are kept for a test, which must know of them.

    Attributes:
        has_reached_test: Says whether code of the test has caught such an exception itself, so that it is handled.
    """

    def __init__(self, kinds: tuple[type[BaseException], ...], *, keeps: bool = True) -> None:
        self._kinds = kinds
        self._keeps = keeps
        self._uses: dict[int, _Use] = {}  # by the exception's id; it is kept, so that no other one can have it
        self._counts: Counter[_Key] = Counter()
        self.has_reached_test: Callable[[BaseException], bool] = lambda error: False

    def find(self, error: BaseException | None) -> BaseException | None:
        """The use that an exception is, or comes from, be it as its cause, its context or in a group; or None."""
        return next((one for one in _all_behind(error) if isinstance(one, self._kinds)), None)

    def keep(self, error: BaseException, instance: _Instance) -> None:
        """Keep a use; what is known already, and any other exception, is left as it is.

        Args:
            error: The exception that it raises.
            instance: Whose code it was, by its workflow's binding name and its id; None for other code.
        """
        use = _Use(error, instance)
        is_new = isinstance(error, self._kinds) and id(error) not in self._uses
        if is_new and self._keeps and self._counts[use.key] < MOST_OF_A_KIND:
            self._uses[id(error)] = use
            self._counts[use.key] += 1

    @property
    def pending(self) -> list[BaseException]:
        """The uses that the test has not got yet, one of each kind and subject, in order."""
        found: dict[_Key, BaseException] = {}
        for use in self._pending():
            found.setdefault(use.key, use.error)
        return list(found.values())

    def behind(self, instance: tuple[str, str] | None) -> BaseException | None:
        """The use that may keep an instance from what is awaited: one of its own, or else any that is pending."""
        pending = list(self._pending())
        mine = [use for use in pending if use.instance == instance]
        return (mine or pending)[0].error if pending else None

    def report(self, error: BaseException) -> None:
        """Note that the test gets this use now, and with it those of the same kind and subject that are kept."""
        key = _key(error)
        for use in self._uses.values():
            if use.key == key:
                use.reported = True

    def _pending(self) -> Iterator[_Use]:
        return (use for use in self._uses.values() if not use.reported and not self.has_reached_test(use.error))


def _key(error: BaseException) -> _Key:
    return type(error), getattr(error, "subject", None) or str(error)


def _all_behind(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that it comes from."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__context__, one.__cause__]
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(one.exceptions)
