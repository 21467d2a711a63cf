"""Errors for a Worker's source that uses something of `workers.env` which is not there."""

from __future__ import annotations

from collections.abc import Iterable

_NO_TEST = (
    "workers.env.{name} was read while no test is running, and bindings live for one test. "
    "Read it inside the test, a fixture, a handler or a workflow instead of at import time."
)
_NO_BINDING = "workers.env has no binding {name!r}. Bindings of this test: {known}. {hint}"
_ADD = "Add it to the wrangler configuration, or to the fixture workflow_bindings."
_READ_ONLY = (
    "workers.env.{name} cannot be set or deleted: the object is shared by all tests. "
    "Override the fixture workflow_bindings to add or replace a binding."
)


class OutsideTestError(RuntimeError):
    """A binding was read through `workers.env` while no test is running."""

    def __init__(self, name: str) -> None:
        super().__init__(_NO_TEST.format(name=name))


def no_binding(name: str, known: Iterable[str], hint: str | None = None) -> AttributeError:
    """The error for a name of `workers.env` that is no binding of the active test.

    Args:
        name: The name.
        known: The bindings of the test.
        hint: The next step, where more is known than that it is missing.
    """
    listed = ", ".join(sorted(known)) or "none"
    return AttributeError(_NO_BINDING.format(name=name, known=listed, hint=hint or _ADD))


def read_only(name: str) -> AttributeError:
    """The error for an assignment to `workers.env`, or a deletion from it."""
    return AttributeError(_READ_ONLY.format(name=name))
