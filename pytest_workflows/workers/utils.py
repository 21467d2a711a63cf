"""Served as `workers.utils`: what the SDK's modules have in common, under the SDK's names.

Source: workers-runtime-sdk 1.9.5, `workers.utils`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from durable_engine import JsException
from pytest_workflows.javascript.objects import JsObject

from .context import wait_until
from .environment import raw_env
from .headers import HTTPMessageMapping
from .headers import to_js_headers as _to_js_headers
from .js_view import to_python_exception as _to_python_exception

__all__ = [
    "HTTPMessageMapping",
    "_to_js_headers",
    "_to_python_exception",
    "get_compat_flag",
    "import_from_javascript",
    "patch_env",
]

_PATCH_ENV = (
    "patch_env of workers-runtime-sdk 1.9.5 calls a function that the runtime does not have. "
    "To give a test another binding, override the fixture workflow_bindings."
)
_ONLY_THERE = (
    "pytest-workflows does not provide the JavaScript module {name!r}: it runs no JavaScript. "
    "Import it in a function of the Worker that the test replaces."
)


class _CloudflareWorkers(JsObject, js_class="Module"):
    """The module `cloudflare:workers`."""

    env = raw_env

    @property
    def constructor(self) -> NoReturn:
        """A module has none."""
        raise AttributeError("constructor")

    def waitUntil(self, awaitable: Any) -> None:
        """Let `awaitable` run on after the response was returned."""
        wait_until(awaitable)

    def _text(self) -> str:
        return "[object Module]"


def import_from_javascript(module_name: str) -> Any:
    """Import a module of the runtime: `cloudflare:workers` with `env` and `waitUntil`, `node:crypto` with hashes.

    Args:
        module_name: The module's name.

    Raises:
        ImportError: No such module, or one that only the platform has.
    """
    if module_name == "cloudflare:workers":
        return _CloudflareWorkers()
    if module_name == "node:crypto":
        from pytest_workflows.javascript.node_crypto import NodeCrypto

        return NodeCrypto()
    if module_name.startswith(("cloudflare:", "node:")):
        raise ImportError(_ONLY_THERE.format(name=module_name))
    error = JsException("Error", f'No such module "{module_name}".')
    raise ImportError(f"Failed to import '{module_name}': {error}") from error


@contextmanager
def patch_env(d: dict[str, Any] | Sequence[tuple[str, Any]] | None = None, **kwds: Any) -> Iterator[None]:
    """Fail, as in the SDK: the runtime lacks the function that would do it.

    Args:
        d: The bindings to replace.
        **kwds: More of them.

    Raises:
        AttributeError: Always.
    """
    error = AttributeError("patch_env_helper")
    error.add_note(_PATCH_ENV)
    raise error
    yield


def get_compat_flag(flag: str) -> bool:
    """Whether a compatibility flag of the SDK is on; of those that it asks for, all are on at today's date.

    Args:
        flag: The flag's name, with underscores.
    """
    return flag == "python_request_headers_preserve_commas"
