"""What a test meets when a Worker's source reaches for something that is not there while it runs."""

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
_REFUSED = (
    "workers.fetch was about to send {method} {url} to the network: no mock answered it. "
    "Answer it with respx or with pytest-httpx (fixture httpx_mock), "
    "or let requests out with @pytest.mark.workflow(allow_network=True)."
)


class OutsideTestError(RuntimeError):
    """A binding was read through `workers.env` while no test is running."""

    def __init__(self, name: str) -> None:
        super().__init__(_NO_TEST.format(name=name))


class NetworkRefusedError(Exception):
    """`workers.fetch` met a request that no mock answered, and the network is not allowed.

    No OSError: a source that handles a broken network must not mistake a missing mock for one.

    Args:
        method: The request's method.
        url: The request's URL.
    """

    def __init__(self, method: str, url: str) -> None:
        super().__init__(_REFUSED.format(method=method, url=url))
        self.method = method
        self.url = url


def no_binding(name: str, known: Iterable[str], hint: str | None = None) -> AttributeError:
    """`workers.env` was asked for a name that is no binding of the running test.

    Args:
        name: The name.
        known: The bindings of the test.
        hint: What to do about it, where more is known than that it is missing.
    """
    listed = ", ".join(sorted(known)) or "none"
    return AttributeError(_NO_BINDING.format(name=name, known=listed, hint=hint or _ADD))


def read_only(name: str) -> AttributeError:
    """Something was assigned to or deleted from `workers.env`."""
    return AttributeError(_READ_ONLY.format(name=name))
