"""The stores of a test: the contents of its bindings, in one place that can be copied, compared and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from pytest_workflows.messages.short_repr import shown

from .peeks import Peek

Contents = Mapping[str, Mapping[Any, Any]]
"""Contents for comparison: by table (`""` where a store has none), by key; without what the platform makes itself."""


class Row(tuple[tuple[str, Any], ...]):
    """A row of a table, as the key of how often it is there: the names and the values of its columns."""

    __slots__ = ()

    def __str__(self) -> str:
        return "(" + ", ".join(f"{name}={shown(value)}" for name, value in self) + ")"


class Store(Protocol):
    """The contents of one resource: a database, a namespace, a bucket."""

    def copy(self) -> Store:
        """Another store of the same contents; what is large and never changed may be shared."""

    def contents(self) -> Contents:
        """The contents in a form that can be compared.

        Left out is what the platform makes itself: versions, etags, times of upload, ids of messages, expirations.
        """

    def tables(self) -> list[str]:
        """The names of what can be looked at."""

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of what is in it, for a reader.

        Args:
            table: One of `tables`.
            after: The `next` of the page before; None for the first page.
            limit: How many rows at most.

        Raises:
            KeyError: If there is no such table.
            ValueError: If `after` is of no page.
        """

    def close(self) -> None:
        """Let go of what it holds. Nothing reads it afterwards."""


class Listed(NamedTuple):
    """A store, in the list of all.

    Attributes:
        kind: What it is, as the configuration has it: `kv_namespaces`.
        id: Which: a database's id, a bucket's name.
        names: The names of the bindings to it; its id where there is none.
        store: The store.
    """

    kind: str
    id: str
    names: tuple[str, ...]
    store: Store


class StoreKeeper(Protocol):
    """Where contents outlive the process."""

    def keep(self, kind: str, id: str, make: Callable[[], Store]) -> Store:
        """The store of a resource, with what was kept of it; what is written to it is kept.

        Args:
            kind: What it is, as the configuration has it: `kv_namespaces`.
            id: Which: a database's id, a bucket's name.
            make: Makes an empty one.
        """


S = TypeVar("S", bound=Store)


class Stores:
    """The stores of one test, each made when it is first asked for.

    Args:
        template: The stores that a seed left, of which each is copied when it is first asked for.
        keeper: Where their contents outlive the process; None for in memory only.
    """

    def __init__(self, template: Stores | None = None, keeper: StoreKeeper | None = None) -> None:
        self._asking: str | None = None
        self._stores: dict[tuple[str, str], Store] = {}
        self._names: dict[tuple[str, str], list[str]] = {}
        self._template = template
        self._keeper = keeper

    @contextmanager
    def asked_by(self, name: str) -> Iterator[None]:
        """A block that makes a binding: the stores that are asked for in it have its name.

        Args:
            name: The binding's name.
        """
        self._asking = name
        try:
            yield
        finally:
            self._asking = None

    def get(self, kind: str, id: str, make: Callable[[], S]) -> S:
        """The store of a resource: of all bindings that name the same one.

        Args:
            kind: What it is, as the configuration has it: `kv_namespaces`.
            id: Which: a database's id, a bucket's name.
            make: Makes an empty one.
        """
        key = (kind, id)
        if self._asking is not None and self._asking not in self._names.get(key, ()):
            self._names.setdefault(key, []).append(self._asking)
        found = self._stores.get(key)
        if found is None:
            seeded = None if self._template is None else self._template._stores.get(key)
            if seeded is not None:
                found = seeded.copy()
            else:
                found = make() if self._keeper is None else self._keeper.keep(kind, id, make)
            self._stores[key] = found
        return cast("S", found)

    def items(self) -> Iterator[tuple[tuple[str, str], Store]]:
        """The stores that there are, by kind and id; those of a seed that nobody asked for are among them."""
        if self._template is not None:
            for key, seeded in self._template._stores.items():
                if key not in self._stores:
                    self._stores[key] = seeded.copy()
        return iter(sorted(self._stores.items(), key=lambda one: one[0]))

    def contents(self) -> dict[tuple[str, ...], Contents]:
        """What the stores hold, by the names of the bindings to each; by its id where there is no binding.

        What the test's own Worker has a binding to is called by that, whichever other Worker has one too.
        """
        return {one.names: one.store.contents() for one in self.listing()}

    def listing(self) -> list[Listed]:
        """The stores that there are, each with the names of the bindings to it."""
        return [Listed(*key, _called(self._names.get(key, [key[1]])), store) for key, store in self.items()]

    def close(self) -> None:
        """Close all of them."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()


def _called(names: list[str]) -> tuple[str, ...]:
    own = [name for name in names if "/" not in name]
    return tuple(dict.fromkeys(own or sorted(names)))
