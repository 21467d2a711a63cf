"""The suites that the platform's SDK publishes in its sdist, and what each needs to run against the stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

COMPATIBILITY_DATE = "2026-11-01"
_SOCKET = "asks for the encoding of a body on an HTTP socket of the runtime"
_DATABASES = "needs PostgreSQL or MySQL on this machine"
_ENGINE = "a JavaScript Worker drives it, in the Workflows engine's place"


@dataclass(frozen=True)
class Suite:
    """A folder of the sdist with Python test cases.

    Attributes:
        folder: Where it is, from the sdist's `tests`.
        config: What a configuration of ours has beside name, main and compatibility date; None where the suite's own
            one is used, with a compatibility date put in.
        uncounted: Files, or tests of a file (`file::test`), that are not counted, and why.
        fails: Tests that are counted and may fail, and why.
        packages: Packages that it imports; it is left out where one is not installed.
        is_worker: Whether its test files are called otherwise here, `X_cases.py` beside the Worker's `main`: then they
            are the Worker's code, as all code is in the Worker where they ran, and no code of a test's.
        has_test_handler: Whether its one test case is its Worker's `test` handler: `beside/test_default.py` calls it.
    """

    folder: str
    config: dict[str, Any] | None = None
    uncounted: dict[str, str] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    is_worker: bool = False
    has_test_handler: bool = False

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.rpartition("/")[2]


def _self(folder: str, **more: Any) -> dict[str, Any]:
    return {"services": [{"binding": "SELF", "service": folder}], **more}


def _objects(**classes: str) -> dict[str, Any]:
    bindings = [{"name": name, "class_name": cls} for name, cls in classes.items()]
    migrations = [{"tag": "v1", "new_sqlite_classes": list(classes.values())}]
    return {"durable_objects": {"bindings": bindings}, "migrations": migrations}


SUITES = (
    Suite(
        "bindings-test",
        uncounted={"test_hyperdrive_postgresql.py": _DATABASES, "test_hyperdrive_mysql.py": _DATABASES},
    ),
    Suite("workerd-test/sdk", _self("sdk", vars={"color": False})),
    Suite("workerd-test/asgi", _self("asgi"), uncounted={"test_asgi.py::test_encode_body_option": _SOCKET}),
    Suite(
        "workerd-test/wsgi",
        _self("wsgi", vars={"color": False}),
        uncounted={"test_wsgi.py::test_encode_body_option": _SOCKET},
    ),
    Suite("workerd-test/asgi-ws-disconnect", _self("asgi-ws-disconnect")),
    Suite(
        "workerd-test/http-client",
        {"vars": {"color": False}},
        fails={
            "urllib_request_cases.py::test_request_method_headers_and_data": "reaches its origin over raw TCP, "
            "where the URL keeps the port 80 that a request's URL leaves out",
            "urllib_request_cases.py::test_url_error_and_custom_handler_behavior": "asks for an FTP server: "
            "connections that are no HTTP are refused with an error of ours, which a Worker's `except` does not hide",
        },
        is_worker=True,
    ),
    Suite("workerd-test/durable-object", _objects(ns="DurableObjectExample"), has_test_handler=True),
    Suite(
        "workerd-test/durable-object-abort",
        _objects(ABORTER="AbortingDurableObject"),
        fails={
            "test_default.py": "expects storage to be gone with the object: the suite keeps it in memory, "
            "and in `wrangler dev` and production it stays"
        },
        has_test_handler=True,
    ),
    Suite(
        "workerd-test/durable-object-inheritance",
        _objects(DO_LEAF="LeafDurableObject", DO_LEAF_INIT="LeafDurableObjectWithInit", DO_REDUNDANT="RedundantBaseDO"),
        has_test_handler=True,
    ),
    Suite("workerd-test/durable-object-websocket", _objects(ns="DurableObjectWebSocket")),
    Suite(
        "workerd-test/python-rpc",
        {
            "services": [{"binding": "PythonRpc", "service": "python-rpc", "entrypoint": "PythonRpcTester"}],
            "vars": {"FOO": "text binding"},
        },
        has_test_handler=True,
    ),
    Suite("workerd-test/workflow", {}, uncounted={"worker.py": _ENGINE}),
    Suite(
        "workerd-test/entropy-patches",
        {},
        packages=("numpy", "boto3", "aiohttp", "langsmith", "litestar", "opentelemetry", "jsonschema", "requests"),
    ),
    Suite("web-frameworks-test/fastapi-tests", packages=("fastapi", "multipart")),
    Suite("web-frameworks-test/flask-tests", packages=("flask",)),
    Suite("web-frameworks-test/django-async", packages=("django", "rest_framework", "corsheaders")),
    Suite(
        "web-frameworks-test/django-databases",
        uncounted={"test_postgresql.py": _DATABASES, "test_mysql.py": _DATABASES},
    ),
)
